# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""Carries out commands in virtual time: effects that may be lost, late, or doubly meant."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, assert_never

from twinsyncd.core import commands, facts
from twinsyncd.core.model import (
    Failure,
    Fault,
    FileKey,
)
from twinsyncd.core.results import Outcome

from .cloud import Fate, ModelCloud
from .comparing import Comparing
from .drive import VirtualFile
from .sight import VirtualSight

if TYPE_CHECKING:
    from .world import World

TIMEOUT_S = 30.0
LATE_S = 90.0  # how long after a time-out an effect may still happen
ENDLESS_S = 2_400.0  # a run that nobody expects to end any more


LEASED_SEEDS = 4
"""The last digit of seeds in whose worlds the blob host refuses a file, not the platform."""


NEEDS_A_PERSON = (
    Failure(Fault.UNAUTHORISED, "401"),
    Failure(Fault.QUOTA, "507"),
    Failure(Fault.SIGNED_OUT, "signed out"),
    Failure(Fault.NOT_AUTHORISED, "not agreed"),
)


class VirtualWorkers:
    """Begins commands; `effects` counts those that may still change the platform."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.sight = VirtualSight(world)
        self.comparing = Comparing(world)
        self.effects = 0
        self.staged: dict[FileKey, tuple[str, int]] = {}  # content, by which life of the daemon

    def begin(self, command: commands.Command) -> None:
        match command:
            case commands.Scan() | commands.LookAt() | commands.Hash() | commands.Rehash():
                self.sight.begin(command)
            case commands.Store():
                self._store(command)
            case commands.Stage():
                self._stage(command)
            case commands.Place():
                failed_place = partial(facts.PlaceFailed, command.key)
                self._ask(partial(self._place, command), failed_place)
            case commands.Remove():
                not_removed = partial(facts.RemoveFailed, command.connection)
                self._ask(partial(self._remove, command), not_removed)
            case commands.Prepare():
                failed = partial(facts.PrepareFailed, command.connection)
                self._ask(partial(self._prepare, command), failed)
            case commands.StartRun():
                self._start(command)
            case commands.FindRun():
                failed_look = partial(facts.RunLookFailed, command.connection, "")
                self._ask(partial(self._find, command), failed_look)
            case commands.LookAtRun():
                failed_look = partial(facts.RunLookFailed, command.connection, command.run)
                self._ask(partial(self._look_at_run, command), failed_look)
            case commands.Compare():
                self.comparing.begin(command)
            case _:
                assert_never(command)

    # ---- Storage ----------------------------------------------------------------------

    def _store(self, command: commands.Store) -> None:
        """Reserve, read, verify, commit; the effect may be lost, late, or hint_missed of."""
        world, key = self.world, command.key
        cloud = world.cloud_of(command.connection)
        if failure := self._store_refusal(command, cloud):
            world.answer(0.5, facts.StoreFailed(key, failure))
            return
        storage_id = command.storage_id or cloud.reserve(key)
        etag = cloud.blobs[storage_id].etag
        world.answer_sometime(0.05, facts.Reserved(key, storage_id))
        if failure := self._fault():  # in the middle
            world.answer(0.5, facts.StoreFailed(key, failure))
            return
        self._send(command, storage_id, etag)

    def _stage(self, command: commands.Stage) -> None:
        """Read, verify, keep the blocks beside the content; the service may drop them."""
        world, key = self.world, command.key
        self.staged.pop(key, None)
        if failure := self._stage_refusal(command):
            world.answer(0.5, facts.StageFailed(key, failure))
            return
        read, epoch = world.drive.see(key), world.epoch

        def finish() -> None:
            if world.epoch != epoch:
                return
            same = read is not None and read.content == command.digest
            if not (same and self.sight.still(key, command.fingerprint)):
                world.answer(0.1, facts.StageMoved(key))
            elif world.chance(world.chances.lost_after):
                world.answer(0.1, facts.StageFailed(key, Failure(Fault.TRANSIENT, "lost")))
            else:
                self.staged[key] = command.digest, epoch
                world.answer(0.1, facts.Staged(key, command.digest))

        world.later(world.rnd.uniform(0.1, 90.0), finish)

    def _stage_refusal(self, command: commands.Stage) -> Failure | None:
        if fault := self._fault():
            return fault
        if command.storage_id not in self.world.cloud_of(command.connection).blobs:
            return Failure(Fault.GONE, "no such file in Storage")
        return None

    def _is_staged(self, command: commands.Store) -> bool:
        """Return whether this process staged the content, and the service has kept it."""
        staged = self.staged.pop(command.key, None) == (command.digest, self.world.epoch)
        return staged and not self.world.chance(self.world.chances.expired)

    def _store_refusal(self, command: commands.Store, cloud: ModelCloud) -> Failure | None:
        if fault := self._fault():
            return fault
        gone = command.storage_id and command.storage_id not in cloud.blobs
        if gone and not cloud.restore(command.storage_id):
            return Failure(Fault.GONE, "no such file in Storage")
        world = self.world
        if command.key.path.startswith("refused"):
            # In some worlds only: those that once showed a bug must stay as they were.
            leased = world.seed % 10 == LEASED_SEEDS
            return Failure(Fault.FILE if leased else Fault.REFUSED, "refused")
        return None

    def _send(self, command: commands.Store, storage_id: str, etag: int) -> None:
        world, key = self.world, command.key
        read = world.drive.see(key)
        if self._is_staged(command):  # only the commit is left, so the file is not read again
            read = VirtualFile(command.digest, command.fingerprint)
        length_s = world.rnd.uniform(0.1, 5.0)
        late = facts.StoreFailed(key, Failure(Fault.TRANSIENT, "timed out"))
        if world.chance(world.chances.expired):
            world.later(length_s, partial(self._send_again, command, storage_id, etag, world.epoch))
        elif world.chance(world.chances.late):
            self.effects += 1
            world.answer(TIMEOUT_S, late)
            delay_s = TIMEOUT_S + world.rnd.random() * LATE_S
            world.later(delay_s, partial(self._late, command, storage_id, etag, read))
        elif world.chance(world.chances.lost_before):
            world.answer(length_s, facts.StoreFailed(key, Failure(Fault.TRANSIENT, "lost")))
        else:
            self.effects += 1
            finish = partial(self._finish, command, storage_id, etag, read, world.epoch)
            world.later(length_s, finish)

    def _send_again(self, command: commands.Store, storage_id: str, etag: int, epoch: int) -> None:
        """The upload URL had expired: a fresh one, and the file is read anew."""
        if self.world.epoch == epoch:
            self._send(command, storage_id, etag)

    def _finish(
        self,
        command: commands.Store,
        storage_id: str,
        etag: int,
        read: VirtualFile | None,
        epoch: int,
    ) -> None:
        self.effects -= 1
        world = self.world
        if world.epoch != epoch and not world.chance(0.5):
            return  # died with the process before it was sent
        cloud = world.cloud_of(command.connection)
        fact = self._completed(command, storage_id, etag, read, cloud)
        if world.epoch == epoch:
            world.answer(world.rnd.choice((0.1, 0.3, 8.0)), fact)

    def _completed(
        self,
        command: commands.Store,
        storage_id: str,
        etag: int,
        read: VirtualFile | None,
        cloud: ModelCloud,
    ) -> facts.Fact:
        key = command.key
        same = read is not None and read.content == command.digest
        if not (same and self.sight.still(key, command.fingerprint)):
            return facts.StoreMoved(key)
        if storage_id not in cloud.blobs:
            return facts.StoreFailed(key, Failure(Fault.GONE, "no such file in Storage"))
        if not cloud.commit(storage_id, command.digest, etag, self.world.now_s):
            return facts.StoreFailed(key, Failure(Fault.TRANSIENT, "412"))
        if self.world.chance(self.world.chances.lost_after):
            return facts.StoreFailed(key, Failure(Fault.TRANSIENT, "answer lost"))
        return facts.Stored(key, command.digest, storage_id, str(cloud.blobs[storage_id].etag))

    def _late(
        self, command: commands.Store, storage_id: str, etag: int, read: VirtualFile | None
    ) -> None:
        """A request everybody has forgotten reaches the platform after all."""
        self.effects -= 1
        if read is not None and read.content == command.digest:
            cloud = self.world.cloud_of(command.connection)
            done = cloud.commit(storage_id, read.content, etag, self.world.now_s)
            if done and cloud.is_forgotten:  # an older journal does not know of this request
                cloud.tampered.add(storage_id)

    def _place(self, command: commands.Place) -> facts.Fact:
        cloud = self.world.cloud_of(command.connection)
        here = command.storage_id in cloud.blobs or cloud.restore(command.storage_id)
        if not here:
            return facts.PlaceFailed(command.key, Failure(Fault.GONE, "no such file in Storage"))
        if command.key.path.startswith("refused"):
            return facts.PlaceFailed(command.key, Failure(Fault.REFUSED, "refused"))
        cloud.place(command.storage_id, command.key, self.world.now_s)
        return facts.Placed(command.key)

    def _remove(self, command: commands.Remove) -> facts.Fact:
        cloud = self.world.cloud_of(command.connection)
        if command.remote_id and command.remote_id not in cloud.connections:
            gone = Failure(Fault.GONE, "no such connection")
            return facts.RemoveFailed(command.connection, gone)
        for file in command.files:
            cloud.remove(command.remote_id, file.storage_id, self.world.now_s, delete=file.delete)
            for each in file.replaces:
                cloud.connections.get(command.remote_id, {}).pop(each, None)
        return facts.Removed(command.connection, tuple(file.key for file in command.files))

    # ---- runs -------------------------------------------------------------------------

    def _ask(self, act: Callable[[], facts.Fact], failed: Callable[[Failure], facts.Fact]) -> None:
        """Carry out a call that may be repeated: fault, lost request, lost answer, or answer."""
        world = self.world
        if fault := self._fault():
            world.answer(0.3, failed(fault))
            return
        if world.chance(world.chances.lost_before):
            world.answer(TIMEOUT_S, failed(Failure(Fault.TRANSIENT, "lost")))
            return
        epoch = world.epoch

        def finish() -> None:
            if world.epoch != epoch:
                return
            fact = act()
            if world.chance(world.chances.lost_after):
                fact = failed(Failure(Fault.TRANSIENT, "answer lost"))
            world.answer(world.rnd.uniform(0.02, 1.0), fact)

        world.later(world.rnd.uniform(0.02, 1.0), finish)

    def _prepare(self, command: commands.Prepare) -> facts.Fact:
        cloud = self.world.cloud_of(command.connection)
        forgotten = command.remote_id and command.remote_id not in cloud.connections
        if forgotten and self.world.rnd.random() < 0.5:
            gone = Failure(Fault.GONE, "no such connection")
            return facts.PrepareFailed(command.connection, gone)
        good = {f.key: f.storage_id for f in command.files if self._takes(f, cloud)}
        refused = tuple(
            (f.key, "refused as a source file") for f in command.files if f.key not in good
        )
        remote_id = cloud.connect(command.connection, command.remote_id, good.values())
        for file in command.files:
            if file.key in good:
                for each in file.replaces:
                    cloud.connections[remote_id].pop(each, None)
        newest = cloud.newest(remote_id, self.world.now_s)
        expected = all(f.storage_id in cloud.blobs for f in command.files)
        known = command.last_run in ("", *cloud.runs) or not self.world.tampering.is_on
        return facts.Prepared(
            command.connection,
            remote_id,
            newest,
            tuple(good),
            refused,
            storage_as_expected=expected,
            last_run_known=known,
        )

    def _takes(self, mapping: commands.ExpectedFile, cloud: ModelCloud) -> bool:
        return mapping.storage_id in cloud.blobs and not mapping.key.path.startswith("odd")

    def _start(self, command: commands.StartRun) -> None:
        """Ask for a run: the one request that must never be repeated blindly."""
        world = self.world
        lost = facts.StartFailed(command.connection, Failure(Fault.TRANSIENT, "lost"))
        if fault := self._fault():
            world.answer(0.3, facts.StartFailed(command.connection, fault))
        elif world.chance(world.chances.clashed):
            world.answer(0.3, facts.StartClashed(command.connection))
        elif world.chance(world.chances.lost_before):
            world.answer(TIMEOUT_S, lost)
        elif world.chance(world.chances.late):
            self.effects += 1
            world.answer(TIMEOUT_S, lost)
            delay_s = TIMEOUT_S + world.rnd.random() * LATE_S
            world.later(delay_s, partial(self._start_late, command))
        else:
            act = partial(self._start_now, command, lost, world.epoch)
            world.later(world.rnd.uniform(0.0, 0.5), act)

    def _start_now(self, command: commands.StartRun, lost: facts.StartFailed, epoch: int) -> None:
        """The request arrives, also when its sender has died since."""
        world = self.world
        fact = self._post_run(command, wanted=True)
        if world.epoch != epoch:
            return
        if world.chance(world.chances.lost_after):
            fact = lost
        world.answer(world.rnd.uniform(0.1, 1.0), fact)

    def _start_late(self, command: commands.StartRun) -> None:
        self.effects -= 1
        self._post_run(command, wanted=False)

    def _post_run(self, command: commands.StartRun, *, wanted: bool) -> facts.Fact:
        cloud, name = self.world.cloud_of(command.connection), command.connection
        if command.remote_id not in cloud.connections:
            return facts.StartFailed(name, Failure(Fault.GONE, "no such connection"))
        started, run = cloud.start(
            command.remote_id, self.world.now_s, self._fate(), ours=True, wanted=wanted, posted=True
        )
        if started:
            return facts.RunStarted(name, run.id)
        return facts.RunRefused(name, run.id, run.connection == command.remote_id)

    def _fate(self) -> Fate:
        world = self.world
        length_s = world.rnd.uniform(0.2, world.chances.run_most_s)
        if world.chance(world.chances.run_endless):
            return Fate(length_s=ENDLESS_S)
        silent = 0.3 if world.chance(world.chances.silent) else 0.0
        if not world.chance(world.chances.run_fails):
            return Fate(length_s=length_s, silent=silent)
        return world.rnd.choice(
            (
                Fate(Outcome.PARTIAL, length_s, "some failed", failing=0.5, silent=silent),
                Fate(Outcome.FAILED, length_s, "failed"),
                Fate(Outcome.FAILED, length_s, "Skipped", wordless=True),
                Fate(Outcome.FAILED, length_s * 3, "TimedOut", wordless=True),
                Fate(Outcome.FAILED, length_s, "signed out", wordless=True, unauthorised=True),
            )
        )

    def _find(self, command: commands.FindRun) -> facts.Fact:
        cloud = self.world.cloud_of(command.connection)
        if command.remote_id not in cloud.connections:
            gone = Failure(Fault.GONE, "no such connection")
            return facts.RunLookFailed(command.connection, "", gone)
        newest = cloud.newest(command.remote_id, self.world.now_s, wanted=True)
        return facts.RunFound(command.connection, newest)

    def _look_at_run(self, command: commands.LookAtRun) -> facts.Fact:
        cloud = self.world.cloud_of(command.connection)
        run = cloud.look(command.run, self.world.now_s)
        if run is None:
            gone = Failure(Fault.GONE, "no such run")
            return facts.RunLookFailed(command.connection, command.run, gone)
        return cloud.report(command.connection, run)

    def _fault(self) -> Failure | None:
        """Return a failure of a request that had no effect, now and then."""
        world = self.world
        if world.chance(world.chances.throttled):
            return Failure(Fault.THROTTLED, "too many requests", world.rnd.uniform(1.0, 60.0))
        if world.chance(world.chances.unauthorised):
            # No draw of its own: known seeds keep their course.
            return NEEDS_A_PERSON[int(world.now_s) % len(NEEDS_A_PERSON)]
        return None
