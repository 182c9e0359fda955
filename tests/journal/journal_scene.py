# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""Journals on a real disk, and rows to fill them with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis import strategies as st

from twinsyncd.core.decision import Decision
from twinsyncd.core.events import Event, EventKind
from twinsyncd.core.model import (
    ABSENT,
    IN_DOUBT,
    BlindSpot,
    ConnectionRow,
    FileKey,
    FileRow,
    Fingerprint,
    LaneRow,
    OnDelete,
    Phase,
    SourceRow,
)
from twinsyncd.core.results import Outcome, RunFile, RunRecord
from twinsyncd.journal.database import open_database
from twinsyncd.journal.location import JournalLocation
from twinsyncd.journal.writer import Journal

CAD = "one/cad"
A = FileKey(CAD, "level 1/a.dgn")
LOOK = Fingerprint(123, 1_700_000_000_123_456_789, 42, 1_700_000_001_123_456_789)

WHOLE_DECISION = Decision(
    files=(
        FileRow(
            A,
            LOOK,
            "v2",
            IN_DOUBT,
            "v1",
            "v1",
            "item-1",
            in_connection=True,
            attempts=3,
            aside="refused",
            unread="locked",
            hashed_s=7.5,
            aside_since_s=9.5,
            seen_s=10.5,
            note="the run did not process this file",
            next_try_s=11.5,
            version="2026-01-02T03:04:05Z",
            replaces=("s0", "s00"),
            removing=OnDelete.DELETE,
            moved_from=FileKey("one/cad", "earlier.dgn"),
        ),
    ),
    lanes=(
        LaneRow(
            "imodel",
            Phase.RUNNING,
            "one",
            "run-1",
            "run-0",
            asks=1,
            attempts=2,
            not_before_s=3.5,
            since_s=4.5,
            halt="halted",
            usual_s=6.5,
            wait_reason="the service limits the request rate",
            throttles=3,
            fruitless=4,
            needs_person=True,
        ),
    ),
    connections=(ConnectionRow("one", "remote", 12.5, 13.5, 10),),
    sources=(
        SourceRow(
            CAD,
            "drive",
            "offline",
            offline_since_s=13.5,
            needs_person=True,
            approved=True,
            drive="d",
            missing_count=3,
            missing_mark="0123456789abcdef",
            examples=("level 1/a.dgn", "b\n.dgn"),
            patterns="**/*.dgn",
            drives_inside=(("survey", "nfs:nas:/survey"),),
            blind=(BlindSpot("secret", "permission denied"),),
            blind_count=1,
            blind_since_s=8.5,
            watch_trouble="the limit of inotify watches is reached",
            doubted=("level 1/a.dgn",),
        ),
    ),
    history=(RunRecord("imodel", "one", "run-0", Outcome.PARTIAL, 1.5, 2.5, 7, "some failed"),),
    run_files=(
        RunFile(
            "one",
            "run-0",
            CAD,
            A.path,
            "item-1",
            "v1",
            Outcome.FAILED,
            2.5,
            "task-1",
            "changeset-1",
            "refused",
        ),
    ),
    events=(
        Event(
            EventKind.FILE_SYNCED,
            14.5,
            "one",
            CAD,
            A.path,
            "v1",
            "run-0",
            "task-1",
            "changeset-1",
            "words",
        ),
    ),
)
"""A decision with a row of every kind, no column of which holds its default."""


@contextmanager
def journal_in(where: JournalLocation) -> Iterator[Journal]:
    """Yield the journal that is there, opened as the daemon opens it."""
    journal = Journal(open_database(where))
    try:
        yield journal
    finally:
        journal.close()


DIGESTS = st.sampled_from([ABSENT, "v1", "v2"])
LOOKS = st.builds(
    Fingerprint,
    size_bytes=st.integers(min_value=0, max_value=2**62),
    mtime_ns=st.integers(min_value=-(2**62), max_value=2**62),
    file_id=st.integers(min_value=0, max_value=2**128 - 1),
)
PARTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=8
)
PATHS = st.sampled_from(["a.dgn", "b.dgn", "level 1/a.dgn", "level 1/b/c.ifc"]) | st.lists(
    PARTS, min_size=1, max_size=3
).map("/".join)
KEYS = st.builds(FileKey, source=st.sampled_from([CAD, "two/bim"]), path=PATHS)
FILES = st.builds(
    FileRow,
    key=KEYS,
    fingerprint=st.none() | LOOKS,
    seen=DIGESTS,
    stored=DIGESTS | st.just(IN_DOUBT),
    synced=DIGESTS,
    covered=DIGESTS,
    storage_id=st.sampled_from(["", "item-1"]),
    in_connection=st.booleans(),
    attempts=st.integers(min_value=0, max_value=99),
    aside=st.sampled_from(["", "refused"]),
    unread=st.sampled_from(["", "locked"]),
)
