# mypy: disable-error-code="arg-type,list-item"
# Keys, ids and digests are written as plain text here.
"""The command line: exit codes for programs, words for people, and nothing started in vain."""

from __future__ import annotations

import hashlib
import io
import json
import sys
import threading
import time
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from cli_scene import CAD, CONFIG, IMODEL, Office
from filelock import FileLock

from twinsyncd import __version__
from twinsyncd.cli import main
from twinsyncd.config import load
from twinsyncd.core.decision import Decision
from twinsyncd.core.events import Event, EventKind
from twinsyncd.core.model import (
    STAYS,
    BlindSpot,
    ConnectionKey,
    ConnectionRow,
    FileKey,
    FileRow,
    Fingerprint,
    LaneRow,
    Phase,
    SourceRow,
)
from twinsyncd.core.progress import UnsettledFile
from twinsyncd.core.results import Outcome, RunRecord
from twinsyncd.errors import how_to_install
from twinsyncd.runtime.formatting import clock_time
from twinsyncd.runtime.state import is_running
from twinsyncd.runtime.trouble import Trouble, TroubleFile

LOOK = Fingerprint(7, 1_700_000_000_000_000_000, 1)
A = FileKey(CAD, "a.dgn")
BLIND = SourceRow(CAD, "d", blind=(BlindSpot("a.dgn", "no"),), blind_count=1)
SYNCED = FileRow(A, LOOK, "v1", "v1", "v1", storage_id="i", in_connection=True)
COMMANDS = [["run"], ["sync"], ["status"], ["check", "--offline"], ["sync", "--dry-run"], ["retry"]]


