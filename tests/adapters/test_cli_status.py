# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""`twinsyncd status`: one screen, one connection, one path, live."""

from __future__ import annotations

import io
import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cli_scene import CAD, CONFIG, IMODEL, Office, Printed
from rich.console import Console

from twinsyncd.cli.status import screen, watching
from twinsyncd.config import load
from twinsyncd.core.decision import Decision
from twinsyncd.core.events import Event, EventKind
from twinsyncd.core.model import (
    ConnectionRow,
    Failure,
    Fault,
    FileKey,
    FileRow,
    Fingerprint,
    LaneRow,
    SourceRow,
)
from twinsyncd.core.progress import UnsettledFile
from twinsyncd.core.results import Outcome, RunRecord
from twinsyncd.disk.lock_files import Holder
from twinsyncd.errors import AppError, CloudError, JournalError
from twinsyncd.runtime.formatting import clock_time
from twinsyncd.runtime.machine_lock import serving_alone
from twinsyncd.runtime.overall_state import OverallState, read_overall_state
from twinsyncd.targets.storage.refused_names import with_name_advice

LOOK = Fingerprint(100, 10**9, 7)
SINCE_S = 1_700_000_030.0
ROOF_MODEL = "2b2c3d4e-1111-4222-8333-444455556666"
ROOF = f"""
[[connection]]
name = "Roof"
itwin_id = "0a1b2c3d-1111-4222-8333-444455556666"
imodel_id = "{ROOF_MODEL}"

  [[connection.source]]
  folder = "bim"
"""


def synced(path: str, source: str = CAD) -> FileRow:
    """Return a file that is in the iModel."""
    return FileRow(FileKey(source, path), LOOK, "v1", "v1", "v1", seen_s=SINCE_S)


def aside(path: str) -> FileRow:
    """Return a file that a person must look at."""
    key = FileKey(CAD, path)
    return FileRow(key, LOOK, "v2", "v1", "v1", aside="no way", aside_since_s=SINCE_S)


def remember(office: Office, *steps: Decision, **more: Any) -> None:
    """Let a daemon have looked at the drive just now."""
    office.remember(*steps, beat_s=time.time(), **more)


def status(office: Office, *words: str) -> Printed:
    """Ask for the status while that daemon runs."""
    with office.daemon_runs():
        return office.types("status", *words)


