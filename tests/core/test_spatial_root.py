# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""The file that decides where the iModel is goes in first, and holds up nothing for long."""

from __future__ import annotations

from dataclasses import replace

from core_script import (
    CAD_SOURCE,
    LOOK_AT_RUN,
    ONE,
    SELDOM_S,
    START,
    STARTED,
    A,
    B,
    Script,
    ended,
    hashed,
    is_idle,
    prepare,
    prepared,
    result,
    saw,
    settles_meanwhile,
    store,
    stored,
)

from twinsyncd.core import commands, facts
from twinsyncd.core.model import FileKey
from twinsyncd.core.results import Outcome
from twinsyncd.core.setup import Connection, Source

ROOTED = replace(ONE, has_root=True)
TWO = Connection("two", "imodel")
SITE = FileKey("two/survey", "site.dgn")
SURVEY = Source("two/survey", "two", scan_every_s=SELDOM_S)


def two_stored() -> Script:
    """Two new files in Storage, the second of them the spatial root; nothing was ever synced."""
    script = is_idle(connections=(ROOTED,))
    script.comes_first = lambda key: key == B
    for key in (A, B):
        settles_meanwhile(script, key, 1).meanwhile(stored(key, 1))
    return script


def running_with_the_root() -> Script:
    """The same, and the first run is looked at."""
    script = two_stored().hears(after_s=25).says(prepare(B, remote="")).hears(prepared(B))
    script.says(START).hears(STARTED).says()
    return script.hears(after_s=0.25).says(LOOK_AT_RUN)


def test_into_an_empty_imodel_the_spatial_root_goes_alone() -> None:
    """The first file with coordinates decides where the iModel is."""
    script = two_stored().hears(after_s=25).says(prepare(B, remote=""))

    script.hears(prepared(B)).says(START).remembers(B, covered="v1").remembers(A, covered="")
    script.hears(STARTED).says().hears(after_s=0.25).says(LOOK_AT_RUN)
    script.hears(ended(Outcome.SUCCEEDED, result(B))).says(prepare(A))

    script.remembers(B, synced="v1")


def test_later_the_root_is_only_the_first_of_its_run() -> None:
    """Where the iModel is, is decided; another run for each edit would take twice as long."""
    script = running_with_the_root()
    script.hears(ended(Outcome.SUCCEEDED, result(B))).says(prepare(A))
    script.hears(prepared(A)).says(START).hears(facts.RunStarted("one", "run-2")).says()
    settles_meanwhile(script, A, 2)
    settles_meanwhile(script, B, 2)
    script.meanwhile(ended(Outcome.SUCCEEDED, result(A), run="run-2"))
    script.meanwhile(stored(A, 2)).meanwhile(stored(B, 2))

    script.hears(after_s=25).says(prepare(B, A))


def test_a_root_that_fails_does_not_hold_up_the_others() -> None:
    """A survey that cannot be read must not keep a whole office waiting."""
    script = running_with_the_root()

    script.hears(ended(Outcome.FAILED, result(B, Outcome.FAILED))).says(prepare(B, A))


def test_without_a_root_all_go_at_once() -> None:
    """Most offices name none."""
    script = two_stored()
    script.comes_first = lambda _key: False

    script.hears(after_s=25).says(prepare(A, B, remote=""))


# ---- several connections of one iModel --------------------------------------------------


def two_connections(*, has_root: bool = True) -> Script:
    """Begin with two connections of one iModel; the second one's source has the root."""
    connections = (ONE, replace(TWO, has_root=has_root))
    script = Script(connections=connections, sources=(CAD_SOURCE, SURVEY))
    script.comes_first = lambda key: has_root and key == SITE
    return script.meanwhile().meanwhile(facts.Scanned(CAD_SOURCE.key, "drive", 0))


def both_stored(*, has_root: bool = True) -> Script:
    """A file of the first connection and the root of the second are in Storage."""
    script = two_connections(has_root=has_root).meanwhile(facts.Scanned(SURVEY.key, "drive", 0))
    for key in (A, SITE):
        settles_meanwhile(script, key, 1).meanwhile(stored(key, 1))
    return script


def prepare_site() -> commands.Prepare:
    """Ask for the second connection with the root."""
    return prepare(SITE, remote="", connection="two")


def test_the_root_of_one_connection_goes_in_before_the_files_of_another() -> None:
    """They share the iModel, and the first file with coordinates places it."""
    script = both_stored().hears(after_s=30).says(prepare_site())

    script.hears(prepared(SITE, connection="two")).says(commands.StartRun("two", "remote-two"))
    script.hears(facts.RunStarted("two", "run-1")).says()
    script.hears(after_s=0.25).says(commands.LookAtRun("two", "run-1"))
    done = facts.RunSeen("two", "run-1", Outcome.SUCCEEDED, "", (result(SITE),))
    script.hears(done).says(prepare(A, remote=""))


def test_without_a_root_the_first_connection_goes_first() -> None:
    """Only a root changes whose turn it is."""
    both_stored(has_root=False).hears(after_s=30).says(prepare(A, remote=""))


