# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""What `sync` shows while it works: all that moves on a terminal, one line per change elsewhere."""

from __future__ import annotations

import io
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from cli_scene import CAD, IMODEL, Office
from rich.console import Console

from twinsyncd.cli.progress import progress_of, showing_progress
from twinsyncd.config import load
from twinsyncd.core.decision import Decision
from twinsyncd.core.model import FileKey, FileRow, Fingerprint, LaneRow, Phase
from twinsyncd.core.progress import UnsettledFile, UploadsUnderWay
from twinsyncd.core.results import Outcome, RunRecord
from twinsyncd.journal.views import Status
from twinsyncd.runtime.state import read_status

NOW_S = 1_700_000_600.0
LOOK = Fingerprint(100, 10**9, 7)
MIB = 1024**2


class Log(io.StringIO):
    """Text that is no terminal; `has_line` is set once there is some."""

    def __init__(self) -> None:
        super().__init__()
        self.has_line = threading.Event()

    def flush(self) -> None:
        """Note that a line was written."""
        if self.getvalue():
            self.has_line.set()


def row(name: str, stored: str = "", synced: str = "") -> FileRow:
    """Return a file on its way."""
    return FileRow(FileKey(CAD, name), LOOK, "v1", stored, synced)


@pytest.fixture
def office(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Office:
    """Give an office whose journal is empty."""
    return Office(tmp_path, monkeypatch, capsys)


@pytest.fixture
def seen(office: Office) -> Status:
    """A sync in its middle: one file each at every station, a run, and runs before it."""
    lane = LaneRow(IMODEL, Phase.RUNNING, "Bridge 12", "run-9", since_s=NOW_S - 95.0)
    ended = tuple(
        RunRecord(IMODEL, "Bridge 12", f"run-{n}", Outcome.SUCCEEDED, 0.0, 120.0 + n, 1)
        for n in range(5)
    )
    files = (row("a.dgn"), row("b.dgn", "v1"), row("c.dgn", "v1", "v1"))
    office.remember(Decision(files=files, lanes=(lane,), history=ended), unsettled=2)
    found = read_status(load(office.config), runs=50)
    assert found.daemon is not None
    uploads = UploadsUnderWay(1, 30 * MIB, 90 * MIB, 2.0 * MIB)
    return replace(found, daemon=replace(found.daemon, uploads=uploads))


def test_a_terminal_shows_settling_bytes_rate_and_the_run_against_its_usual_length(
    seen: Status,
) -> None:
    """Whoever waits wants to know whether there is time for a coffee."""
    assert progress_of(seen, NOW_S, live=True) == [
        "1 of 3 files synced · 2 still settling · 2 uploaded · 1 in the active run",
        "uploading 1 file: 30.0 MiB of 90.0 MiB at 2.0 MiB/s, 30 s left",
        "Bridge 12: a run of ours is active, for 1 min 35 s; usually 2 min 2 s",
    ]


def test_a_log_gets_nothing_that_changes_all_the_time(seen: Status) -> None:
    """Four lines a second would bury what happened."""
    later = progress_of(seen, NOW_S + 60.0, live=False)

    assert progress_of(seen, NOW_S, live=False) == later
    assert later == [
        "1 of 3 files synced · 2 uploaded · 1 in the active run",
        "a run of ours is active",
    ]


def test_a_file_that_does_not_settle_is_named_with_what_it_waits_for(seen: Status) -> None:
    """ "1 still settling" for a quarter of an hour was a damaged drawing that nobody heard of."""
    assert seen.daemon is not None
    reason = "/drive/cad/plan/x.dgn is incomplete: it ends within an element"
    files = (
        UnsettledFile(CAD, "plan/x.dgn", NOW_S - 40.0, reason),
        UnsettledFile(CAD, "y.dgn", NOW_S - 30.0, "it must stay unchanged for 5 s"),
        UnsettledFile(CAD, "new.dgn", NOW_S - 2.0, "it must stay unchanged for 5 s"),
    )
    slow = replace(seen, daemon=replace(seen.daemon, unsettled=3, unsettled_files=files))

    live, logged = (progress_of(slow, NOW_S, live=live)[1] for live in (True, False))

    named, why = "plan/x.dgn (and 1 more)", "it is incomplete: it ends within an element"
    assert live == f"waits for {CAD}/{named}, for 40 s: {why}"
    assert logged == f"waits for {CAD}/{named}, {why}"


def test_a_file_that_fails_again_and_again_is_named_with_the_reason(office: Office) -> None:
    """A sync waited for it for two minutes, and said nothing but "9 of 10 files synced"."""
    failing = replace(row("a.dgn"), attempts=3, note="HTTP 412: a lease", next_try_s=NOW_S + 12.0)
    office.remember(Decision(files=(failing, replace(row("b.dgn"), aside="refused"))))
    status = read_status(load(office.config), open_files=5)

    terminal, log = (progress_of(status, NOW_S, live=live)[-1] for live in (True, False))

    assert log == (
        f"waits for {CAD}/a.dgn, failed 3 times, is set aside after 8: HTTP 412: a lease"
    )
    assert terminal == f"{log}; tried again in 12 s"


def test_a_file_that_fails_in_an_outage_is_not_said_to_be_set_aside(office: Office) -> None:
    """No count of tries ends while the platform cannot be reached; nobody is to act on the file."""
    outage = "the host cannot be reached"
    lane = LaneRow(IMODEL, connection="Bridge 12", attempts=4, wait_reason=outage)
    office.remember(
        Decision(files=(replace(row("a.dgn"), attempts=1, note=outage),), lanes=(lane,))
    )

    line = progress_of(read_status(load(office.config), open_files=5), NOW_S, live=False)[-1]

    assert line == f"waits for {CAD}/a.dgn, failed 1 time: {outage}"


def test_a_file_that_is_set_aside_is_not_waited_for(office: Office) -> None:
    """A start looks at it once more; "waits for" it stood beside "1 set aside"."""
    aside = replace(row("a.dgn"), aside="it is incomplete")
    since_s = time.time() - 100.0
    again = [UnsettledFile(CAD, each, since_s, "it is being read") for each in ("a.dgn", "b.dgn")]
    lane = LaneRow(IMODEL, Phase.BLOCKED, "Bridge 12", "run-9", since_s=NOW_S)
    decided = Decision(files=(aside, row("b.dgn")), lanes=(lane,))
    office.remember(decided, unsettled=2, unsettled_files=again)
    printed = Log()

    with showing_progress(Console(file=printed, width=80), load(office.config)):
        assert printed.has_line.wait(30)

    assert f"waits for {CAD}/b.dgn, it is being read" in printed.getvalue()
    assert "a.dgn" not in printed.getvalue()


def test_a_line_in_a_log_is_one_line(office: Office) -> None:
    """A pipe has no width, and half a line cannot be searched for."""
    name = "a connection with a name that needs a line of eighty characters nearly for itself"
    printed = Log()
    lane = LaneRow(IMODEL, Phase.BLOCKED, name, "run-9", since_s=NOW_S, usual_s=1.0)
    office.remember(Decision(files=(row("a.dgn"), row("b.dgn", "v1")), lanes=(lane,)))

    with showing_progress(Console(file=printed, width=80), load(office.config)):
        assert printed.has_line.wait(30)

    (line,) = printed.getvalue().splitlines()
    assert len(line) > 80
    assert line.endswith("longer than usual")


def test_a_first_run_says_no_usual_length(seen: Status) -> None:
    """Two runs say nothing about a third."""
    shown = progress_of(replace(seen, runs=seen.runs[:2]), NOW_S, live=True)

    assert shown[-1] == "Bridge 12: a run of ours is active, for 1 min 35 s"
