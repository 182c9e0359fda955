# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""A configuration that changes between two lives: what was under way may not stop or fool us."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from core_script import (
    ACTIVE,
    CAD,
    CAD_SOURCE,
    ONE,
    SELDOM_S,
    A,
    B,
    C,
    Script,
    failure,
    hashed,
    look,
    look_at,
    prepare,
    preparing,
    read,
    running,
    saw,
    scan,
    scanned,
    settles,
    starting,
    storage_id,
    store,
    stored,
    storing,
    synced,
)

from simulation.office import kind_of
from twinsyncd.core import commands, facts
from twinsyncd.core.model import IN_DOUBT, STAYS, Fault, FileRow, Phase
from twinsyncd.core.results import Outcome
from twinsyncd.core.setup import Connection, Setup, Source
from twinsyncd.core.stores import LATE_S

BIM = "two/bim"
BIM_SOURCE = Source(BIM, "two", scan_every_s=SELDOM_S)
EXCLUDING = replace(CAD_SOURCE, patterns="fewer than before")


def settled_aside() -> Script:
    """Begin with a file that the service refuses."""
    return (
        storing()
        .hears(facts.StoreFailed(A, failure(Fault.REFUSED)))
        .says()
        .remembers(A, aside="no luck")
    )


def reconfigured(script: Script, *connections: Connection, sources: tuple[Source, ...]) -> Script:
    """End this life and begin another with these connections."""
    script.setup = Setup(connections, sources)
    return script.dies().hears()


def test_the_run_of_a_connection_that_is_gone_is_waited_for() -> None:
    """It was renamed or taken out in the file while its run was active; the iModel is locked."""
    script = reconfigured(running(), Connection("two", "imodel"), sources=(BIM_SOURCE,))

    script.says(scan("", BIM), commands.LookAtRun("two", "run-1"))

    script.hears(facts.Scanned(BIM, "drive", 0)).says().lane(phase=Phase.BLOCKED, run="run-1")
    script.hears(facts.RunSeen("two", "run-1", Outcome.SUCCEEDED)).says().rests()
    script.lane(phase=Phase.QUIET, run="").remembers(A, synced="")


@pytest.mark.parametrize("begin", [preparing, starting])
def test_what_a_connection_that_is_gone_had_asked_for_is_forgotten(
    begin: Callable[[], Script],
) -> None:
    """If it has begun all the same, our next start is told so."""
    script = reconfigured(begin(), Connection("two", "imodel"), sources=(BIM_SOURCE,))

    script.says(scan("", BIM)).hears(facts.Scanned(BIM, "drive", 0)).says().rests()

    script.lane(phase=Phase.QUIET, asks=0)


def test_a_connection_that_comes_back_counts_nothing_of_its_old_run() -> None:
    """What that run came to was never heard; the content gets a run of its own (P6)."""
    script = reconfigured(running(), Connection("two", "imodel"), sources=(BIM_SOURCE,))
    script.says(scan("", BIM), commands.LookAtRun("two", "run-1"))
    script.hears(facts.Scanned(BIM, "drive", 0)).says()
    script.hears(facts.RunSeen("two", "run-1", Outcome.SUCCEEDED)).says()

    script = reconfigured(script, ONE, sources=(CAD_SOURCE,))

    script.says(scan()).hears(scanned(1)).remembers(A, covered="", stored="v1", synced="").works()


def test_a_connection_that_moves_to_another_imodel_leaves_its_run_behind() -> None:
    """The old iModel is none of our business any more, and its run says nothing of the new one."""
    script = reconfigured(running(), Connection("one", "imodel-2"), sources=(CAD_SOURCE,))

    script.says(scan()).hears(scanned(1)).remembers(A, covered="", synced="").works()
    script.lane("imodel-2", phase=Phase.PREPARING)


def test_a_retry_of_a_file_whose_source_is_configured_no_more_changes_nothing() -> None:
    """The journal knows the file still, and the request is older than the configuration (P15)."""
    script = reconfigured(synced(), Connection("two", "imodel"), sources=(BIM_SOURCE,))

    script.says(scan("", BIM)).hears(facts.RetryAsked(A)).says()

    script.remembers(A, seen="v1", stored="v1", synced="v1")