@pytest.fixture
def office(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Office:
    """A configured office where nothing was ever started."""
    return Office(tmp_path, monkeypatch, capsys)


def remembered(file: Path, synced: bool = True) -> FileRow:
    """Return the row of a file as it lies on the drive."""
    found = file.stat()
    look = Fingerprint(found.st_size, found.st_mtime_ns, found.st_ino, found.st_ctime_ns)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    row = FileRow(FileKey(CAD, file.name), look, digest, storage_id="i", in_connection=True)
    return FileRow(
        row.key, look, digest, digest, digest if synced else "", storage_id="i", in_connection=True
    )


def test_a_sign_that_a_pipe_cannot_show_ends_no_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows a pipe has a code page; `status | findstr` ended with an error at an arrow."""
    pipe = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(pipe, "cp1252", write_through=True))
    monkeypatch.setattr(sys, "argv", ["twinsyncd", "--version"])

    main()
    sys.stdout.write("ü → Ł\n")

    assert pipe.getvalue().splitlines()[-1] == b"\xfc ? ?"


# ---- what could not be read ---------------------------------------------------------------


def test_what_could_not_be_read_is_named_and_is_not_in_sync(office: Office) -> None:
    """A folder of mode 000 is not proven, however well the other files are (P12)."""
    spot = BlindSpot("secret", "Permission denied")
    source = SourceRow(CAD, "drive", blind=(spot,), blind_count=3, blind_since_s=1_700_000_000.0)
    office.remember(Decision(files=(SYNCED,), sources=(source,)))

    printed = office.types("status")

    assert printed.code == 1
    assert "3 paths cannot be read; secret" in printed.out
    assert "secret: Permission denied" in printed.out
    assert "let the account that twinsyncd runs as read them" in printed.out


def test_a_link_is_not_mended_by_rights(office: Office) -> None:
    """Who is sent to grant rights that are there already looks in the wrong place."""
    spot = BlindSpot("plan.dgn", "it is a symbolic link, which is not followed; exclude it")
    source = SourceRow(CAD, "drive", blind=(spot,), blind_count=1, blind_since_s=1_700_000_000.0)
    office.remember(Decision(files=(SYNCED,), sources=(source,)))

    printed = office.types("status")

    assert "plan.dgn: it is a symbolic link, which is not followed; exclude it" in printed.out
    assert "let the account" not in printed.out


def test_links_and_unreadable_files_are_mended_each_in_its_way(office: Office) -> None:
    """Beside one unreadable folder, a link was to be mended by rights that it has."""
    link = BlindSpot("plan.dgn", "it is a symbolic link, which is not followed; exclude it")
    spots = (link, BlindSpot("secret", "Permission denied"))
    office.remember(
        Decision(files=(SYNCED,), sources=(SourceRow(CAD, "d", blind=spots, blind_count=2),))
    )

    fix = "do what is said there, and let the account that twinsyncd runs as read the others"
    assert fix in office.types("status").out


def test_what_tries_a_file_again_names_it(office: Office) -> None:
    """`twinsyncd retry` alone tries every file that is set aside."""
    aside = FileRow(A, LOOK, "v2", "v1", "v1", aside="the service refuses it")
    unread = FileRow(FileKey(CAD, "b.dgn"), unread="cannot read /d/b.dgn: Input/output error")
    office.remember(Decision(files=(aside, unread)))

    shown = office.types("status").out

    assert f'try it again as it is: twinsyncd retry "{CAD}/a.dgn"' in shown
    assert "b.dgn: cannot be read: Input/output error" in shown
    assert (
        f'make it readable; that is noticed by itself, at once by: twinsyncd retry "{CAD}/b.dgn"'
        in shown
    )


def test_a_source_that_is_not_watched_is_named_with_the_remedy(office: Office) -> None:
    """A limit of the kernel is raised by whoever reads of it."""
    source = SourceRow(CAD, "drive", watch_trouble="raise it with 'sysctl -w x=1'")
    office.remember(Decision(files=(SYNCED,), sources=(source,)))

    printed = office.types("status")

    assert f"{CAD}: changes are noticed by scans alone: raise it with 'sysctl" in printed.out


# ---- a configuration that cannot be used --------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_bad_configuration_starts_nothing_and_says_how_to_mend_it(
    office: Office, command: list[str]
) -> None:
    """File, line, key and fix: what a person needs who has never seen the file (exit code 2)."""
    office.configure(CONFIG.replace('client_id = "service-abc"', 'client_idd = "service-abc"'))

    printed = office.types(*command)

    assert printed.code == 2
    assert printed.out == ""
    assert "nothing was started" in printed.err
    assert f"{office.config}:2: auth.client_idd" in printed.err
    assert "fix: " in printed.err
    assert "client_id" in printed.err
    assert not office.state.exists()


def test_every_mistake_is_told_at_once(office: Office) -> None:
    """Mending one to be told the next is how an afternoon is lost."""
    office.configure(CONFIG.replace("client_id", "clientid").replace("itwin_id", "itwinid"))

    printed = office.types("status")

    assert printed.code == 2
    assert "has 2 mistakes" in printed.err
    assert printed.err.count("fix: ") >= 2


def test_no_secret_is_printed_with_a_complaint(office: Office) -> None:
    """Complaints are pasted into tickets (P11)."""
    office.configure(CONFIG.replace("[daemon]", 'client_secret = "s3cr3t"\nport = 1\n\n[daemon]'))

    printed = office.types("status")

    assert printed.code == 2
    assert "s3cr3t" not in printed.err + printed.out
    assert "hunter2" not in printed.err + printed.out


def test_a_configuration_that_is_not_there_is_a_mistake_with_a_fix(office: Office) -> None:
    """The places that were looked at are named."""
    office.config.unlink()

    printed = office.types("status")

    assert printed.code == 2
    assert str(office.config) in printed.err
    assert "--config FILE" in printed.err
    assert "twinsyncd init" in printed.err, "who has just installed it has none yet"


def test_a_configuration_is_named_by_option_or_environment(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Services are set up by either; the option wins."""
    office.save("a.dgn")
    other = office.folder / "other.toml"
    office.config.rename(other)

    assert office.types("check", "--offline", "--config", str(other)).code == 0
    monkeypatch.setenv("TWINSYNCD_CONFIG", str(other))
    assert office.types("check", "--offline").code == 0
    assert office.types("check", "--offline", "-c", str(office.config)).code == 2


@pytest.mark.parametrize("words", [["dance"], ["status", "--nope"], ["sync", "--timeout", "0"]])
def test_words_that_mean_nothing_end_with_code_2(office: Office, words: list[str]) -> None:
    """A mistyped unit file must not look like a failed sync."""
    printed = office.types(*words)

    assert printed.code == 2
    assert not office.state.exists()


def test_the_version_is_told_and_nothing_else(office: Office) -> None:
    """Deployment tools compare it."""
    assert office.types("--version").out == f"twinsyncd {__version__}\n"


def test_the_bulk_demo_names_the_part_that_is_not_installed(
    office: Office, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The README's first installation has localtwin, but not what reads export files."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    printed = office.types("demo", "--bulk", "--folder", str(tmp_path / "demo"))

    assert printed.code == 1
    assert how_to_install("bulk") in printed.err
    assert not (tmp_path / "demo").exists(), "nothing is begun that cannot end"


# ---- status -------------------------------------------------------------------------------


def test_a_status_before_the_first_start_says_what_to_do(office: Office) -> None:
    """It is the first thing people type, and it must not create what it looks for."""
    printed = office.types("status")

    assert printed.code == 1
    assert "there is no journal" in printed.err
    assert "twinsyncd sync" in printed.err, "who has no daemon yet syncs once"
    assert "twinsyncd run" in printed.err
    assert not office.state.exists()


def test_a_status_of_a_damaged_journal_is_words(office: Office) -> None:
    """The one who reads it cannot read a traceback."""
    office.state.mkdir()
    (office.state / "journal.sqlite").write_bytes(b"no database " * 500)

    printed = office.types("status")

    assert printed.code == 1
    assert printed.err.startswith("twinsyncd: ")
    assert "cannot be used" in printed.err


def test_all_synced_is_exit_code_0(office: Office) -> None:
    """Monitoring asks for the code alone."""
    run = RunRecord(IMODEL, "Bridge 12", "run-1", Outcome.SUCCEEDED, 10.0, 95.0, 1)
    all_synced = Decision(files=(SYNCED,), lanes=(LaneRow(IMODEL),), history=(run,))
    office.remember(all_synced, beat_s=time.time())

    with office.daemon_runs():
        printed = office.types("status")

    assert printed.code == 0
    assert printed.out.startswith("In sync: every file that can match")
    assert "Bridge 12  current" in printed.out
    assert "no run active" in printed.out
    assert f"{CAD}: 1 of 1 file synced\n" in printed.out
    assert "are not known" not in printed.out
    assert "Bridge 12  succeeded in 1 min 25 s, 1 changed file" in printed.out
    assert "on their way" not in printed.out


@pytest.mark.parametrize("runs", [False, True], ids=["stopped", "hangs"])
def test_while_nobody_looks_at_the_drive_nothing_is_in_sync(office: Office, runs: bool) -> None:
    """A service that died in the evening was "in sync", exit code 0, in the morning (P12)."""
    office.remember(Decision(files=(SYNCED,), lanes=(LaneRow(IMODEL),)))
    beat = clock_time(1_700_000_060.0)

    with office.daemon_runs() if runs else nullcontext():
        printed = office.types("status")
        values = json.loads(office.types("status", "--json").out)
        explained = office.types("explain", str(office.drive / "a.dgn"))

    assert printed.code == explained.code == 1
    assert f"changes on the drive since {beat} are not known: " in printed.out
    assert ("restart it" if runs else "twinsyncd sync") in printed.out
    assert f"{CAD}: 1 of 1 file synced as of {beat}\n" in printed.out
    assert (values["in_sync"], values["unseen_since_s"]) == (False, 1_700_000_060.0)
    assert f"synced when it was last read, but changes on the drive since {beat}" in explained.out


def test_a_daemon_without_its_journal_claims_nothing_of_what_came_since(office: Office) -> None:
    """A full state disk: new files lay there unseen beside "1 of 1 file synced" (P12, P15)."""
    office.remember(Decision(files=(SYNCED,), lanes=(LaneRow(IMODEL),)), beat_s=time.time())
    TroubleFile(office.state).write(Trouble("database or disk is full", 1_700_000_000.0))
    since = clock_time(1_700_000_000.0)

    with office.daemon_runs():
        printed = office.types("status")

    assert printed.code == 1
    assert "database or disk is full" in printed.out
    assert f"changes on the drive since {since} are not known" in printed.out
    assert f"{CAD}: 1 of 1 file synced as of {since}\n" in printed.out
    assert "the daemon goes on by itself, without a restart" in printed.out
    assert "restart it" not in printed.out


def test_a_daemon_that_opens_a_locked_journal_starts_and_does_not_hang(office: Office) -> None:
    """Status named the process before, which had ended long ago, and said to restart it."""
    office.remember(Decision(files=(SYNCED,), lanes=(LaneRow(IMODEL),)))
    TroubleFile(office.state).write(Trouble("it opens its journal", 1_700_000_100.0, is_start=True))
    since = clock_time(1_700_000_100.0)

    with office.daemon_runs():
        printed = office.types("status")

    assert printed.code == 1
    assert printed.out.startswith("Starting: what is shown is as the daemon before left it")
    assert f"starting since {since}: it opens its journal" in printed.out
    assert "known: the daemon looks once it has started" in printed.out
    assert f"changes on the drive since {clock_time(1_700_000_060.0)} are not known" in printed.out
    assert "hangs" not in printed.out
    assert "restart" not in printed.out


def test_content_that_stays_in_the_imodel_is_counted_after_its_file_was_forgotten(
    office: Office,
) -> None:
    """The iModel holds more than the drive, which "in sync" must not hide (P12)."""
    left = FileRow(FileKey(CAD, "b.dgn"), note=STAYS)
    never = FileRow(FileKey(CAD, "c.dgn"))
    office.remember(Decision(files=(SYNCED, left, never)), beat_s=time.time())

    printed = office.types("status")

    assert "1 gone or excluded, kept in the iModel" in printed.out


def test_a_source_in_which_no_file_matches_any_more_is_not_in_sync(office: Office) -> None:
    """Another connector left all files out, and sync agreed "on 0 files" with exit code 0."""
    left_out = FileRow(A, None, "", "v1", "v1", storage_id="i", in_connection=True)
    office.remember(Decision(files=(left_out,)), beat_s=time.time())

    with office.daemon_runs():
        printed = office.types("status")

    assert printed.code == 1
    assert f"{CAD}: no file matches any more; 1 file kept in the iModel" in printed.out
    assert "connector, or delete this source from the configuration if" in printed.out


def test_a_refused_content_is_not_called_nothing_where_storage_has_an_earlier_one(
    office: Office,
) -> None:
    """Whoever read "stored nothing" looked for the file in Storage, where it was."""
    office.remember(Decision(files=(replace(SYNCED, seen="v2", stored="", aside="refused"),)))

    printed = office.types("explain", f"{CAD}/a.dgn")

    assert "  stored   not this content\n" in printed.out


def test_what_was_not_looked_at_since_the_start_is_not_in_sync(office: Office) -> None:
    """Changes of the night were "in sync" until the first scan of a large share had ended (P12)."""
    office.remember(Decision(files=(SYNCED,)), beat_s=time.time(), unlisted=[CAD])

    with office.daemon_runs():
        printed = office.types("status")
        explained = office.types("explain", str(office.drive / "a.dgn"))

    assert printed.code == explained.code == 1
    assert f"{CAD}: not looked at since the daemon started" in printed.out
    assert "has not been looked at since the daemon started" in explained.out


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (Decision(sources=(SourceRow(CAD, "d", "share is away"),)), "held: share is away"),
        (Decision(sources=(BLIND,)), "nobody can look: a.dgn: no"),
        (Decision(), ""),
    ],
    ids=["away", "blind", "well"],
)
def test_a_file_that_nobody_can_look_at_is_not_explained_as_synced(
    office: Office, state: Decision, words: str
) -> None:
    """Its content may have changed behind the share that is away (P12)."""
    office.remember(Decision(files=(SYNCED,)), state, beat_s=time.time())

    with office.daemon_runs():
        printed = office.types("explain", str(office.drive / "a.dgn"))

    assert printed.code == (1 if words else 0)
    assert words in printed.out


