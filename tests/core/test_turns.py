# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""Whose turn it is: connections of one iModel, several iModels, and nobody for ever."""

from __future__ import annotations

from core_script import (
    CAD,
    CAD_SOURCE,
    LOOK_AT_RUN,
    ONE,
    SELDOM_S,
    START,
    A,
    B,
    Script,
    failure,
    hashed,
    look,
    look_at,
    prepare,
    prepared,
    running,
    scan,
    scanned,
    settles_meanwhile,
    storage_id,
    store,
    stored,
    storing,
)

from twinsyncd.core import commands, facts
from twinsyncd.core.model import Fault, FileKey, Phase
from twinsyncd.core.results import FileResult, Outcome
from twinsyncd.core.setup import Connection, Source

BIM = "two/bim"
TOWER = FileKey(BIM, "tower.ifc")
BIM_SOURCE = Source(BIM, "two", scan_every_s=SELDOM_S)
SAME_IMODEL = (ONE, Connection("two", "imodel"))
OTHER_IMODEL = (ONE, Connection("two", "imodel-2"))


def office(connections: tuple[Connection, ...]) -> Script:
    """Begin with two empty sources that were scanned once."""
    return (
        Script(connections=connections, sources=(CAD_SOURCE, BIM_SOURCE))
        .hears()
        .says(scan(""), scan("", BIM))
        .hears(scanned(0), facts.Scanned(BIM, "drive", 0))
        .says()
        .rests()
    )


def both_saved(connections: tuple[Connection, ...]) -> Script:
    """Let a save of either connection come to rest at once."""
    looks = (
        facts.Looked(CAD, (("a.dgn", look(1)),)),
        facts.Looked(BIM, (("tower.ifc", look(1)),)),
    )
    asked = (look_at(A), look_at(TOWER))
    return (
        office(connections)
        .hears(facts.Touched(A), facts.Touched(TOWER))
        .says(*asked)
        .hears(*looks)
        .says()
        .hears(after_s=5)
        .says(*asked)
        .meanwhile(*looks)
        .meanwhile(hashed(A, 1), hashed(TOWER, 1))
        .says(store(A, 1), store(TOWER, 1, connection="two"))
    )


def prepare_two(remote: str = "") -> commands.Prepare:
    """Ask for connection two with its file."""
    return prepare(TOWER, remote=remote, connection="two")


START_TWO = commands.StartRun("two", "remote-two")


def test_connections_of_one_imodel_take_turns() -> None:
    """The platform runs one thing at a time per iModel; each must get its share (P3)."""
    script = both_saved(SAME_IMODEL).hears(stored(A, 1), stored(TOWER, 1)).says()
    first = script.hears(after_s=25).says(prepare(A, remote=""))

    (
        first.hears(prepared(A))
        .says(START)
        .hears(facts.RunStarted("one", "run-1"))
        .says()
        .hears(after_s=0.25)
        .says(LOOK_AT_RUN)
        .hears(
            facts.RunSeen("one", "run-1", Outcome.SUCCEEDED, "", (FileResult(storage_id(A), DONE),))
        )
        .says(prepare_two())
        .hears(prepared(TOWER, connection="two"))
        .says(START_TWO)
    )


def test_a_busy_connection_does_not_starve_the_other() -> None:
    """Who always comes to rest a moment earlier would otherwise keep the iModel to himself."""
    script = both_saved(SAME_IMODEL).meanwhile(stored(A, 1), stored(TOWER, 1))
    keys = {"one": A, "two": TOWER}
    served = []

    for save in range(2, 8):
        script.meanwhile(after_s=300)
        asked = next(each for each in script.open if isinstance(each, commands.Prepare))
        served.append(asked.connection)
        for key in keys.values():
            settles_meanwhile(script, key, save)
        run_to_its_end(script, asked.connection, keys[asked.connection])
        store_all(script)

    assert set(served) == {"one", "two"}