@pytest.fixture
def office(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Office:
    """An office in a folder of its own."""
    return Office(tmp_path, monkeypatch, capsys)


def two_connections(office: Office) -> None:
    """Configure a second connection, whose files are all in its iModel."""
    (office.folder / "bim").mkdir()
    office.configure(CONFIG + ROOF)
    remember(
        office,
        Decision(
            files=(aside("a.dgn"), synced("b.dgn"), synced("roof.ifc", "Roof/bim")),
            connections=(ConnectionRow("Roof", "c2", SINCE_S),),
            lanes=(LaneRow(IMODEL, connection="Bridge 12"), LaneRow(ROOF_MODEL, connection="Roof")),
        ),
    )


def test_what_needs_a_person_comes_before_everything_else(office: Office) -> None:
    """Somebody with ten seconds reads the first lines only."""
    two_connections(office)

    lines = status(office).out.splitlines()

    assert lines[0] == "1 thing needs a person"
    place = lines.index("needs a person")
    assert lines[place + 1] == f"  {CAD}/a.dgn: set aside: no way"
    assert f"since {clock_time(SINCE_S)}" in lines[place + 2]
    assert "correct the file and save it" in lines[place + 2]
    assert place < next(n for n, line in enumerate(lines) if line.startswith("Bridge 12  not cur"))


@pytest.mark.parametrize(
    "between", [(EventKind.FILE_STORED, ""), (EventKind.LANE_HALTED, "no quota")]
)
def test_a_halt_lasts_since_it_began_and_not_since_an_earlier_one(
    office: Office, between: tuple[EventKind, str]
) -> None:
    """A retry ends a halt without an event; the next one was "since" the one of last week."""
    kinds = (
        (EventKind.LANE_HALTED, "no right"),
        between,
        *2 * [(EventKind.LANE_HALTED, "no right")],
    )
    events = tuple(
        Event(kind, SINCE_S + number, "Bridge 12", text=text)
        for number, (kind, text) in enumerate(kinds)
    )
    lane = LaneRow(IMODEL, connection="Bridge 12", halt="no right")
    remember(office, Decision(files=(synced("a.dgn"),), lanes=(lane,), events=events))

    told = json.loads(status(office, "--json").out)

    assert told["connections"][0]["trouble_since_s"] == SINCE_S + 2


def test_who_reads_of_a_refused_name_is_not_sent_to_save_the_file_again(office: Office) -> None:
    """Neither another save nor another try changes a name."""
    refusal = CloudError("create file", Failure(Fault.REFUSED, "invalid characters"), status=422)
    reason = with_name_advice(refusal, "q?.dgn").failure.message
    remember(office, Decision(files=(replace(aside("q?.dgn"), aside=reason),)))

    lines = status(office).out.splitlines()

    place = lines.index(f"  {CAD}/q?.dgn: set aside: {reason}")
    assert lines[place + 1].endswith("→ rename it on the drive; nothing else is needed")


def test_a_trouble_of_a_lane_says_since_when(office: Office) -> None:
    """Nine minutes of waiting are nothing, nine hours are an outage."""
    event = Event(EventKind.LANE_HALTED, SINCE_S, "Bridge 12", text="no right")
    lane = LaneRow(IMODEL, connection="Bridge 12", halt="no right")
    remember(office, Decision(files=(synced("a.dgn"),), lanes=(lane,), events=(event,)))

    printed = status(office).out

    told = json.loads(status(office, "--json").out)
    assert f"since {clock_time(SINCE_S)}" in printed
    assert told["connections"][0]["trouble_since_s"] == SINCE_S
    assert told["connections"][0]["halted"] == "no right"


def test_no_signed_address_reaches_the_terminal(office: Office) -> None:
    """Screens are photographed and pasted into tickets (P11)."""
    text = "PUT https://host.blob.example.com/c/b?sig=S3CR3T failed"
    lane = LaneRow(IMODEL, connection="Bridge 12", halt=text)
    run = RunRecord(IMODEL, "Bridge 12", "run-1", Outcome.FAILED, 10.0, 95.0, 1, text)
    bad = replace(aside("a.dgn"), aside=text)
    remember(office, Decision(files=(bad,), lanes=(lane,), history=(run,)))

    shown = status(office).out

    assert "host.blob.example.com" in shown
    assert "S3CR3T" not in shown


def test_one_connection_is_shown_without_the_others(office: Office) -> None:
    """Whoever answers for one project needs no list of all of them."""
    two_connections(office)

    roof, bridge = status(office, "Roof"), status(office, "Bridge 12")
    told = json.loads(status(office, "Roof", "--json").out)

    assert (roof.code, bridge.code) == (0, 1)
    assert "a.dgn" not in roof.out
    assert "Bridge 12" not in roof.out
    assert "a.dgn" in bridge.out
    assert [each["name"] for each in told["connections"]] == ["Roof"]
    assert (told["in_sync"], told["needs"]) == (True, [])


def test_the_counts_of_a_source_on_hold_are_of_when_it_was_last_read(office: Office) -> None:
    """ "20 of 20 files synced" stood two lines below "20 of 20 files are gone at once"."""
    reason = "2 of 2 files are gone at once"
    held = SourceRow(CAD, "d1", reason, SINCE_S, needs_person=True, drive="d1", missing_count=2)
    remember(office, Decision(files=(synced("a.dgn"), synced("b.dgn")), sources=(held,)))

    shown = status(office).out

    when = f"as of {clock_time(SINCE_S)}, on hold, see above"
    assert f"{CAD}: 2 of 2 files synced {when}" in shown


@pytest.mark.parametrize(
    ("on_delete", "follows"),
    [
        ("keep", "what the cloud has of it stays there"),
        ("unmap", "it leaves the connection and stays in Storage"),
        ("delete", "it leaves the connection and is deleted in Storage"),
    ],
)
def test_a_file_that_one_list_lacked_is_not_in_sync(
    office: Office, on_delete: str, follows: str
) -> None:
    """A deletion was due, and status said "In sync" until it happened (P12)."""
    office.configure(CONFIG.replace("imodel_id", f'on_delete = "{on_delete}"\nimodel_id', 1))
    since_s = time.time() - 20.0
    lacking = SourceRow(CAD, "d1", missed=(("a.dgn", since_s),))
    remember(office, Decision(files=(synced("a.dgn"), synced("b.dgn")), sources=(lacking,)))

    with office.daemon_runs():
        shown, of_file = office.types("status"), office.types("status", f"{CAD}/a.dgn")
        other, folder = office.types("status", f"{CAD}/b.dgn"), office.types("explain", "cad")
        told = json.loads(office.types("status", "--json").out)

    when = f"looked for once more after {clock_time(since_s + 60.0)}, and then {follows}"
    assert (shown.code, of_file.code, other.code) == (1, 1, 0)
    assert f"{CAD}: 1 file not on the drive any more: a.dgn" in shown.out
    assert f'put it back if that is not meant; {when} (on_delete = "{on_delete}")' in shown.out
    assert "2 of 2 files synced, 1 of them not on the drive any more" in shown.out
    assert f"it is not on the drive any more; {when}" in of_file.out
    assert "1 file in it not on the drive any more" in folder.out
    (bridge,) = told["connections"]
    assert (told["in_sync"], bridge["sources"][0]["missing"]) == (False, 1)
    assert bridge["current"]["text"] == "not current: 1 file not on the drive any more"


def test_missing_files_that_are_too_many_to_be_named_are_counted(office: Office) -> None:
    """Files that a person let go vanished from status until they counted as gone."""
    lacking = SourceRow(CAD, "d1", approved=True, missing_count=1500, missed_unnamed=1500)
    remember(office, Decision(files=(synced("a.dgn"),), sources=(lacking,)))

    with office.daemon_runs():
        shown, of_file = office.types("status"), office.types("status", f"{CAD}/a.dgn")

    assert (shown.code, of_file.code) == (1, 1)
    assert f"{CAD}: 1,500 files not on the drive any more" in shown.out
    assert "put them back if that is not meant; looked for once more, and then" in shown.out
    assert "perhaps it is one of 1,500 files not on the drive any more" in of_file.out


def test_a_source_whose_first_file_is_being_written_has_a_match(office: Office) -> None:
    """`status` sent a person to look for a mistake in the patterns five seconds after a start."""
    waiting = UnsettledFile(CAD, "open.dgn", time.time() - 3.0, "it keeps changing")
    remember(office, unsettled=1, unsettled_files=[waiting])

    assert "no file matches" not in status(office).out


def test_a_synced_file_is_not_said_to_be_so_since_it_settled(office: Office) -> None:
    """Without a daemon "it is so since" named the time of the save for the state of the sync."""
    office.remember(Decision(files=(synced("a.dgn"),)))

    shown = office.types("status", f"{CAD}/a.dgn").out

    assert "synced when it was last read, but changes" in shown
    assert f"its content settled on the drive {clock_time(SINCE_S)}" in shown


def test_a_file_written_elsewhere_does_not_concern_another_connection(office: Office) -> None:
    """What another project writes says nothing about this one."""
    two_connections(office)
    waiting = UnsettledFile(CAD, "open.dgn", SINCE_S, "it keeps changing")
    remember(office, unsettled=1, unsettled_files=[waiting])

    roof, bridge = status(office, "Roof"), status(office, "Bridge 12")

    assert (roof.code, "open.dgn" in roof.out) == (0, False)
    assert (bridge.code, "open.dgn" in bridge.out) == (1, True)


def test_many_connections_fit_on_a_screen(office: Office) -> None:
    """A thousand projects that are well must not hide the one that is not."""
    names = [f"Project {number:03}" for number in range(30)]
    folders = [office.folder / f"p{number}" for number in range(30)]
    for folder in folders:
        folder.mkdir()
    blocks = [
        ROOF.replace('"Roof"', f'"{name}"').replace('"bim"', f'"{folder.name}"')
        for name, folder in zip(names, folders, strict=True)
    ]
    office.configure(CONFIG + "".join(blocks))
    rows = [
        synced("a.dgn", f"{name}/{folder.name}")
        for name, folder in zip(names, folders, strict=True)
    ]
    compared = tuple(ConnectionRow(name, name, SINCE_S) for name in names)
    remember(office, Decision(files=(aside("a.dgn"), *rows), connections=compared))

    short, whole = status(office).out, status(office, "--all").out

    assert "30 of 31 connections; see all: --all" in short
    assert "Bridge 12  not current" in short
    assert "Project 017" not in short
    assert "Project 017  current" in whole


def test_an_outage_of_many_connections_fits_on_a_screen_too(office: Office) -> None:
    """One reason for each of a thousand is a wall of text, and hides what a person must do."""
    folder = office.folder / "shared"
    folder.mkdir()
    imodel = "1b2c3d4e-1111-4222-8333-{:012d}"
    blocks = [
        ROOF.replace(ROOF_MODEL, imodel.format(number))
        .replace('"Roof"', f'"Project {number:03}"')
        .replace('"bim"', '"shared"')
        for number in range(30)
    ]
    office.configure(CONFIG + "".join(blocks))
    lanes = tuple(
        LaneRow(imodel.format(number), connection=f"Project {number:03}", wait_reason="no answer")
        for number in range(30)
    )
    remember(office, Decision(files=(aside("a.dgn"),), lanes=lanes))

    short, whole = status(office).out, status(office, "--all").out

    assert "set aside" in short
    assert "and 28 more, waiting: see all: --all" in short
    assert len(short.splitlines()) < 50
    assert whole.count("Project 029: waits: no answer") == 1


def test_a_file_says_what_it_waits_for_and_since_when(office: Office) -> None:
    """A drafter asks about one drawing, by the path that the explorer shows."""
    two_connections(office)

    bad = status(office, str(office.drive / "a.dgn"))
    good = status(office, f"{CAD}/b.dgn")
    told = json.loads(status(office, f"{CAD}/a.dgn", "--json").out)

    assert (bad.code, good.code) == (1, 0)
    assert "set aside: no way" in bad.out
    assert f"it is so since {clock_time(SINCE_S)}" in bad.out
    assert "synced: drive, Storage and iModel have the same content" in good.out
    assert (told["synced"], told["needs_person"], told["since_s"]) == (False, True, SINCE_S)


def test_nothing_is_synced_of_a_folder_while_no_daemon_looks(office: Office) -> None:
    """It was, but people may have saved since (P12)."""
    office.remember(Decision(files=(synced("plan/a.dgn"),)))

    file, folder = (office.types("status", f"{CAD}/plan{name}") for name in ("/a.dgn", ""))
    told = json.loads(office.types("status", f"{CAD}/plan", "--json").out)

    words = f"changes on the drive since {clock_time(1_700_000_060.0)} are not known"
    assert (file.code, folder.code) == (1, 1)
    assert words in file.out
    assert words in folder.out
    assert (told["synced"], told["known"]) == (False, 1)


@pytest.mark.parametrize("path", ["{drive}/plan", "Bridge 12/cad/plan/"])
def test_a_folder_counts_and_names_what_is_left_below_it(office: Office, path: str) -> None:
    """Files of other folders, even with a like name, are not counted."""
    paths = ("plan/a.dgn", "plan/sub/b.dgn", "plan2/c.dgn", "c.dgn")
    remember(
        office, Decision(files=(*map(synced, paths[:2]), aside("plan/x_y.dgn"), aside("p.dgn")))
    )

    shown = status(office, path.format(drive=office.drive))

    assert shown.code == 1
    assert "not synced: 1 of 3 files" in shown.out
    assert "plan/x_y.dgn  set aside: no way, since" in shown.out
    assert "p.dgn" not in shown.out.replace("plan/x_y.dgn", "")


def test_a_whole_source_is_a_folder_too(office: Office) -> None:
    """As `status` prints it, or as the explorer shows it."""
    remember(office, Decision(files=(synced("a.dgn"), synced("plan/b.dgn"))))

    shown = [status(office, path) for path in (CAD, str(office.drive))]

    assert [each.code for each in shown] == [0, 0]
    assert ["synced: 2 files, nothing is left" in each.out for each in shown] == [True, True]


def test_a_path_that_nobody_knows_is_no_success(office: Office) -> None:
    """A slip of the pen must not be reported as synced (P12)."""
    remember(office, Decision(files=(synced("a.dgn"),)))

    shown = status(office, f"{CAD}/b.dgn")

    assert shown.code != 0
    assert "nothing is known of" in shown.err
    assert "twinsyncd explain" in shown.err


def test_who_has_a_file_open_is_shown_with_the_file(office: Office) -> None:
    """Whoever waits for a drawing calls the one who has it; a lock file says who."""
    office.save("a.dwg")
    os.utime(office.save("a.dwl", b"anna\nPC-17\n"), (SINCE_S, SINCE_S))
    remember(office, Decision(files=(synced("a.dwg"), synced("b.dwg"))))
    expected = str(Holder("anna on PC-17", "AutoCAD", "a.dwl", SINCE_S))

    shown = [office.types(word, f"{CAD}/a.dwg").out for word in ("status", "explain")]
    other = status(office, f"{CAD}/b.dwg").out
    values = json.loads(status(office, "--json", f"{CAD}/a.dwg").out)

    assert [expected in each for each in shown] == [True, True]
    assert "open in" not in other
    assert values["open_by"] == expected


def test_a_file_that_waits_until_it_is_closed_needs_nobody(office: Office) -> None:
    """With only_closed a drawing that is open all day is no alarm, and no file to be mended."""
    reason = "open in AutoCAD by anna since 2026-11-27 09:14: /cad/a.dwg; it is taken once closed"
    waits = replace(synced("a.dwg"), unread=reason, aside_since_s=SINCE_S, seen="v2")
    remember(office, Decision(files=(waits,)))

    shown = status(office)
    values = json.loads(status(office, "--json", f"{CAD}/a.dwg").out)

    assert "waits until it is closed" in shown.out
    assert "retry" not in shown.out
    assert (values["synced"], values["needs_person"], values["since_s"]) == (False, False, SINCE_S)
    assert values["state"] == f"waits until it is closed: {reason.replace(': /cad/a.dwg', '')}"


def test_watching_needs_a_terminal(office: Office) -> None:
    """In a pipe it would write screens for ever."""
    remember(office, Decision(files=(synced("a.dgn"),)))

    shown = status(office, "--watch")

    assert (shown.code, shown.out) == (1, "")
    assert "--watch needs a terminal" in shown.err


def test_watching_shows_every_change_and_survives_a_journal_that_is_away(office: Office) -> None:
    """It stands on a second screen for weeks."""
    config = load(office.config)
    remember(office, Decision(files=(synced("a.dgn"),)))
    steps = iter(("look", "away", "changed"))

    def read() -> OverallState:
        step = next(steps)
        if step == "away":
            raise JournalError("the disk is away")
        if step == "changed":
            remember(office, Decision(files=(aside("b.dgn"),)))
        return read_overall_state(config)

    waits = iter((False, False, True))
    out = io.StringIO()
    environment = {"TERM": "xterm"}
    terminal = Console(file=out, force_terminal=True, width=100, height=50, _environ=environment)
    last = watching(terminal, lambda s: screen(s, 20, every=False), read, lambda _: next(waits))

    shown = out.getvalue()
    first, away, changed = (
        shown.index(each) for each in ("Bridge 12", "the disk is away", "1 thing needs")
    )
    assert first < away < changed
    assert not last.report.in_sync


def test_a_terminal_that_cannot_move_its_cursor_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing at all was shown on it, for ever."""
    monkeypatch.setenv("TERM", "dumb")

    with pytest.raises(AppError, match="move its cursor"):
        watching(Console(force_terminal=True), str, lambda: pytest.fail("read"), lambda _: True)


def test_a_watch_of_what_was_never_started_says_so(office: Office) -> None:
    """An empty screen would look like nothing to do."""
    terminal = Console(file=io.StringIO(), force_terminal=True, _environ={"TERM": "xterm"})

    def read() -> OverallState:
        raise JournalError("there is no journal")

    with pytest.raises(AppError, match="no journal"):
        watching(terminal, str, read, lambda _: True)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the lock of the machine")
def test_a_second_daemon_elsewhere_is_named_and_not_called_stopped(office: Office) -> None:
    """The service runs, and a shell with another state folder says "never started"."""
    office.remember(Decision(files=(synced("a.dgn"),)))

    with serving_alone(load(office.config)):
        shown = office.types("status")
    alone = office.types("status")

    assert shown.code == 1
    assert shown.out.startswith("1 thing needs a person")
    assert 'another twinsyncd on this machine serves "Bridge 12"' in shown.out
    assert "ask with the configuration of that one" in shown.out
    assert "kept out" not in alone.out


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the lock of the machine")
@pytest.mark.parametrize("command", ["retry", "pause", "resume"])
def test_a_request_that_a_daemon_elsewhere_never_sees_is_refused(
    command: str, office: Office
) -> None:
    """It would lie in another journal for ever, and the command said that it is done."""
    office.remember(Decision(files=(synced("a.dgn"),)))

    with serving_alone(load(office.config)):
        refused = office.types(command)
    alone = office.types(command)

    assert (refused.code, alone.code) == (1, 0)
    assert 'serves the connection "Bridge 12", with another state folder' in refused.err