@pytest.mark.parametrize("command", [("status",), ("status", "--json")])
def test_files_that_are_still_being_written_are_not_in_sync(
    office: Office, command: tuple[str, ...]
) -> None:
    """Nobody knows their content yet, so nobody may say that it is in the iModel (P12)."""
    office.remember(Decision(files=(SYNCED,), lanes=(LaneRow(IMODEL),)), unsettled=3)

    printed = office.types(*command)

    assert printed.code == 1
    assert "3 files still settling" in printed.out or '"in_sync": false' in printed.out


def test_a_source_in_which_nothing_ever_matched_is_not_in_sync(office: Office) -> None:
    """A slip in a pattern must not look like a finished job (P12)."""
    office.remember(Decision(lanes=(LaneRow(IMODEL),)))

    printed = office.types("status")

    assert printed.code == 1
    assert f"{CAD}: no file matches" in printed.out


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (Decision(files=(FileRow(A, LOOK, "v1"),)), "a.dgn  to be uploaded"),
        (Decision(files=(FileRow(A, LOOK, "v1", aside="bad name"),)), "set aside: bad name"),
        (Decision(files=(FileRow(A, unread="locked"),)), "cannot be read: locked"),
        (Decision(sources=(SourceRow(CAD, "d", "share is away"),)), f"{CAD}: share is away"),
        (Decision(lanes=(LaneRow(IMODEL, halt="no right"),)), "halted: no right"),
    ],
    ids=["to store", "aside", "unread", "offline", "halted"],
)
def test_whatever_is_not_synced_is_told_and_is_exit_code_1(
    office: Office, step: Decision, words: str
) -> None:
    """Each state has its own words, and the reason with it."""
    office.remember(Decision(files=(SYNCED,)), step)

    printed = office.types("status")

    assert printed.code == 1
    assert words in printed.out