@pytest.mark.parametrize("begin", [settled_aside, storing, synced])
def test_a_file_that_is_excluded_waits_for_nothing_any_more(begin: Callable[[], Script]) -> None:
    """It is what people do with a file that fails; then all must be well (P9)."""
    script = begin()
    script.kind_of = lambda _key: None

    script = reconfigured(script, ONE, sources=(EXCLUDING,))

    script.says(scan()).hears(scanned(0)).says().remembers(A, seen="", aside="").rests()
    script.hears(facts.RetryAsked()).says().rests()


@pytest.mark.parametrize("starts", [1, 2])
def test_a_store_of_a_file_that_is_excluded_may_land_late_all_the_same(starts: int) -> None:
    """Its file is a source file of the connection still, and a run would read it (P4)."""
    script = settles(storing().hears(stored(A, 1)).says(), B, 1, store(B, 1))
    script.kind_of = lambda key: None if key == B else "source"

    for _ in range(starts):
        script = reconfigured(script, ONE, sources=(EXCLUDING,)).says(scan())
    script.hears(scanned(2)).says().remembers(B, seen="", stored=IN_DOUBT)

    script.hears(after_s=LATE_S - 0.1).says().hears(after_s=0.1).says(prepare(A, remote=""))


def test_a_file_that_is_wanted_again_is_found_again() -> None:
    """Its row remembers what is in the cloud, so equal content costs one hash (P5)."""
    script = storing()
    script.kind_of = lambda _key: None
    script = reconfigured(script, ONE, sources=(EXCLUDING,)).says(scan())
    script.hears(scanned(0)).says()

    script.kind_of = kind_of
    script = reconfigured(script, ONE, sources=(CAD_SOURCE,)).says(scan())

    script.hears(facts.FilesFound(CAD, ((A.path, look(1)),)), scanned(0)).says()
    script.hears(after_s=5).says(look_at(A)).hears(saw(A, 1)).says(read(A, 1))
    script.hears(hashed(A, 1)).says(store(A, 1))


def test_a_connection_that_stays_goes_on_watching_its_run() -> None:
    """Another one beside it is no reason to forget what is active."""
    both = (ONE, Connection("two", "imodel"))
    script = reconfigured(running(), *both, sources=(CAD_SOURCE, BIM_SOURCE))

    script.says(scan(), scan("", BIM), commands.LookAtRun("one", "run-1"))
    script.hears(scanned(1), ACTIVE).says().lane(phase=Phase.RUNNING).remembers(A, covered="v1")


# ---- another iModel under the same name -------------------------------------------------------

IMODEL = replace(ONE, itwin="itwin")
OTHER_IMODEL = replace(IMODEL, lane="imodel-2")


def with_files_of_an_imodel() -> Script:
    """Begin with A synced, B kept, and C forgotten, of an iModel of which the id was configured."""
    script = synced(connections=(IMODEL,))
    row = script.journal.files[A]
    kept = replace(row, key=B, storage_id=storage_id(B), seen="", fingerprint=None)
    script.journal.files |= {B: kept, C: FileRow(C, note=STAYS)}
    assert script.journal.connections["one"].home == "itwin/imodel"
    return script


def test_another_imodel_has_nothing_of_what_the_earlier_one_had() -> None:
    """Files that it never had were "kept" in it, and the next run was to be of the earlier one."""
    script = with_files_of_an_imodel()

    reconfigured(script, OTHER_IMODEL, sources=(CAD_SOURCE,)).says(scan())

    script.hears(scanned(1)).says(prepare(A, remote=""))
    script.remembers(A, stored="v1", synced="", storage_id=storage_id(A))
    script.remembers(B, stored="v1", synced="", storage_id=storage_id(B), in_connection=False)
    script.remembers(C, note="")
    row = script.journal.connections["one"]
    assert (row.remote_id, row.last_run, row.home) == ("", "", "itwin/imodel-2")
    assert row.home_s == script.now.wall_s


def test_the_storage_of_another_itwin_has_no_file_of_the_earlier_one() -> None:
    """A save would go to the file of the earlier iTwin by its id, where no run reads it."""
    moved = replace(OTHER_IMODEL, itwin="itwin-2")

    script = reconfigured(with_files_of_an_imodel(), moved, sources=(CAD_SOURCE,))

    script.says(scan(), store(A, 1)).remembers(B, stored="", storage_id="")


def test_the_same_imodel_after_a_restart_keeps_all_that_is_known_of_it() -> None:
    """Nothing is uploaded or run again at a restart."""
    script = reconfigured(with_files_of_an_imodel(), IMODEL, sources=(CAD_SOURCE,)).says(scan())

    script.hears(scanned(1)).says().remembers(A, synced="v1").remembers(B, synced="v1")