def test_a_root_is_stored_before_other_files() -> None:
    """The first upload of an office takes hours, and a run may come after fifteen minutes."""
    script = two_connections().meanwhile(facts.Scanned(SURVEY.key, "drive", 0))
    script.setup = replace(script.setup, uploads_max=1)
    script.dies().meanwhile().meanwhile(facts.Scanned(CAD_SOURCE.key, "drive", 0))
    script.meanwhile(facts.Scanned(SURVEY.key, "drive", 0))
    for key in (A, SITE):
        script.meanwhile(facts.Touched(key)).meanwhile(saw(key, 1))
    script.meanwhile(after_s=5).meanwhile(saw(A, 1), saw(SITE, 1))

    script.meanwhile(hashed(A, 1), hashed(SITE, 1))

    assert script.said == [store(SITE, 1, connection="two")]


def test_while_the_roots_folder_is_being_read_the_others_wait() -> None:
    """A slow share must not decide where the iModel is."""
    script = two_connections()
    settles_meanwhile(script, A, 1).meanwhile(stored(A, 1))
    script.hears(after_s=60).says()

    script.hears(facts.Scanned(SURVEY.key, "drive", 0)).says(prepare(A, remote=""))


def test_nobody_waits_for_a_root_longer_than_the_longest_wait() -> None:
    """The office wants its drawings, wherever they lie."""
    script = two_connections()
    settles_meanwhile(script, A, 1).meanwhile(stored(A, 1))

    script.hears(after_s=ONE.longest_wait_s - 6).says()
    script.hears(after_s=6).says(prepare(A, remote=""))


def test_a_root_that_can_go_in_goes_before_a_connection_that_waited_too_long() -> None:
    """Its place is for ever, and its run takes minutes."""
    script = two_connections()
    settles_meanwhile(script, A, 1).meanwhile(stored(A, 1))
    script.hears(after_s=ONE.longest_wait_s - 20).says()

    settles_meanwhile(script, SITE, 1).meanwhile(stored(SITE, 1)).meanwhile(after_s=20)

    assert script.open[-1] == prepare_site()


def test_a_paused_connection_with_a_root_holds_up_nobody() -> None:
    """A person has said that it does not go in now."""
    script = two_connections().meanwhile(facts.PauseAsked("two"))
    settles_meanwhile(script, A, 1).meanwhile(stored(A, 1))

    script.hears(after_s=30).says(prepare(A, remote=""))


def test_an_imodel_that_one_connection_placed_is_not_placed_by_another() -> None:
    """There the root goes in with the others; another run for it would be for nothing."""
    script = two_connections().meanwhile(facts.Scanned(SURVEY.key, "drive", 0))
    other = FileKey(SURVEY.key, "other.dgn")
    settles_meanwhile(script, A, 1).meanwhile(stored(A, 1)).hears(after_s=30)
    script.says(prepare(A, remote="")).hears(prepared(A)).says(START).hears(STARTED).says()
    for key in (SITE, other):
        settles_meanwhile(script, key, 1)
    script.meanwhile(ended(Outcome.SUCCEEDED, result(A)))
    for key in (SITE, other):
        script.meanwhile(stored(key, 1))

    script.meanwhile(after_s=30)

    assert script.open[-1] == prepare(SITE, other, remote="", connection="two")


# ---- what a person is told ----------------------------------------------------------------


def test_a_connection_remembers_whose_root_it_waits_for_and_since_when() -> None:
    """Else it stands still for no reason that anybody can see."""
    script = two_connections()
    settles_meanwhile(script, A, 1).meanwhile(stored(A, 1)).hears(after_s=60)
    since_s = script.journal.connections["one"].root_wait_s

    script.dies(for_s=60).meanwhile().meanwhile(facts.Scanned(CAD_SOURCE.key, "drive", 1))

    waiting, rooted = (script.journal.connections[key] for key in ("one", "two"))
    assert (waiting.root_wait, waiting.root_wait_s) == ("two", since_s)
    assert 60.0 < script.now.wall_s - since_s < 200.0
    assert (rooted.root_wait, rooted.spatial_root) == ("", "")
    script.meanwhile(facts.Scanned(SURVEY.key, "drive", 0))
    ended_wait = script.journal.connections["one"]
    assert (ended_wait.root_wait, ended_wait.root_wait_s) == ("", 0.0)


def test_the_root_is_kept_with_its_connection() -> None:
    """Later nobody remembers which file decided where the iModel is."""
    script = both_stored()

    waiting, rooted = (script.journal.connections[key] for key in ("one", "two"))

    assert (waiting.root_wait, rooted.root_wait) == ("two", "")
    assert rooted.spatial_root == "two/survey/site.dgn"


def test_files_that_wait_for_the_root_of_their_own_connection_say_so() -> None:
    """They are uploaded, the time has come, and the run takes one file."""
    script = running_with_the_root()
    before = script.journal.connections["one"].root_wait

    script.meanwhile(ended(Outcome.SUCCEEDED, result(B)))

    after = script.journal.connections["one"]
    assert (before, after.root_wait, after.root_wait_s) == ("one", "", 0.0)
    assert after.spatial_root == f"{B.source}/{B.path}"


def test_a_root_that_is_configured_no_more_keeps_nobody_waiting() -> None:
    """The line would stay for ever."""
    script = two_connections()
    settles_meanwhile(script, A, 1).meanwhile(stored(A, 1)).hears(after_s=60)
    before = script.journal.connections["one"].root_wait
    connections = tuple(replace(each, has_root=False) for each in script.setup.connections)
    script.setup = replace(script.setup, connections=connections)

    script.dies().meanwhile()

    assert (before, script.journal.connections["one"].root_wait) == ("two", "")