@pytest.mark.parametrize(
    ("phase", "usual_s", "words"),
    [
        (Phase.RUNNING, 720.0, "run takes longer than usual: 2 h 10 min, usually 12 min; see"),
        (Phase.RUNNING, 0.0, "run takes longer than usual: 2 h 10 min; see run run-7"),
        (Phase.BLOCKED, 720.0, "keeps ours waiting: 2 h 10 min; ours usually take 12 min"),
        (Phase.BLOCKED, 0.0, "somebody else's run keeps ours waiting: 2 h 10 min; see run run-7"),
        (Phase.RUNNING, None, "a run of ours is active"),
    ],
)
def test_a_run_that_takes_too_long_is_told_with_what_is_usual(
    office: Office, phase: Phase, usual_s: float | None, words: str
) -> None:
    """A person decides whether to look into it; the daemon goes on watching."""
    since_s = time.time() - 7_830.0
    lane = LaneRow(IMODEL, phase, "Bridge 12", "run-7", since_s=since_s, usual_s=usual_s)
    office.remember(Decision(files=(SYNCED,), lanes=(lane,)))

    assert words in office.types("status").out


def test_a_lane_that_waits_says_for_what_and_until_when(office: Office) -> None:
    """An outage, a limit and a full Storage are mended in different ways."""
    until_s = time.time() + 110.0
    lane = LaneRow(IMODEL, attempts=3, not_before_s=until_s, wait_reason="503: maintenance")
    office.remember(Decision(files=(SYNCED,), lanes=(lane,)))

    with office.daemon_runs():
        assert "waits: 503: maintenance; next try in 1 min " in office.types("status").out
    printed = office.types("status").out

    assert "503: maintenance; tried again once a daemon runs, or now by `twinsyncd sync`" in printed


def test_a_lane_that_is_tried_again_right_now_still_says_why_it_waited(office: Office) -> None:
    """Until a call succeeds the outage lasts: "no run active" would hide it."""
    past_s = time.time() - 1.0
    lane = LaneRow(IMODEL, attempts=3, not_before_s=past_s, wait_reason="503: maintenance")
    office.remember(Decision(files=(SYNCED,), lanes=(lane,)))

    with office.daemon_runs():
        assert "waits: 503: maintenance; the next try is due" in office.types("status").out


@pytest.mark.parametrize("stored", ["", "v1"], ids=["to store", "to run"])
def test_a_file_whose_last_try_brought_nothing_says_why_and_when_again(
    office: Office, stored: str
) -> None:
    """A run that skips a file succeeds all the same, so nothing else would say it."""
    skipped = replace(
        SYNCED,
        seen="v1",
        stored=stored,
        synced="",
        attempts=1,
        note="the run did not process this file",
        next_try_s=time.time() + 50.0,
    )
    office.remember(Decision(files=(skipped,), lanes=(LaneRow(IMODEL),)))

    with office.daemon_runs():
        printed = office.types("status")

    assert printed.code == 1
    assert "the run did not process this file; next try in " in printed.out


def test_a_halted_lane_says_when_it_tries_again(office: Office) -> None:
    """Whoever mended it must know that nothing else is to be done."""
    lane = LaneRow(IMODEL, halt="no right", not_before_s=time.time() + 230.0)
    office.remember(Decision(files=(SYNCED,), lanes=(lane,)))

    with office.daemon_runs():
        printed = office.types("status").out

    assert printed.count("no right") == 1, "one reason is read once"
    assert "halted: no right; tried again in 3 min " in printed
    assert "\n  halted, see above\n" in printed


def test_a_lane_that_never_ran_says_since_when_it_is_halted(office: Office) -> None:
    """A wrong secret on the first day was the one trouble without a time."""
    lane = LaneRow(IMODEL, halt="wrong secret")
    halted = Event(EventKind.LANE_HALTED, 1_700_000_000.0, "Bridge 12", text="wrong secret")
    office.remember(Decision(files=(SYNCED,), lanes=(lane,), events=(halted,)))

    printed = office.types("status").out

    assert f"    since {clock_time(1_700_000_000.0)} (" in printed


def test_starts_in_vain_say_since_when(office: Office) -> None:
    """Of all that a connection waits for, this was shown without a time."""
    waits = LaneRow(
        IMODEL, connection="Bridge 12", fruitless=3, not_before_s=time.time() + 60, since_s=5.0
    )
    of = "Bridge 12"
    events = (
        Event(EventKind.RUN_STARTED, 1_600_000_000.0, of),
        Event(EventKind.RUN_ENDED, 1_600_000_001.0, of),
        Event(EventKind.RUN_STARTED, 1_700_000_000.0, of),
        Event(EventKind.RUN_LOST, 1_700_000_009.0, of),
        Event(EventKind.RUN_BLOCKED, 1_700_000_020.0, of),
    )
    office.remember(Decision(files=(SYNCED,), lanes=(waits,), events=events))

    with office.daemon_runs():
        printed = office.types("status").out

    assert "waits: earlier starts brought no run of ours; next try in " in printed
    assert f"    since {clock_time(1_700_000_000.0)} (" in printed


def test_a_trouble_does_not_begin_before_the_newest_run(office: Office) -> None:
    """A `retry` ended the first without an event, so the second was said to be as old."""
    lane = LaneRow(IMODEL, connection="Bridge 12", wait_reason="HTTP 503")
    of = "Bridge 12"
    events = (
        Event(EventKind.LANE_HALTED, 1_600_000_000.0, of, text="no right"),
        Event(EventKind.RUN_STARTED, 1_600_000_100.0, of),
        Event(EventKind.LANE_WAITS, 1_700_000_000.0, of, text="HTTP 503"),
    )
    office.remember(Decision(files=(SYNCED,), lanes=(lane,), events=events))

    printed = office.types("status").out

    assert f"    since {clock_time(1_700_000_000.0)} (" in printed


