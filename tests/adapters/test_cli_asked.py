# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""What a person asks for is answered truly: taken, refused, or not possible, before a question."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from cli_scene import CAD, CONFIG, Office

from twinsyncd.core.decision import Decision
from twinsyncd.core.events import Event, EventKind
from twinsyncd.core.model import ConnectionRow, FileKey, FileRow, Fingerprint, SourceRow
from twinsyncd.core.progress import UnsettledFile
from twinsyncd.journal.database import open_database
from twinsyncd.journal.writer import Journal

LOOK = Fingerprint(1, 1, 1)
SYNCED = FileRow(FileKey(CAD, "a.dgn"), LOOK, "v1", "v1", "v1", storage_id="i", in_connection=True)
HELD = SourceRow(
    CAD, "d1", "15 of 20 files are gone", needs_person=True, drive="d1", missing_count=15
)


@pytest.fixture
def office(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Office:
    """A configured office where nothing was ever started."""
    return Office(tmp_path, monkeypatch, capsys)


@contextmanager
def handling(office: Office, answer: Decision) -> Iterator[None]:
    """Let a daemon run that answers the first request with this decision."""

    def handle() -> None:
        journal = Journal(open_database(office.state / "journal.sqlite"))
        while not (asked := journal.open_requests()):
            pass
        journal.commit(answer, [each.number for each in asked], time.time())
        journal.close()

    with office.daemon_runs():
        thread = threading.Thread(target=handle)
        thread.start()
        yield
        thread.join()


# ---- explain ------------------------------------------------------------------------------


def test_a_file_that_is_being_written_is_explained_with_since_when(office: Office) -> None:
    """It was "never seen by a scan", which sent people to look at the patterns."""
    waiting = UnsettledFile(CAD, "new.dgn", time.time() - 1800.5, "it keeps changing")
    office.remember(
        Decision(files=(SYNCED,)), unsettled=1, unsettled_files=[waiting], beat_s=time.time()
    )

    with office.daemon_runs():
        printed = office.types("explain", f"{CAD}/new.dgn")

    assert printed.code == 1
    assert "  state    it has not settled for 30 min" in printed.out
    assert "it keeps changing" in printed.out


def test_a_file_that_nobody_has_seen_is_not_said_to_settle(office: Office) -> None:
    """A typo in the path looked like a file that only needed patience."""
    office.remember(Decision(files=(SYNCED,)), beat_s=time.time())

    with office.daemon_runs():
        running = office.types("explain", f"{CAD}/typo.dgn")
    stopped = office.types("explain", f"{CAD}/typo.dgn")

    assert running.code == stopped.code == 1
    assert "state    not found: no scan has seen such a file. Check the path" in running.out
    assert "no content of it was ever known, and changes on the drive since" in stopped.out


# ---- publish ------------------------------------------------------------------------------


def test_a_paused_connection_is_not_published(office: Office) -> None:
    """ "What has changed is run" was printed of a connection of which nothing was run."""
    paused = ConnectionRow("Bridge 12", "c1", paused_s=1.7e9)
    office.remember(Decision(files=(SYNCED,), connections=(paused,)))

    with office.daemon_runs():
        printed = office.types("publish", "Bridge 12")

    assert printed.code == 1
    assert "Bridge 12 is paused since 2023-11-1" in printed.err
    assert 'end the pause first: twinsyncd resume "Bridge 12"' in printed.err
    assert office.asked() == []


def test_a_publication_names_what_it_waits_for(office: Office) -> None:
    """It was to run "as soon as it is uploaded", and waited for half a minute of quiet."""
    office.remember(Decision(files=(SYNCED,)))

    with office.daemon_runs():
        printed = office.types("publish")

    assert printed.code == 0
    assert "nothing has changed for 30 s (batch_quiet)" in printed.out
    assert [kind for kind, _ in office.asked()] == ["publish"]


# ---- forget -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "reason"),
    [((SYNCED,), "is on the drive, and would be added again"), ((), "was never uploaded")],
    ids=["on the drive", "unknown"],
)
def test_what_cannot_be_forgotten_is_refused_before_it_is_asked_about(
    office: Office, rows: tuple[FileRow, ...], reason: str
) -> None:
    """A person answered "yes", only to read that it cannot be done."""
    office.remember(Decision(files=rows))

    printed = office.types("forget", f"{CAD}/a.dgn")

    assert printed.code == 1
    assert reason in printed.err
    assert "Take" not in printed.out


# ---- approve ------------------------------------------------------------------------------


def test_an_approval_is_confirmed_once_it_was_taken(office: Office) -> None:
    """ "Approved" was printed before anybody had looked at it."""
    office.remember(Decision(sources=(HELD,)))
    taken = Event(EventKind.SOURCE_APPROVED, time.time() + 3600.0, "Bridge 12", CAD)

    with handling(office, Decision(events=(taken,))):
        printed = office.types("approve", "Bridge 12", "--yes")

    assert printed.code == 0
    assert "approved; the daemon goes on" in printed.out


def test_the_only_connection_needs_no_name_to_be_approved(office: Office) -> None:
    """There is nothing to choose from."""
    office.remember(Decision(sources=(HELD,)))

    alone = office.types("approve", "--yes")
    asked = office.asked()
    other = CONFIG[CONFIG.index("[[connection]]") :].replace("Bridge 12", "Bridge 13")
    office.configure(f"{CONFIG}\n{other}")
    several = office.types("approve", "--yes")

    assert (alone.code, [kind for kind, _ in asked]) == (0, ["approve"])
    assert several.code == 1
    assert "which connection?\n    there are: Bridge 12, Bridge 13" in several.err


def test_an_approval_that_was_not_taken_is_reported(office: Office) -> None:
    """More files were missing by then; nothing said so, and the connection stayed on hold."""
    office.remember(Decision(sources=(HELD,)))

    with handling(office, Decision(sources=(replace(HELD, missing_count=16),))):
        printed = office.types("approve", "Bridge 12", "--yes")

    assert printed.code == 1
    assert f"not approved: what is missing in {CAD} has changed meanwhile" in printed.err
    assert "approve what is shown there" in printed.err
    assert "approved; " not in printed.out
