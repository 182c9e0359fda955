# mypy: disable-error-code="index"
# Keys, ids and digests are written as plain text here.
"""The promises as a watcher who believes nothing: what is heard, saved and asked for."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from twinsyncd.core import commands, facts
from twinsyncd.core.decision import Decision
from twinsyncd.core.model import (
    ABSENT,
    IN_DOUBT,
    Failure,
    Fault,
    FileKey,
    FileRow,
    OnDelete,
    Phase,
)
from twinsyncd.core.results import Outcome

from .absences import Absences
from .cloud import ModelCloud
from .placing import PlacingPromises
from .strangers import phase_of
from .watch import Watch
from .watched_runs import WatchedRuns

if TYPE_CHECKING:
    from .world import World

COMMANDS_MAX = 60  # cloud commands per virtual minute and lane, beyond those for files
LOOKS_MAX = 14  # at one run while the wait between two still grows
LOOK_EVERY_S = 8.0  # afterwards at most this often
DOUBLING_MAX = 8
HALTED_S = 300.0
SOON_S = 1e-3  # rounding of wall clocks
RUN_STRIKES = 3
SIGN_IN = (Fault.SIGNED_OUT, Fault.NOT_AUTHORISED)
BEGINNING = commands.Store | commands.Stage | commands.Place | commands.Remove
PATIENT = (Fault.TRANSIENT, Fault.THROTTLED, Fault.UNAUTHORISED, Fault.QUOTA, *SIGN_IN)


class Promises:
    """Hears of every decision before its commit; raises AssertionError naming the promise."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.watched_runs = WatchedRuns(world)
        self.absences = Absences(world)
        self.placing = PlacingPromises(world)
        self.watches = {lane: Watch() for lane in world.clouds}
        self.strikes: Counter[FileKey] = Counter()
        self.blamed: set[FileKey] = set()
        self.staged: dict[FileKey, tuple[str, int, str]] = {}  # content, life, run
        self.moved: set[FileKey] = set()  # another file took their identity, in this decision
        self.doubted: set[FileKey] = set()  # a person wants them to be stored again
        self.answered: set[FileKey] = set()  # a store of it ended, and nothing of it is on its way
        self.differ: set[FileKey] = set()  # the service was seen not to have what is remembered

    def check(self, heard: Sequence[facts.Fact], decision: Decision) -> None:
        self.differ.clear()
        self.answered.clear()
        for fact in heard:
            self._hear(fact)
        self.watched_runs.check(heard, decision)
        self.absences.check(heard, decision)
        self.placing.check(decision)
        self.moved = self.absences.moved
        for row in decision.files:
            self._check_row(row, self.world.journal.files.get(row.key) or FileRow(row.key))
        for command in decision.commands:
            if isinstance(command, commands.CloudCommand):
                self._check_command(command, decision)

    def crashed(self) -> None:
        """Note that answers under way are lost; waits hold on unless the clock jumped."""
        self.absences.crashed()
        self.doubted = self._remembered_doubts()
        for watch in self.watches.values():
            watch.lost |= watch.asking
            watch.asking = False
            watch.recent.clear()
            watch.looks.clear()
            watch.first_s.clear()
            if watch.shift_s != self.world.wall_shift_s:
                watch.not_before_s = 0.0

    def restored(self) -> None:
        """Note that the journal is older now: waits in it, and later doubts, are forgotten."""
        self.doubted = self._remembered_doubts()
        for watch in self.watches.values():
            watch.lost = False
            watch.end_waits()
        for row in self.world.journal.files.values():
            self.strikes[row.key] = max(self.strikes[row.key], row.attempts)
        self.absences.restored()

    # ---- what is heard ----------------------------------------------------------------

    def _hear(self, fact: facts.Fact) -> None:
        match fact:
            case facts.SyncAsked() | facts.PublishAsked() | facts.SignedIn():
                self._end_waits(everywhere=not isinstance(fact, facts.SignedIn))
            case facts.RetryAsked(key):
                self._hear_retry(key)
            case facts.StoreFailed(key, failure):
                self._note_store_failure(key, failure)
            case facts.StoreMoved(key):
                self.answered.add(key)
            case facts.Stored(key):
                self.strikes.pop(key, None)
                if self._is_of_another(fact):
                    self.differ.add(key)  # both are stored again
                self._watch_of_file(key).succeeded()
            case facts.PrepareFailed() | facts.StartFailed() | facts.RunLookFailed():
                self._hear_failure(fact)
            case facts.Prepared() | facts.RunStarted() | facts.RunRefused() | facts.RunFound():
                self._hear_answer(fact)
            case facts.RunSeen():
                self._note_results(fact)
                self._watch(fact.connection).succeeded()
            case facts.StartClashed():
                self._watch(fact.connection).asking = False
            case _:
                self._hear_of_cloud(fact)

    def _hear_retry(self, key: FileKey | None) -> None:
        """End the waits of lanes that need a person, who says that it is mended."""
        asked = self.watches if key is None else [self.world.lane_of(key.source)]
        journal = self.world.journal
        halted: set[str] = {each.key for each in journal.lanes.values() if each.halt}
        rows = journal.connections.values()
        halted |= {self.world.lane_of(each.key) for each in rows if each.compare_failed}
        for lane in halted.intersection(asked):
            self.watches[lane].end_waits()
        if key is not None:
            self.doubted.add(key)

    def _remembered_doubts(self) -> set[FileKey]:
        rows = self.world.journal.sources.values()
        return {FileKey(row.key, path) for row in rows for path in row.doubted}

    def _is_of_another(self, fact: facts.Stored) -> bool:
        """Return whether the content went to the id of another file, which was renamed."""
        lane = self.world.lane_of(fact.key.source)
        return any(
            row.storage_id == fact.storage_id and row.key != fact.key
            for row in self.world.journal.files.values()
            if self.world.lane_of(row.key.source) == lane
        )

    def _hear_of_cloud(self, fact: facts.Fact) -> None:
        if isinstance(fact, facts.Removed):
            self.differ.update(fact.files)
            self._watch(fact.connection).succeeded()
        elif isinstance(fact, facts.RemoveFailed):
            gone = fact.failure.fault is Fault.GONE
            failure = Failure(Fault.TRANSIENT, "gone") if gone else fact.failure
            self._note_failure(self._watch(fact.connection), failure)
        elif isinstance(fact, facts.PlaceFailed):
            self._note_place_failure(fact.key, fact.failure)
        elif isinstance(fact, facts.Placed):
            self._watch_of_file(fact.key).succeeded()
        elif isinstance(fact, facts.Compared):
            self.differ.update(each.key for each in fact.differences)
            self._watch(fact.connection).succeeded()
        elif isinstance(fact, facts.CompareFailed):
            self._note_failure(self._watch(fact.connection), fact.failure)

    def _end_waits(self, *, everywhere: bool) -> None:
        """Expect no wait any more, or only where a person was needed."""
        rows = self.world.journal.lanes
        for lane, watch in self.watches.items():
            if everywhere or (lane in rows and (rows[lane].halt or rows[lane].needs_person)):
                watch.end_waits()

    def _hear_failure(
        self, fact: facts.PrepareFailed | facts.StartFailed | facts.RunLookFailed
    ) -> None:
        watch = self._watch(fact.connection)
        if isinstance(fact, facts.StartFailed):
            watch.asking = False
            watch.lost |= fact.failure.fault is Fault.TRANSIENT
        elif isinstance(fact, facts.RunLookFailed):
            watch.looks[fact.run] -= 1  # the next one is a matter of back-off
        self._note_failure(watch, fact.failure)

    def _hear_answer(
        self, fact: facts.Prepared | facts.RunStarted | facts.RunRefused | facts.RunFound
    ) -> None:
        watch = self._watch(fact.connection)
        watch.succeeded()
        watch.asking, watch.lost = False, False
        if isinstance(fact, facts.Prepared):
            self.blamed.update(key for key, _ in fact.refused)

    def _note_store_failure(self, key: FileKey, failure: Failure) -> None:
        self.strikes[key] += 1
        watch = self._watch_of_file(key)
        if failure.fault is not Fault.TRANSIENT and not failure.unanswered:
            self.answered.add(key)
        if failure.fault in {Fault.REFUSED, Fault.FILE}:
            self.blamed.add(key)
        elif failure.fault is Fault.GONE:
            self._note_failure(watch, Failure(Fault.TRANSIENT, "gone"), watch.stored_s[key])
        else:
            self._note_failure(watch, failure, watch.stored_s[key])

    def _note_place_failure(self, key: FileKey, failure: Failure) -> None:
        if failure.fault in {Fault.REFUSED, Fault.FILE, Fault.GONE, Fault.TRANSIENT}:
            self.differ.add(key)  # it may be stored anew
        if failure.fault not in {Fault.REFUSED, Fault.FILE, Fault.GONE}:
            watch = self._watch_of_file(key)
            self._note_failure(watch, failure, watch.placed_s[key])

    def _note_failure(self, watch: Watch, failure: Failure, begun_s: float = math.inf) -> None:
        """Expect patience: as asked for, or longer after each failure in a row.

        What was under way at the last failure adds nothing to it.
        """
        watch.halted |= failure.fault not in {Fault.TRANSIENT, Fault.THROTTLED, *SIGN_IN}
        if failure.fault not in PATIENT:
            return
        wait_s = failure.retry_after_s
        counts = failure.fault is Fault.TRANSIENT and begun_s > watch.failed_s
        if counts or failure.fault in SIGN_IN:
            watch.failures, watch.failed_s = watch.failures + 1, self.world.now_s
            wait_s = 2.0 ** min(watch.failures - 1, DOUBLING_MAX) / 2.0
        elif failure.fault in {Fault.UNAUTHORISED, Fault.QUOTA}:
            wait_s, watch.failed_s = HALTED_S, self.world.now_s
        watch.not_before_s = max(watch.not_before_s, self.world.now_s + wait_s)
        watch.shift_s = self.world.wall_shift_s

    def _note_results(self, fact: facts.RunSeen) -> None:
        if fact.outcome is Outcome.ACTIVE:
            return
        results = {result.storage_id: result for result in fact.files}
        for row in self.world.journal.files.values():
            if row.covered != ABSENT and self.world.owner_of(row.key) == fact.connection:
                result = results.get(row.storage_id)
                if result is None or result.outcome is not Outcome.SUCCEEDED:
                    self.strikes[row.key] += 1
                if result is not None and result.user_must_act:
                    self.blamed.add(row.key)

    # ---- what is saved ----------------------------------------------------------------

    def _check_row(self, row: FileRow, before: FileRow) -> None:
        cloud, drive = self.world.cloud_of_file(row.key), self.world.drive
        if row.synced == ABSENT:
            cloud.claimed.pop(row.storage_id, None)
        elif row.synced != before.synced:
            cloud.claimed[row.storage_id] = row.synced
            runs = cloud.succeeded.get((row.storage_id, row.synced), [])
            ours = [id_ for id_ in runs if id_ not in cloud.runs or cloud.runs[id_].ours]
            unknowable = cloud.tampered | cloud.unmapped | cloud.strayed  # till compared
            assert ours or row.storage_id in unknowable, (
                f"P3/P6: {row.key} counts as synced without a run of ours"
            )
        assert row.seen not in drive.torn, f"P1: {row.key} counts as {row.seen}, never whole"
        if row.stored not in (ABSENT, IN_DOUBT, before.stored):
            torn = row.stored in drive.torn
            assert not torn, f"P1: {row.key} stored torn content {row.stored}"
        may_forget = self.differ | self.moved | self.answered
        forgot = row.stored == ABSENT != before.stored and row.key not in may_forget
        assert not forgot, f"P5: {row.key} forgot its store"
        if row.aside and not before.aside:
            real = row.key in self.blamed or self.strikes[row.key] >= RUN_STRIKES
            assert real, f"P9: {row.key} was set aside without a reason: {row.aside}"
        if row.seen not in (ABSENT, before.seen):
            assert not row.aside, f"P9: {row.key} is still set aside with new content"
            self.strikes.pop(row.key, None)
            self.blamed.discard(row.key)

    # ---- what is asked for ------------------------------------------------------------

    def _check_command(self, command: commands.CloudCommand, decision: Decision) -> None:
        watch, now_s = self._watch(command.connection), self.world.now_s
        paused = self.world.journal.connections.get(command.connection)
        is_paused = paused is not None and paused.paused_s and not self._resumed(decision, command)
        begins = isinstance(command, BEGINNING)
        assert not (is_paused and begins), f"P9: {command} though a person paused it"
        early = now_s < watch.not_before_s - SOON_S
        assert not early, f"P10: {command} before {watch.not_before_s:.2f}"
        if isinstance(command, commands.Place):
            watch.placed_s[command.key] = now_s
        if isinstance(command, commands.Store):
            watch.stored_s[command.key] = now_s
            self._check_store(command, decision)
            return
        if isinstance(command, commands.Stage):
            self._check_stage(command, decision)
            return
        if isinstance(command, commands.Place):
            return
        if isinstance(command, commands.Remove):
            self._check_remove(command, decision)
        watch.recent.append(now_s)
        while watch.recent[0] < now_s - 60.0:
            watch.recent.popleft()
        assert len(watch.recent) <= COMMANDS_MAX, f"P10: {len(watch.recent)} requests in a minute"
        if isinstance(command, commands.StartRun):
            blind = watch.lost or watch.asking
            assert not blind, "P3: a run is asked for again before a look for the one that was lost"
            watch.asking = True
        elif isinstance(command, commands.LookAtRun):
            self._check_look(command, watch)

    def _check_store(self, command: commands.Store, decision: Decision) -> None:
        before = self.world.journal.files.get(command.key)
        wanted = self.world.office.kind_of(command.key) is not None
        assert wanted, f"P5: {command.key} is stored though the file leaves it out"
        kept = before is not None and before.stored == command.digest
        needless = kept and command.key not in self.differ | self.doubted
        self.doubted.discard(command.key)
        assert not needless, f"P5: {command.key} is stored though nothing changed"
        after = {row.key: row.stored for row in decision.files}.get(command.key)
        known = before.stored if before is not None and after is None else after
        assert known == IN_DOUBT, f"P8: a store of {command.key} begins without a durable doubt"
        phase = self._phase(command.key, decision)
        assert phase is Phase.QUIET, f"P4: {command} in phase {phase}: a run may be active"

    def _check_stage(self, command: commands.Stage, decision: Decision) -> None:
        journal, key = self.world.journal, command.key
        changes = {row.key: row for row in decision.files}
        row = changes.get(key) or journal.files[key]
        assert self.world.office.kind_of(key) is not None, f"P5: {key} is staged though left out"
        assert row.seen == command.digest, f"P1: {command} is not what settled"
        assert row.stored != row.seen, f"P5: {key} is staged though nothing changed"
        phase = self._phase(key, decision)
        assert phase in (Phase.RUNNING, Phase.BLOCKED), f"P5: {command} in phase {phase}"
        again = self.staged.get(key) == (command.digest, self.world.epoch, self._run(key))
        assert not again, f"P10: {command} a second time in one run"
        self.staged[key] = command.digest, self.world.epoch, self._run(key)

    def _phase(self, key: FileKey, decision: Decision) -> Phase:
        lane = self.world.lane_of(key.source)
        row = next((r for r in decision.lanes if r.key == lane), self.world.journal.lanes.get(lane))
        return phase_of(row)

    def _run(self, key: FileKey) -> str:
        row = self.world.journal.lanes.get(self.world.lane_of(key.source))
        return row.run if row is not None else ""

    def _resumed(self, decision: Decision, command: commands.CloudCommand) -> bool:
        rows = decision.connections
        return any(row.key == command.connection and not row.paused_s for row in rows)

    def _check_remove(self, command: commands.Remove, decision: Decision) -> None:
        policies = self.world.renaming.policies
        rows = {**self.world.journal.files, **{row.key: row for row in decision.files}}
        for file in command.files:
            row = rows[file.key]
            assert row.seen == ABSENT, f"P7: {file.key} is removed, and not known to be gone"
            policy = policies.get(command.connection, OnDelete.KEEP)
            cloud = self.world.cloud_of_file(file.key)
            if file.storage_id not in cloud.blobs:
                continue  # nothing is left to keep: only a dead source file
            held = cloud.connections.get(command.remote_id, {})
            if not file.delete and (file.replaces or file.storage_id not in held):
                continue  # no run has read it; what Storage lost may be a source file still
            assert policy is not OnDelete.KEEP, f"P7: {file.key} is removed, and was to be kept"
            assert file.delete == (policy is OnDelete.DELETE), f"P7: {file.key}: {policy}"

    def _check_look(self, command: commands.LookAtRun, watch: Watch) -> None:
        watch.looks[command.run] += 1
        first_s = watch.first_s.setdefault(command.run, self.world.now_s)
        allowed = LOOKS_MAX + (self.world.now_s - first_s) / LOOK_EVERY_S
        assert watch.looks[command.run] <= allowed, f"P10: too many looks at {command.run}"

    # ---- at rest ----------------------------------------------------------------------

    def check_rest(self) -> None:
        world = self.world
        assert world.machine.is_idle(), "P2: the world does not come to rest"
        for key in world.drive.files:
            self._check_file_at_rest(key)
        for row in world.journal.files.values():
            self._check_removed(row)
            there = row.key in world.drive.files
            assert there or row.seen == ABSENT, f"P2: {row.key} is gone and counts as there"
        owners = Counter(
            (world.lane_of(row.key.source), row.storage_id)
            for row in world.journal.files.values()
            if row.storage_id
        )
        shared = [id_ for id_, count in owners.items() if count > 1]
        assert not shared, f"P8: several files are {shared} in Storage"
        for cloud in world.clouds.values():
            assert not cloud.superfluous, f"P5: runs without new content {cloud.superfluous}"

    def _check_removed(self, row: FileRow) -> None:
        """Whatever is gone is out of its connection, if that is the policy."""
        assert row.seen == ABSENT or row.removing is OnDelete.KEEP, f"P8: {row.key} is to go"
        assert row.removing is OnDelete.KEEP, f"P2: {row.key} is gone, and not taken out"

    def _check_file_at_rest(self, key: FileKey) -> None:
        world, cloud = self.world, self.world.cloud_of_file(key)
        content, row = world.drive.files[key].content, world.journal.files.get(key)
        assert row is not None, f"P2: {key} was never noticed"
        hopeless = key in cloud.bad or key.path.startswith(("refused", "odd"))
        unseen = not world.tampering.is_on  # nobody compares, so the next save brings it back
        lost = unseen and row.storage_id in cloud.deleted
        if row.aside or hopeless:
            synced = row.synced == row.seen != ABSENT
            assert row.aside or synced, f"P9: {key} fails for ever and is not set aside: {row}"
            assert hopeless or lost, f"P9: {key} stays set aside without a reason: {row}"
            assert row.seen == content, f"P2: {key} holds {content}, row {row}"
            return
        digests = (row.seen, row.stored, row.synced)
        assert digests == (content,) * 3, f"P2: {key} holds {content}, row {row}"
        if not lost:
            blob = cloud.blobs.get(row.storage_id)
            assert blob is not None, f"P2: {key} is nothing that Storage knows: {row}"
            stored = blob.content if blob.complete else None
            assert stored == content, f"P2: Storage holds {stored} of {key}"
        astray = row.storage_id in cloud.misplaced
        assert not astray, f"P13: {key} is still where somebody put it in Storage"
        if not unseen and world.office.kind_of(key) == "source":
            self._check_source_file(row, cloud)

    def _check_source_file(self, row: FileRow, cloud: ModelCloud) -> None:
        brought = cloud.latest.get(row.storage_id)
        assert brought == row.seen, f"P13: the iModel holds {brought} of {row.key}"
        held = [id_ for items in cloud.connections.values() for id_ in items]
        assert row.storage_id in held, f"P13: {row.key} is no source file any more"
        dead = [id_ for id_ in held if cloud.keys[id_] == row.key and id_ not in cloud.blobs]
        kept = {each.storage_id for each in self.world.journal.files.values()}  # of another file
        dead = (
            [] if cloud.is_forgotten else [id_ for id_ in dead if id_ not in kept]
        )  # an older journal never knew of it
        assert not dead, f"P13: what {row.key} once was is still a source file: {dead}"

    def _watch(self, connection: str) -> Watch:
        return self.watches[self.world.lane_of(connection)]

    def _watch_of_file(self, key: FileKey) -> Watch:
        return self.watches[self.world.lane_of(key.source)]