def test_nothing_is_tried_again_by_itself_while_no_daemon_runs(office: Office) -> None:
    """ "Tried again in 5 min" let people wait for nobody."""
    lane = LaneRow(IMODEL, halt="wrong secret", not_before_s=time.time() + 230.0)
    office.remember(Decision(files=(SYNCED,), lanes=(lane,)))

    printed = office.types("status").out

    assert "wrong secret; tried again once a daemon runs, or now by `twinsyncd sync`" in printed
    assert "tried again in" not in printed


def test_what_was_never_in_the_cloud_was_not_compared_with_it(office: Office) -> None:
    """With a wrong secret, `status` said "compared with the cloud 5 s ago"."""
    nothing = ConnectionRow("Bridge 12", "", time.time())
    office.remember(
        Decision(files=(replace(SYNCED, stored="", synced=""),), connections=(nothing,))
    )

    printed = office.types("status").out

    assert "nothing in the cloud yet" in printed
    assert "compared with the cloud" not in printed


def test_files_that_are_still_being_written_are_named(office: Office) -> None:
    """Since when, and what they wait for: a drawing may be open over night."""
    since_s = time.time() - 1_800.5
    waiting = UnsettledFile(CAD, "open.dgn", since_s, "it keeps changing")
    office.remember(Decision(files=(SYNCED,)), unsettled=1, unsettled_files=[waiting])

    with office.daemon_runs():
        shown = office.types("status")

    assert shown.code == 1
    assert f"{CAD}/open.dgn  for 30 min" in shown.out
    assert "it keeps changing" in shown.out


def test_a_file_that_was_set_aside_is_shown_in_one_state(office: Office) -> None:
    """After a restart it was "still settling" above, and "set aside" below."""
    aside = FileRow(A, LOOK, "v2", "v1", "v1", aside="the service refuses it")
    again = UnsettledFile(CAD, "a.dgn", time.time() - 30.0, "its quiet time")
    office.remember(Decision(files=(aside,)), unsettled=2, unsettled_files=[again])

    with office.daemon_runs():
        shown = office.types("status").out
        told = json.loads(office.types("status", "--json").out)

    assert "a.dgn: set aside: the service refuses it; it is being looked at once more" in shown
    assert shown.count("a.dgn: ") == 1
    assert "        1 file still settling" in shown
    assert (told["files_unsettled"], told["unsettled_files"]) == (1, [])


def test_an_outage_is_one_reason_on_the_screen(office: Office) -> None:
    """Runs and the comparison with the cloud wait for the same, which was printed twice."""
    lane = LaneRow(IMODEL, wait_reason="no route to host", not_before_s=time.time() + 100.0)
    failed = ConnectionRow("Bridge 12", "c1", compare_failed="no route to host")
    office.remember(Decision(files=(SYNCED,), lanes=(lane,), connections=(failed,)))

    with office.daemon_runs():
        shown = office.types("status").out

    assert shown.count("no route to host") == 1
    assert "cannot be compared with the cloud, for the same reason; " in shown


def test_files_that_are_still_being_written_are_named_for_programs(office: Office) -> None:
    """A number alone sends nobody to the open drawing; and its connection is not current."""
    since_s = time.time() - 3_600.5
    waiting = UnsettledFile(CAD, "open.dgn", since_s, "it keeps changing")
    office.remember(Decision(files=(SYNCED,)), unsettled=1, unsettled_files=[waiting])

    told = json.loads(office.types("status", "--json").out)

    named = {"source": CAD, "path": "open.dgn", "awaits": "it keeps changing", "since_s": since_s}
    assert [named] == told["unsettled_files"]
    current = told["connections"][0]["current"]
    assert current["text"] == "not current: 1 file still settling"


def test_what_was_never_compared_with_the_cloud_is_not_in_sync(office: Office) -> None:
    """A journal of an older version assumed what is in Storage."""
    office.remember(Decision(files=(SYNCED,)), compared_s=0.0)

    shown = office.types("status")

    assert shown.code == 1
    assert "not compared with the cloud yet" in shown.out


def test_a_retry_of_a_file_that_nobody_knows_is_refused(office: Office) -> None:
    """It was "tried again now", so a typing error looked like a mended file."""
    office.remember(Decision(files=(SYNCED,)))

    shown = office.types("retry", "cad/typing-eror.dgn")

    assert shown.code == 1
    assert "cad/typing-eror.dgn is not known" in shown.err
    assert office.asked() == []


@pytest.mark.parametrize("refused", [True, False], ids=["refused", "no answer"])
def test_a_connection_whose_comparison_fails_is_not_in_sync(
    office: Office, *, refused: bool
) -> None:
    """All roles were withdrawn while nothing changed: what Storage has is not known."""
    row = ConnectionRow(
        ConnectionKey("Bridge 12"),
        "c1",
        1_700_000_000.0,
        compare_failed="not permitted; ask for a role",
        compare_failed_s=1_700_000_050.0,
        compare_refused=refused,
    )
    office.remember(Decision(files=(SYNCED,), connections=(row,)), beat_s=time.time())

    with office.daemon_runs():
        shown = office.types("status")
        told = json.loads(office.types("status", "--json").out)

    assert shown.code == 1
    assert "In sync" not in shown.out
    assert "cannot be compared with the cloud: not permitted; ask for a role; last" in shown.out
    assert told["connections"][0]["current"]["state"] == "not known"
    people = [each["kind"] for each in told["needs"] if each["needs_person"]]
    assert people == (["not compared"] if refused else [])


