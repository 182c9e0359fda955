"""Planted bugs: each must be caught by a promise, or a promise is missing.

`python -m simulation mutants` plants one after the other in the core and counts the seeds until
a world notices. Nothing in src is edited; a bug is a patched function while its worlds run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from twinsyncd.core import (
    drive,
    facts,
    lane_state,
    moves,
    placements,
    run_ends,
    safety,
    source_state,
    verdict,
    waits,
)
from twinsyncd.core import stores as stores_module
from twinsyncd.core.comparison import Comparisons
from twinsyncd.core.drive import Drive
from twinsyncd.core.lane import Lane
from twinsyncd.core.lane_making import LaneMaker
from twinsyncd.core.lane_state import LaneState
from twinsyncd.core.ledger import Ledger
from twinsyncd.core.machine import Machine
from twinsyncd.core.model import Phase, SourceRow
from twinsyncd.core.moves import Moves
from twinsyncd.core.placements import Placements
from twinsyncd.core.remotes import Remotes
from twinsyncd.core.removals import Removals
from twinsyncd.core.results import Outcome
from twinsyncd.core.roots import Roots
from twinsyncd.core.row_lookup import RowLookup
from twinsyncd.core.run_ends import RunEnds
from twinsyncd.core.run_windows import RunWindows
from twinsyncd.core.runs import Runs
from twinsyncd.core.settle import Settler
from twinsyncd.core.source_state import SourceState
from twinsyncd.core.stages import Stages
from twinsyncd.core.stores import Stores

from . import bugs, cloud_bugs, drive_bugs, move_bugs, placing

Patch = tuple[Any, str, Callable[[Any], Any]]  # owner, attribute, the old one -> the bad one


@dataclass(frozen=True)
class Mutant:
    name: str
    patches: tuple[Patch, ...]
    first: int = 0  # the seed to begin with; for a rare bug, near the world that showed it

    @contextmanager
    def planted(self) -> Iterator[None]:
        """Put the bug in, and take it out again."""
        with ExitStack() as stack:
            for owner, attribute, spoil in self.patches:
                good = owner.__dict__[attribute]
                stack.callback(setattr, owner, attribute, good)
                setattr(owner, attribute, spoil(good))
            yield


def _mutant(
    name: str, owner: Any, attribute: str, spoil: Callable[[Any], Any], first: int = 0
) -> Mutant:
    return Mutant(name, ((owner, attribute, spoil),), first)


CORE_MUTANTS = (
    _mutant("no in-doubt mark", Stores, "begin", bugs.begin_unmarked),
    _mutant("doubt not durable", Ledger, "take_changes", bugs.change_hides_doubt),
    _mutant("newest content counted as stored", Stores, "ended", bugs.after(bugs.count_the_newest)),
    _mutant("store while our run is active", Lane, "plan", bugs.store_in(Phase.RUNNING)),
    _mutant("store while a start is asked for", Lane, "plan", bugs.store_in(Phase.STARTING)),
    _mutant("store while blocked", Lane, "plan", bugs.store_in(Phase.BLOCKED)),
    _mutant("staged again and again", Stages, "ended", bugs.after(bugs.stage_again), 8),
    _mutant("touched but equal is stored again", Drive, "hashed", bugs.after(bugs.store_again)),
    _mutant("late effects not waited out", stores_module, "LATE_S", bugs.value(0.0)),
    _mutant("doubt on a held file blocks runs", Stores, "settled_s", bugs.hold_for_ever),
    _mutant("adopt the foreign run", Runs, "start_answered", bugs.adopt),
    _mutant("adopt whatever run is newest", Runs, "found", bugs.found_any),
    _mutant("decide covered at the end", Runs, "seen", bugs.cover_at_the_end),
    _mutant("cover content in doubt", Runs, "unsynced", bugs.unsynced_with_doubt),
    _mutant("start asked again blindly", Runs, "start", bugs.retry_blindly),
    _mutant("lost answer forgotten at restart", LaneMaker, "make", bugs.forget_doubt),
    _mutant(
        "failed run taken for success",
        run_ends,
        "judge",
        bugs.outcome(Outcome.FAILED, Outcome.SUCCEEDED),
    ),
    _mutant(
        "partial run taken for all",
        run_ends,
        "judge",
        bugs.outcome(Outcome.PARTIAL, Outcome.SUCCEEDED),
    ),
    _mutant("results of files ignored", run_ends, "judge", bugs.no_results),
    _mutant("run without new content", Runs, "prepared", bugs.after(bugs.prepared_anyway)),
    _mutant("source files never noted", Runs, "prepared", bugs.not_mapped),
    _mutant("one bad file blocks the run", Lane, "can_run", bugs.bad_file_blocks),
    _mutant("never set aside after runs", verdict, "RUN_TRIES", bugs.value(10**9)),
    _mutant("set aside at the first failed run", verdict, "RUN_TRIES", bugs.value(1)),
    _mutant("set aside at the first failed store", stores_module, "STORE_TRIES", bugs.value(1)),
    _mutant("still set aside with new content", Drive, "hashed", drive_bugs.still_aside),
    _mutant("no back-off", lane_state, "delay_s", bugs.always(0.0)),
    _mutant("back-off not durable", LaneState, "resume", bugs.always(None)),
    _mutant(
        "wait forgotten when another store succeeds",
        LaneState,
        "succeeded",
        bugs.after(bugs.forget_wait),
    ),
    _mutant("throttle ignored", LaneState, "failed", bugs.no_throttle),
    _mutant("a shorter wait ends a longer one", LaneState, "wait", lambda _good: bugs.shorter_wait),
    _mutant("poll without growing", lane_state, "POLL_GROWTH", bugs.value(1.0)),
    _mutant("halted lane does not wait", lane_state, "HALT_S", bugs.value(1.0)),
    _mutant("lost hints ignored", Drive, "apply", drive_bugs.ignore(facts.HintsLost)),
    _mutant("idle before the scan has ended", Drive, "is_idle", drive_bugs.hasty_idle),
    _mutant("scan never repeated", Drive, "scan_ended", bugs.after(drive_bugs.never_again)),
    _mutant("found files ignored", Drive, "found_files", bugs.always(None)),
    _mutant("a look proves deletion", Drive, "missed_by_look", drive_bugs.gone_at_a_look),
    _mutant("one scan proves deletion", safety, "CONFIRM_S", bugs.value(0.0)),
    _mutant("unlisted folder proves deletion", Drive, "scan_ended", drive_bugs.blind_to_failed),
    _mutant("offline share proves deletion", Drive, "scan_failed", drive_bugs.offline_as_empty),
    _mutant("a look begins the minute", source_state, "UNLISTED_S", bugs.value(-1e9)),
    _mutant("a late list outdoes a hint", Drive, "forget_gone", drive_bugs.drop_looks, 780),
    _mutant("no guard against mass deletion", safety, "is_mass_deletion", bugs.always(False)),
    _mutant("configured guard ignored", safety, "is_mass_deletion", drive_bugs.usual_guard),
    _mutant("fingerprint kept when gone", drive, "without_file", drive_bugs.keep_fingerprint),
    _mutant("unreadable file not found again", Drive, "found_files", drive_bugs.skip_unread),
    _mutant("unreadable file never missed", drive, "UNLIKE_ANY", bugs.value(None)),
    _mutant("broken folder waits for the next scan", SourceState, "again_s", bugs.always(1e9)),
    _mutant("settled after one look", Settler, "looked", drive_bugs.one_look),
    _mutant("hints ignored while settling", Settler, "looked", drive_bugs.deaf_look),
    _mutant("hash accepted although touched", Settler, "hashed", drive_bugs.deaf_hash),
    _mutant(
        "an approval lets any loss pass",
        safety,
        "is_mass_deletion",
        drive_bugs.any_loss,
        first=2200,
    ),
    _mutant("an approval lets any drive pass", source_state, "scan_for", drive_bugs.any_drive),
    _mutant("an approval is never used up", Drive, "scan_ended", drive_bugs.never_used_up),
    _mutant("an approval of what was not shown", safety, "is_what_was_shown", bugs.always(True)),
    _mutant("a long run is given up", Runs, "seen", bugs.after(bugs.give_up)),
    _mutant("a long run is never told", RunEnds, "notice_length", bugs.always(None)),
    _mutant("a long run is told at each look", RunEnds, "notice_length", bugs.after(bugs.untell)),
    _mutant("a short run is told as long", waits, "ALARM_LEAST_S", bugs.value(0.0)),
    _mutant("storage_id forgotten", Ledger, "put", bugs.forget_id),
    _mutant("run forgotten at restart", Machine, "__init__", bugs.forget_memory("lanes")),
    _mutant(
        "connection forgotten at restart", Machine, "__init__", bugs.forget_memory("connections")
    ),
    _mutant("edited file not noticed", Runs, "resume", bugs.expect_the_same_file),
    _mutant("doubt of an excluded file forgotten", Stores, "load", bugs.load_wanted, 115_300),
    _mutant("excluded file still wanted", Ledger, "leave_out", bugs.always(None)),
    _mutant("cover of a lost run kept", Runs, "resume", bugs.keep_old_cover),
    _mutant("drive forgotten at restart", Machine, "__init__", bugs.forget_memory("sources")),
)

PLACING_MUTANTS = (
    _mutant("runs at any time", RunWindows, "note", placing.never_closed, 2),
    _mutant("the root does not go alone", Roots, "in_order", placing.all_at_once, 3),
    _mutant("a wait for a root never ends", Roots, "_waited_for", placing.waits_for_ever, 3),
)
"""Bugs about spatial roots and times for runs."""

CLOUD_MUTANTS = (
    _mutant("the cloud is never compared", Comparisons, "due", cloud_bugs.never_compare),
    _mutant(
        "a deletion in Storage is overlooked",
        Comparisons,
        "_differs",
        cloud_bugs.believe(facts.Differs.MISSING),
    ),
    _mutant(
        "an overwritten content is overlooked",
        Comparisons,
        "_differs",
        cloud_bugs.believe(facts.Differs.OVERWRITTEN),
    ),
    _mutant(
        "a source file taken out is overlooked",
        Comparisons,
        "_differs",
        cloud_bugs.believe(facts.Differs.UNMAPPED),
        first=72,
    ),
    _mutant(
        "a file renamed in Storage is overlooked",
        Comparisons,
        "_differs",
        cloud_bugs.believe(facts.Differs.MISPLACED),
    ),
    _mutant("a difference needs no run", Comparisons, "_differs", cloud_bugs.keep_synced),
    _mutant("runs of a restored service believed", Comparisons, "ended", cloud_bugs.trust_runs),
    _mutant("a failed comparison proves", Comparisons, "ended", cloud_bugs.silence_as_proof),
    _mutant("a sync request compares nothing", Comparisons, "hurry", bugs.always(None)),
    _mutant("a start compares nothing", Comparisons, "resume", cloud_bugs.compare_later),
    _mutant(
        "an ended run not remembered", Remotes, "change", cloud_bugs.change_without("last_run")
    ),
    Mutant(
        "a dead source file is left in its connection",
        tuple(
            (each, "with_storage_id", cloud_bugs.leave_the_dead)
            for each in (placements, stores_module)
        ),
    ),
)
"""Bugs about what others do in the cloud: P13."""

MOVE_MUTANTS = (
    _mutant("a file on the drive taken for gone", Moves, "_is_gone", bugs.always(True)),
    _mutant("any file taken for the renamed one", RowLookup, "with_content", move_bugs.any_content),
    _mutant("two files with one id", Ledger, "hand_over", move_bugs.share_the_id),
    _mutant("renamed in Storage during a run", Lane, "plan", move_bugs.rename_in_runs),
    _mutant("a renaming is never through", Placements, "ended", move_bugs.never_placed),
    _mutant(
        "what is to be kept is deleted", drive, "with_removal", move_bugs.delete_whatever_is_gone
    ),
    _mutant("what is to go stays", Removals, "files", move_bugs.never_remove),
    _mutant("what came back is still to go", Drive, "hashed", move_bugs.still_to_go),
    _mutant("a pause changes nothing", Lane, "_going", move_bugs.pause_nothing),
    _mutant("a pause never ends", Remotes, "resume", bugs.always(None)),
)
"""Bugs about renames, removals and pauses."""

MUTANTS = (*CORE_MUTANTS, *PLACING_MUTANTS, *CLOUD_MUTANTS, *MOVE_MUTANTS)

PLAY_MUTANTS = (
    _mutant("hints to an absent drive ignored", SourceState, "leave_to_scan", bugs.always(None)),
    _mutant("a removal in doubt is forgotten", Removals, "begin", move_bugs.remove_unmarked),
    _mutant("what was never stored is held", drive, "split_missing", move_bugs.count_all_missing),
    _mutant("a held deletion holds up saves", SourceRow, "is_unread", move_bugs.held_is_unread),
    _mutant("a renamed folder is a mass deletion", drive, "split_missing", move_bugs.nothing_moved),
    _mutant("a renamed file is a new one", moves, "_can_go_on", bugs.always(False)),
    _mutant("another's file adopted in silence", Stores, "reserved", move_bugs.adopt_in_silence),
    _mutant(
        "an approved drive forgotten when empty", Drive, "scan_failed", drive_bugs.forget_accepted
    ),
    _mutant("lost in Storage and set aside", Comparisons, "_differs", cloud_bugs.keep_aside),
    _mutant("source file kept with a new storage id", Ledger, "put", bugs.keep_mapped),
    _mutant("as many others as approved", safety, "approved_loss", drive_bugs.approve_any_names),
    _mutant("what Storage calls so is doubled", Moves, "take_over_by_name", bugs.always(False)),
    _mutant("mappings of a new connection kept", Ledger, "forget_connection", bugs.always(None)),
)
"""Bugs that plays show and no world that is known: the first in one of a hundred thousand, the
others in none, since every preparation reads anew what the connection holds."""