def test_one_file_saved_without_a_pause_gets_its_run_after_the_longest_wait() -> None:
    """MicroStation writes every change at once: such a drawing never lets a batch go quiet."""
    impatient = Connection("one", "imodel", batch_quiet_s=30.0, longest_wait_s=120.0)
    script = storing(connections=(impatient,)).hears(stored(A, 1)).says()
    since_s = script.at_s

    for save in range(2, 15):
        settles_meanwhile(script, A, save).meanwhile(after_s=10)
        store_all(script)
        if any(isinstance(each, commands.Prepare) for each in script.open):
            break

    assert script.at_s <= since_s + 120 + 15


def test_lanes_of_two_imodels_go_on_side_by_side() -> None:
    """One slow model must not hold up another."""
    script = both_saved(OTHER_IMODEL).hears(stored(A, 1), stored(TOWER, 1)).says()

    (
        script.hears(after_s=25)
        .says(prepare(A, remote=""), prepare_two())
        .hears(prepared(A), prepared(TOWER, connection="two"))
        .says(START, START_TWO)
        .lane("imodel", phase=Phase.STARTING)
        .lane("imodel-2", phase=Phase.STARTING)
    )


def test_a_halted_imodel_leaves_the_other_alone() -> None:
    """A right that is missing for one project is no reason to stop all (P9)."""
    script = both_saved(OTHER_IMODEL)
    script.hears(facts.StoreFailed(A, failure(Fault.UNAUTHORISED))).says()

    (
        script.hears(stored(TOWER, 1))
        .says()
        .lane("imodel", halt="no luck")
        .lane("imodel-2", halt="")
        .hears(after_s=25)
        .says(prepare_two())
    )


def test_saves_without_a_pause_do_not_put_a_run_off_for_ever() -> None:
    """In a large office somebody always saves; after the longest wait the run comes anyway."""
    impatient = Connection("one", "imodel", batch_quiet_s=30.0, longest_wait_s=120.0)
    script = storing(connections=(impatient,)).hears(stored(A, 1)).says()
    since_s = script.at_s

    while not any(isinstance(each, commands.Prepare) for each in script.said):
        assert script.at_s < since_s + 121
        script.meanwhile(facts.Touched(B), after_s=1)

    assert since_s + 120 == script.at_s


def test_an_overdue_run_goes_before_further_stores() -> None:
    """Else a stream of new files would take every free moment."""
    impatient = Connection("one", "imodel", batch_quiet_s=30.0, longest_wait_s=8.0)
    script = storing(connections=(impatient,)).hears(stored(A, 1)).says()

    script.hears(after_s=4).says()
    settles_meanwhile(script, B, 1)

    assert [prepare(A, remote="")] == script.open
    script.remembers(B, seen="v1", stored="")


def test_a_person_who_asks_for_a_sync_gets_scans_at_once() -> None:
    """Nobody who presses the button wants to wait for the next scan."""
    office(SAME_IMODEL).hears(facts.SyncAsked()).says(scan(), scan(source=BIM))


def test_asking_for_a_sync_lifts_the_wait_before_the_next_look_at_a_run() -> None:
    """The poll interval of a long run has grown to seconds by then."""
    running().hears(facts.SyncAsked()).says(scan(), LOOK_AT_RUN)


def test_a_running_scan_is_not_begun_twice() -> None:
    """Two scans of one source would compare each other's half-written results."""
    script = office(SAME_IMODEL).hears(facts.SyncAsked()).says(scan(), scan(source=BIM))

    script.hears(facts.SyncAsked()).says().hears(facts.HintsLost(CAD, "overflow")).says()


DONE = Outcome.SUCCEEDED


def run_to_its_end(script: Script, connection: str, key: FileKey) -> None:
    """Let the connection that is being prepared have its run, and the run succeed."""
    script.meanwhile(prepared(key, connection=connection))
    script.meanwhile(facts.RunStarted(connection, "run")).meanwhile(after_s=0.25)
    files = (FileResult(storage_id(key), DONE),)
    script.meanwhile(facts.RunSeen(connection, "run", DONE, "", files))


def store_all(script: Script) -> None:
    """Answer every store that is under way."""
    for command in [each for each in script.open if isinstance(each, commands.Store)]:
        script.meanwhile(facts.Stored(command.key, command.digest, storage_id(command.key)))