@pytest.mark.parametrize("command", [["status"], ["sync", "--dry-run"]], ids=" ".join)
@pytest.mark.parametrize("name", ["plan [old].dgn", "plan [bold].dgn", "plan [/x].dgn"])
def test_brackets_in_a_name_are_printed_as_they_are(
    office: Office, command: list[str], name: str
) -> None:
    """A name shown without its brackets, or that ends in a traceback, cannot be found."""
    office.save(name)
    office.remember(Decision(files=(FileRow(FileKey(CAD, name), LOOK, "v1", aside="no [way]"),)))

    assert name in office.types(*command).out


def test_characters_that_cannot_be_seen_are_shown_in_a_name(office: Office) -> None:
    """A newline in a name would forge a line of the report."""
    key = FileKey(CAD, "a\n  all synced\u202e.dgn")
    office.remember(Decision(files=(FileRow(key, LOOK, "v1"),)))

    printed = office.types("status")

    assert f"{CAD}/a\\u000a  all synced\\u202e.dgn" in printed.out


def test_a_long_list_is_cut_off_and_says_so(office: Office) -> None:
    """A first sync of 20,000 files must not scroll the rest away."""
    rows = tuple(FileRow(FileKey(CAD, f"{n}.dgn"), LOOK, "v1") for n in range(5))
    office.remember(Decision(files=rows))

    printed = office.types("status", "--files", "2")

    assert "on their way  5 files" in printed.out
    assert "and 3 more" in printed.out
    assert printed.out.count(".dgn") == 2


def test_a_status_for_programs_is_json_with_the_same_content(office: Office) -> None:
    """Dashboards are built on it, so its shape is a promise."""
    office.remember(
        Decision(files=(FileRow(A, LOOK, "v1"),), lanes=(LaneRow(IMODEL, Phase.RUNNING),))
    )

    printed = office.types("status", "--json")

    told = json.loads(printed.out)
    assert printed.code == 1
    assert told["running"] is False
    assert told["process"]["version"] == "1.0"
    assert told["connections"][0]["files"]["to_store"] == 1
    assert told["connections"][0]["runs"]["state"] == "a run of ours is active"
    open_file = {"source": CAD, "path": "a.dgn", "state": "to be uploaded", "reason": ""}
    assert [each | open_file for each in told["open_files"]] == told["open_files"]
    assert len(told["open_files"]) == 1
    assert told["files_not_synced"] == 1


def test_a_daemon_that_holds_the_journal_counts_as_running(office: Office) -> None:
    """The lock, not a process number, tells: numbers are reused."""
    office.remember(Decision(files=(SYNCED,)))

    with office.daemon_runs():
        told = json.loads(office.types("status", "--json").out)
        printed = office.types("status")

    assert told["running"] is True
    assert "hangs" in printed.out  # its last sign of life is years old


def test_asking_whether_a_daemon_runs_creates_nothing(office: Office) -> None:
    """A folder made by the way would have the wrong rights for what is kept in it."""
    config = load(office.config)

    assert not is_running(config)
    assert not office.state.exists()


def test_a_sync_beside_a_halted_daemon_says_why_at_once(office: Office) -> None:
    """It would otherwise wait a day for a person who has to act first."""
    office.save("a.dgn")
    office.remember(Decision(files=(SYNCED,)))

    with FileLock(office.state / "twinsyncd.lock"):
        daemon = threading.Thread(target=office.halts_once_asked, args=("no right",))
        daemon.start()
        printed = office.types("sync", "--timeout", "20")
        daemon.join()

    assert printed.code == 1
    assert "not in sync: no right" in printed.out
    assert "not running" not in printed.out


def test_a_sync_beside_a_daemon_in_an_outage_names_the_reason(office: Office) -> None:
    """It waited out its whole time, a day, where it ends in a minute without a daemon."""
    office.save("a.dgn")
    office.remember(Decision(files=(SYNCED,)))
    outage = LaneRow(IMODEL, attempts=6, wait_reason="HTTP 503")

    with FileLock(office.state / "twinsyncd.lock"):
        daemon = threading.Thread(target=office.answers_once_asked, args=(outage,))
        daemon.start()
        printed = office.types("sync", "--timeout", "20")
        daemon.join()

    assert printed.code == 1
    assert "not in sync: HTTP 503; the daemon goes on trying" in printed.out


# ---- check --------------------------------------------------------------------------------


def test_a_check_counts_what_the_sources_match(office: Office) -> None:
    """A glob that matches nothing is the commonest mistake, and looks like success."""
    office.save("a.dgn")
    office.save("level 1/b.dgn")
    office.save("xref/grid.dgn")
    office.save("notes.txt")

    printed = office.types("check", "--offline")

    assert printed.code == 0
    assert "2 source files, 1 reference" in printed.out
    assert "FAIL" not in printed.out
    assert not office.state.exists()


def test_a_check_names_what_cannot_be_read(office: Office) -> None:
    """A drawing that is only a link would be missed in silence for years (P12)."""
    office.save("a.dgn")
    (office.drive / "link.dgn").symlink_to(office.drive / "a.dgn")

    printed = office.types("check", "--offline")

    assert printed.code == 1
    assert "1 source file, 0 references" in printed.out
    assert "link.dgn: it is a symbolic link" in printed.out


def test_a_check_of_a_source_that_matches_nothing_is_no_success(office: Office) -> None:
    """A slip in a pattern looks like a finished job otherwise (P12)."""
    office.save("a.txt")

    printed = office.types("check", "--offline")

    assert printed.code == 1
    assert "no file matches" in printed.out


def test_a_check_of_an_empty_folder_warns_once(office: Office) -> None:
    """A failure and a warning about one thing look like two things to mend."""
    printed = office.types("check", "--offline")

    assert printed.code == 1
    assert "0 references: the folder holds no file yet" in printed.out
    assert "save one there, or correct folder" in printed.out
    assert "takes no file" not in printed.out


