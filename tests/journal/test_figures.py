# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""Figures of the journal: how long a change takes, how long it waits, how runs ended."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from twinsyncd.core.decision import Decision
from twinsyncd.core.events import Event, EventKind
from twinsyncd.core.model import FileKey, FileRow, Fingerprint
from twinsyncd.core.results import Outcome, RunRecord
from twinsyncd.core.waits import RUNS_KEPT
from twinsyncd.journal.database import open_database
from twinsyncd.journal.figures import Figures, find_files, percentile, read_figures
from twinsyncd.journal.location import JournalLocation
from twinsyncd.journal.views import Scope
from twinsyncd.journal.writer import Journal

CAD, OTHER, LANE = "Bridge/cad", "Gone/cad", "lane-1"
SCOPE = Scope(frozenset({CAD}), frozenset({LANE}))
LOOK = Fingerprint(3, 1, 7)


@pytest.fixture
def journal(where: JournalLocation) -> Iterator[Journal]:
    """An empty journal."""
    opened = Journal(open_database(where))
    yield opened
    opened.close()


def event(kind: EventKind, at_s: float, digest: str, source: str = CAD, run: str = "") -> Event:
    """Return an event of the one file."""
    return Event(kind, at_s, "Bridge", source, "a.dgn", digest, run)


def figures(where: JournalLocation, since_s: float = 0.0) -> Figures:
    """Return the figures of what is configured."""
    return read_figures(where, SCOPE, since_s=since_s, started_s=50.0)


def test_the_latency_is_from_the_settling_of_just_that_content(
    journal: Journal, where: JournalLocation
) -> None:
    """A file that was saved twice before a run must not be measured from another content."""
    seen, synced = EventKind.FILE_SEEN, EventKind.FILE_SYNCED
    journal.commit(
        Decision(
            events=(
                event(seen, 10.0, "v1"),
                event(seen, 60.0, "v2"),
                event(synced, 100.0, "v2", run="r1"),
                event(seen, 110.0, "v1"),  # changed back: from now, not from the first time
                event(synced, 140.0, "v1", run="r2"),
                event(synced, 150.0, "v9", run="r3"),  # nobody knows when it settled
                event(synced, 160.0, "v2", source=OTHER),
            )
        )
    )

    found = figures(where).latencies

    assert [(each.run, each.took_s) for each in found] == [("r2", 30.0), ("r1", 40.0)]
    assert [each.run for each in figures(where, since_s=120.0).latencies] == ["r2"]


def test_the_oldest_change_is_the_one_that_waits_longest(
    journal: Journal, where: JournalLocation
) -> None:
    """An alarm on its age must not be silenced by a newer change, nor rung by a synced one."""
    rows = (
        FileRow(FileKey(CAD, "new.dgn"), LOOK, "v2", "v1", "v1", seen_s=90.0),
        FileRow(FileKey(CAD, "old.dgn"), LOOK, "v2", "v2", "v1", seen_s=70.0),
        FileRow(FileKey(CAD, "unread.dgn"), unread="locked", aside_since_s=80.0),
        FileRow(FileKey(CAD, "done.dgn"), LOOK, "v1", "v1", "v1", seen_s=1.0),
        FileRow(
            FileKey(CAD, "cut.dgn"),
            LOOK,
            "v1",
            "v1",
            "v1",
            unread="cut",
            seen_s=1.0,
            aside_since_s=95.0,
        ),
        FileRow(FileKey(OTHER, "x.dgn"), LOOK, "v1", seen_s=2.0),
    )
    journal.commit(Decision(files=rows))

    assert figures(where).oldest_s == {CAD: 70.0}


def test_runs_are_counted_since_the_start_and_listed_since_the_moment(
    journal: Journal, where: JournalLocation
) -> None:
    """Counters begin with the process; the timeline goes back as far as it is asked to."""
    history = [
        RunRecord(LANE, "Bridge", f"r{at_s}", outcome, at_s - 5.0, at_s, 2)
        for at_s, outcome in (
            (40.0, Outcome.SUCCEEDED),
            (60.0, Outcome.SUCCEEDED),
            (70.0, Outcome.FAILED),
            (80.0, Outcome.SUCCEEDED),
        )
    ]
    history.append(RunRecord("other", "Gone", "x", Outcome.FAILED, 1.0, 90.0, 1))
    journal.commit(Decision(history=tuple(history)))

    found = figures(where, since_s=65.0)

    assert [run.ended_s for run in found.runs] == [80.0, 70.0]
    assert {(each.outcome, each.runs, each.files) for each in found.totals} == {
        (Outcome.SUCCEEDED, 2, 4),
        (Outcome.FAILED, 1, 2),
    }
    assert found.usual_s == {"Bridge": 5.0}


def test_what_is_usual_is_learnt_from_the_newest_good_runs_of_each(journal: Journal) -> None:
    """Old runs say nothing about a model that has grown; a failed one says nothing at all."""
    lengths = {"Bridge": range(RUNS_KEPT + 2), "Roof": range(2)}
    journal.commit(
        Decision(
            history=tuple(
                RunRecord(LANE, name, f"{name}{length_s}", outcome, 0.0, float(length_s), 1)
                for name, known in lengths.items()
                for length_s in known
                for outcome in (Outcome.SUCCEEDED, Outcome.FAILED)
            )
        )
    )

    found = journal.saved_state().lengths_s

    assert found == {"Bridge": [*range(2, RUNS_KEPT + 2)], "Roof": [0, 1]}


def test_files_are_found_by_a_part_of_their_path(journal: Journal, where: JournalLocation) -> None:
    """A person remembers a part of a name; % and _ are characters like others."""
    names = ("Plan/Sheet_01.dgn", "plan/sheet-02.dgn")
    journal.commit(Decision(files=tuple(FileRow(FileKey(CAD, name), LOOK, "v1") for name in names)))

    assert [row.key.path for row in find_files(where, SCOPE, "SHEET_0")] == [names[0]]
    assert len(find_files(where, SCOPE, "sheet")) == 2
    assert find_files(where, SCOPE, "%") == []


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([], 0.5, None), ([4.0], 0.95, 4.0), ([3.0, 1.0, 2.0], 0.5, 2.0), (range(100), 0.95, 95)],
)
def test_percentiles(values: list[float], share: float, expected: float | None) -> None:
    """The slowest one in twenty is what people complain about."""
    assert percentile(values, share) == expected