def test_a_check_names_the_pattern_of_references_that_takes_nothing(office: Office) -> None:
    """The include is nobody's fault there, least of all one that was never written."""
    office.save("a.dgn")

    printed = office.types("check", "--offline")

    assert '"xref/**" takes no file' in printed.out
    assert "fix: correct the pattern, or delete it" in printed.out


def test_a_check_blames_the_exclude_that_takes_everything(office: Office) -> None:
    """It advised to correct the include, which nobody had written."""
    office.configure(CONFIG.replace("references", 'exclude = ["**"]\n  references'))
    office.save("a.dgn")

    printed = office.types("check", "--offline")

    assert printed.code == 1
    assert "no file matches; the include that comes with the connector: it matches" in printed.out
    assert "make exclude narrower" in printed.out
    assert "takes no file" not in printed.out


def test_a_check_names_references_that_take_every_file(office: Office) -> None:
    """The pattern at fault is not the one under which people look first."""
    office.configure(CONFIG.replace('"xref/**"', '"**/*.dgn"'))
    office.save("a.dgn")

    printed = office.types("check", "--offline")

    assert printed.code == 1
    assert "0 source files, 1 reference: no file matches" in printed.out
    assert "make references narrower: a file that it takes is never a source file" in printed.out


def test_a_check_names_files_that_the_connector_does_not_read(office: Office) -> None:
    """Such a source uploads everything, and no run ever takes any of it."""
    chosen = 'connector = "IFC"\n  include = ["**/*.dwg", "**/*.ifc"]\n  references'
    office.configure(CONFIG.replace("references", chosen))
    office.save("a.dwg")
    office.save("b.ifc")

    printed = office.types("check", "--offline")

    assert '1 file: connector = "IFC" is not known to read .dwg' in printed.out
    assert 'write connector = "DWG" or "AUTOPLANT" or "CIVIL3D" or "MSTN"' in printed.out
    assert "not known to read .ifc" not in printed.out


def test_a_check_names_the_drive_that_cannot_be_read(office: Office) -> None:
    """It is run when something is wrong, so it must say what, and end with 1."""
    office.save("a.dgn")
    office.configure(CONFIG.replace('folder = "cad"', 'folder = "cad/a.dgn"'))

    printed = office.types("check", "--offline")

    assert printed.code in {1, 2}
    assert "cad/a.dgn" in printed.out + printed.err
    assert "fix: " in printed.out + printed.err


# ---- sync --dry-run -----------------------------------------------------------------------


def test_a_rehearsal_without_a_journal_would_upload_everything(office: Office) -> None:
    """It is the first thing a careful person types, before anything was ever synced."""
    office.save("a.dgn", b"x" * 2048)
    office.save("xref/grid.dgn")
    office.save("notes.txt")

    printed = office.types("sync", "--dry-run")

    assert printed.code == 0
    assert f"upload    {CAD}/a.dgn  is new" in printed.out
    assert f"upload    {CAD}/xref/grid.dgn  is new" in printed.out
    assert "notes.txt" not in printed.out
    assert "would upload 2 files (2.0 KiB), then start a run" in printed.out
    assert not office.state.exists()


def test_a_rehearsal_without_a_match_says_so(office: Office) -> None:
    """It looked in the wrong place, and there was no last sync since which nothing changed."""
    office.save("notes.txt")

    printed = office.types("sync", "--dry-run")

    assert printed.code == 1
    assert f"wait      {CAD}  no file matches; see why: twinsyncd check" in printed.out
    assert "nothing" not in printed.out


def test_a_rehearsal_names_what_cannot_be_read(office: Office) -> None:
    """A drawing that nobody can read is not uploaded, so nobody may think that it is (P12)."""
    office.remember(Decision(files=(remembered(office.save("a.dgn")),)))
    (office.drive / "linked.dgn").symlink_to("a.dgn")

    printed = office.types("sync", "--dry-run")

    assert f"wait      {CAD}/linked.dgn  cannot be read: it is a symbolic link" in printed.out
    assert printed.code == 1
    assert "nothing" not in printed.out


def test_a_rehearsal_of_nothing_says_so(office: Office) -> None:
    """Silence could mean that it looked in the wrong place."""
    office.remember(Decision(files=(remembered(office.save("a.dgn")),)))

    printed = office.types("sync", "--dry-run")

    assert printed.code == 0
    assert "nothing to do" in printed.out


def test_a_rehearsal_compares_with_what_is_remembered(office: Office) -> None:
    """What is the same costs nothing, and what is left over from last time is told."""
    same = remembered(office.save("same.dgn"))
    waiting = remembered(office.save("waiting.dgn"), synced=False)
    changed = remembered(office.save("changed.dgn"))
    touched = remembered(office.save("touched.dgn", b"touched"))
    gone = remembered(office.save("gone.dgn"))
    office.remember(Decision(files=(same, waiting, changed, touched, gone)))
    office.save("changed.dgn", b"longer content")
    office.save("touched.dgn", b"touched").touch()
    (office.drive / "gone.dgn").unlink()
    office.save("new.dgn")
    before = (office.state / "journal.sqlite").read_bytes()

    printed = office.types("sync", "--dry-run")

    told = [line.split()[0] + " " + line.split("/")[-1] for line in printed.out.splitlines()[1:-1]]
    assert printed.code == 0
    assert sorted(told) == [
        "nothing gone.dgn  is not on the drive any more; it is kept",
        "nothing touched.dgn  was touched, but its content is the same",
        "replace changed.dgn  has changed",
        "run waiting.dgn  is uploaded already",
        "upload new.dgn  is new",
    ]
    assert "would upload 2 files" in printed.out
    assert (office.state / "journal.sqlite").read_bytes() == before


def test_a_rehearsal_tells_of_each_file_once(office: Office) -> None:
    """A file left over from last time may have changed since, or may be gone."""
    for name in ("changed.dgn", "gone.dgn", "touched.dgn"):
        left = remembered(office.save(name), synced=False)
        office.remember(Decision(files=(left,)))
    office.save("changed.dgn", b"longer content")
    office.save("touched.dgn").touch()
    (office.drive / "gone.dgn").unlink()

    printed = office.types("sync", "--dry-run")

    told = [line.split()[0] + " " + line.split("/")[-1] for line in printed.out.splitlines()[1:-1]]
    assert sorted(told) == [
        "nothing gone.dgn  is not on the drive any more; it is kept",
        "replace changed.dgn  has changed",
        "run touched.dgn  is uploaded already",
    ]


def test_a_rehearsal_of_a_drive_that_is_away_says_that_it_waits(office: Office) -> None:
    """The plan of a sync is then to do nothing, not to delete everything (P7)."""
    office.remember(Decision(files=(remembered(office.save("a.dgn")),)))
    (office.drive / "a.dgn").unlink()

    printed = office.types("sync", "--dry-run")

    assert printed.code == 1
    assert "wait" in printed.out
    assert "is not on the drive any more" not in printed.out


# ---- retry and approve --------------------------------------------------------------------


def test_a_retry_is_left_for_a_daemon_that_is_down(office: Office) -> None:
    """A request is a row, so it works at night and survives a crash."""
    office.remember(Decision(files=(FileRow(A, LOOK, "v1", aside="refused"),)))

    printed = office.types("retry", f"{CAD}/a.dgn")

    assert printed.code == 0
    assert "when the daemon runs next" in printed.out


def test_a_retry_of_everything_says_that_what_is_halted_goes_on_too(office: Office) -> None:
    """Status advises it for a halted iModel, of which no file need have been set aside."""
    printed = office.types("retry")

    assert printed.code == 0
    assert printed.out.startswith(
        "every file that was set aside and every iModel that waits is tried again"
    )
    assert office.asked() == [("retry", "")]


def test_a_connection_is_retried_by_its_name(office: Office) -> None:
    """Whoever has mended a server thinks of the project, not of forty files."""
    aside = FileRow(A, LOOK, "v1", aside="refused")
    office.remember(Decision(files=(aside,)))

    printed = office.types("retry", "Bridge 12")

    assert printed.code == 0, printed.err
    assert "Bridge 12 (1 file) is tried again when the daemon runs next" in printed.out
    assert office.asked() == [("retry", f'["{A.source}", "{A.path}"]')]


def test_a_halted_connection_is_retried_though_no_file_was_set_aside(office: Office) -> None:
    """Its iModel waits; the request names no file, and so wakes that one alone."""
    lane = LaneRow(IMODEL, halt="not permitted")
    office.remember(Decision(files=(SYNCED,), lanes=(lane,)))

    printed = office.types("retry", "Bridge 12")

    assert "Bridge 12 is tried again" in printed.out
    assert office.asked() == [("retry", f'["{CAD}", ""]')]


def test_a_retry_of_a_connection_in_order_says_so(office: Office) -> None:
    """It was called a file in no configured folder, beside a list with its own name."""
    office.remember(Decision(files=(SYNCED,)))

    printed = office.types("retry", "Bridge 12")

    assert (printed.code, office.asked()) == (1, [])
    assert "nothing of Bridge 12 was set aside or is halted" in printed.err


def test_a_retry_of_a_file_in_no_source_is_refused(office: Office) -> None:
    """A typo that is accepted looks like a mended file."""
    office.remember(Decision(files=(SYNCED,)))

    printed = office.types("retry", "elsewhere.dgn")

    assert printed.code == 1
    assert "lies in no configured folder" in printed.err


def test_nothing_to_approve_is_told(office: Office) -> None:
    """Approving in advance would switch the guard off for the day it is needed (P7)."""
    office.remember(Decision(files=(SYNCED,)))

    assert "nothing of Bridge 12 waits" in office.types("approve", "Bridge 12").out
    assert office.types("approve", "Bridge 13").code == 1


def test_an_approval_names_what_it_is_about(office: Office) -> None:
    """A person must see which drive and why before saying that it is meant (P7)."""
    reason = "15 of 20 files are gone at once"
    held = SourceRow(CAD, "drive", reason, needs_person=True, drive="nfs:a:/b", missing_count=15)
    held = replace(held, examples=("old [1]/a.dgn", "old [1]/b.dgn"))
    office.remember(Decision(sources=(held,)))

    printed = office.types("approve", "Bridge 12", "--yes")

    assert printed.code == 0
    assert f"{CAD}: 15 of 20 files are gone at once" in printed.out
    assert "    missing: old [1]/b.dgn\n    and 13 more\n" in printed.out
    assert "up to 15 missing files on the share a:/b (nfs) count as gone" in printed.out
    assert "the next start goes on" in printed.out
    assert office.asked() == [("approve", f'[["{CAD}", "nfs:a:/b", 15, ""]]')]


def test_an_approval_of_another_drive_names_the_drive(office: Office) -> None:
    """What is missing there is not known before it is listed, and is asked about then (P7)."""
    held = SourceRow(CAD, "drive", "another drive", needs_person=True, drive="nfs:a:/b")
    office.remember(Decision(sources=(held,)))

    printed = office.types("approve", "Bridge 12", "--yes")

    assert "the drive that is there now, the share a:/b (nfs), counts from here on" in printed.out
    assert office.asked() == [("approve", f'[["{CAD}", "nfs:a:/b", 0, ""]]')]


def test_check_explains_a_pattern_that_takes_no_file(office: Office) -> None:
    """One slip among several patterns is as silent as a source without a match."""
    office.configure(CONFIG.replace("references", 'include = ["*.dxf", "**/*.dwg"]\n  references'))
    office.save("level 1/plan.dwg")
    office.save("level 1/roof.dxf")

    printed = office.types("check", "--offline")

    assert "\"*.dxf\" takes no file: 'level 1/roof.dxf' lies in a folder below" in printed.out
    assert "write **/*.dxf" in printed.out
    assert '"**/*.dwg"' not in printed.out
