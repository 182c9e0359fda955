"""Carries out commands in virtual time: effects that may be lost, late, or doubly meant."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, assert_never

from twinsyncd.core import commands, facts
from twinsyncd.core.model import Failure, Fault, FileKey, Fingerprint, Outcome

if TYPE_CHECKING:
    from .world import World

TIMEOUT_S = 30.0
LATE_S = 90.0  # how long after a time-out an effect may still happen


class VirtualHands:
    """Begins commands; `effects` counts those that may still change the platform."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.effects = 0

    def begin(self, command: commands.Command) -> None:
        match command:
            case commands.Scan():
                self._soon(partial(self._scan, command))
            case commands.LookAt():
                self._soon(partial(self._look, command))
            case commands.Hash():
                self._hash(command)
            case commands.Store():
                self._store(command)
            case commands.Prepare():
                self._ask(partial(self._prepare, command), partial(_prepare_failed, command))
            case commands.StartRun():
                self._start(command)
            case commands.FindRun():
                self._ask(
                    partial(self._find, command), partial(_look_failed, command.connection, "")
                )
            case commands.LookAtRun():
                failed = partial(_look_failed, command.connection, command.run)
                self._ask(partial(self._look_at_run, command), failed)
            case _:
                assert_never(command)

    # ---- the drive --------------------------------------------------------------------

    def _soon(self, action: Callable[[], None]) -> None:
        epoch = self.world.epoch
        self.world.later(
            self.world.rnd.uniform(0.01, 0.5),
            lambda: action() if self.world.epoch == epoch else None,
        )

    def _scan(self, command: commands.Scan) -> None:
        drive, journal = self.world.drive, self.world.journal
        source = command.source
        known = {
            key.path: row.fingerprint
            for key, row in journal.files.items()
            if key.source == source and row.fingerprint is not None and not row.unread
        }
        if drive.outage == "offline" or (drive.outage == "other" and not command.approved):
            other = drive.outage == "other"
            self.world.answer(0.0, facts.ScanFailed(source, drive.outage, needs_person=other))
            return
        there = {
            key: file
            for key, file in drive.files.items()
            if key.source == source and not drive.outage
        }
        if known and not there and not command.approved:
            empty = facts.ScanFailed(source, "empty where it was not", needs_person=True)
            self.world.answer(0.0, empty)
            return
        listed = {
            key.path: file.fingerprint for key, file in there.items() if not drive.is_broken(key)
        }
        found = tuple((path, look) for path, look in listed.items() if known.get(path) != look)
        if found:
            self.world.answer(0.0, facts.FilesFound(source, found))
        missing = tuple(
            path
            for path in known
            if path not in listed and not drive.is_broken(FileKey(source, path))
        )
        failed = tuple((folder, "EIO") for folder in sorted(drive.broken_folders))
        self.world.answer(0.01, facts.Scanned(source, "disk-1", len(known), missing, failed))

    def _look(self, command: commands.LookAt) -> None:
        drive = self.world.drive
        looks: list[tuple[str, Fingerprint | None]] = []
        for path in command.paths:
            key = FileKey(command.source, path)
            if drive.outage == "offline" or drive.is_broken(key):
                self.world.answer(0.0, facts.LookFailed(key, "EIO"))
                continue
            file = drive.see(key)
            looks.append((path, file.fingerprint if file else None))
        self.world.answer(0.0, facts.Looked(command.source, tuple(looks)))

    def _hash(self, command: commands.Hash) -> None:
        before = self.world.drive.see(command.key)
        content = before.content if before and before.fingerprint == command.fingerprint else None

        def close() -> None:
            if self._still(command.key, command.fingerprint) and content is not None:
                fact: facts.Fact = facts.Hashed(command.key, command.fingerprint, content)
            else:
                fact = facts.HashMissed(command.key, "changed while it was read")
            self.world.answer(0.0, fact)

        self._soon(close)

    def _still(self, key: FileKey, fingerprint: Fingerprint) -> bool:
        file = self.world.drive.see(key)
        return file is not None and file.fingerprint == fingerprint

    # ---- Storage ----------------------------------------------------------------------

    def _store(self, command: commands.Store) -> None:
        """Reserve, read, verify, commit; the effect may be lost, late, or unheard of."""
        world, key = self.world, command.key
        poisoned = key.path.startswith("refused")
        fault = self._fault() or (Failure(Fault.REFUSED, "refused") if poisoned else None)
        if fault is not None:
            world.answer(0.5, facts.StoreFailed(key, fault))
            return
        known = command.item if command.item in world.cloud.blobs else ""
        item = known or world.cloud.reserve(key)
        etag = world.cloud.blobs[item].etag
        world.answer(0.05, facts.Reserved(key, item))
        read = world.drive.see(key)
        length_s = world.rnd.uniform(0.1, 5.0)
        epoch = world.epoch

        def finish() -> None:
            self.effects -= 1
            if world.epoch != epoch and not world.chance(0.5):
                return  # died with the process before it was sent
            same = read is not None and read.content == command.digest
            if not (same and self._still(key, command.fingerprint)):
                fact: facts.Fact = facts.StoreMoved(key)
            elif world.cloud.commit(item, command.digest, etag, world.now_s):
                fact = self._heard_or_not(facts.Stored(key, command.digest, item))
            else:
                fact = facts.StoreFailed(key, Failure(Fault.TRANSIENT, "412"))
            if world.epoch == epoch:
                world.answer(0.1, fact)

        self.effects += 1
        if world.chance(world.chances.late):
            world.answer(TIMEOUT_S, facts.StoreFailed(key, Failure(Fault.TRANSIENT, "timed out")))
            world.later(
                TIMEOUT_S + world.rnd.random() * LATE_S, partial(self._late, item, etag, read)
            )
        elif world.chance(world.chances.lost_before):
            self.effects -= 1
            world.answer(length_s, facts.StoreFailed(key, Failure(Fault.TRANSIENT, "lost")))
        else:
            world.later(length_s, finish)

    def _late(self, item: str, etag: int, read: object) -> None:
        """A request everybody has forgotten reaches the platform after all."""
        self.effects -= 1
        content = getattr(read, "content", None)
        if content is not None:
            self.world.cloud.commit(item, content, etag, self.world.now_s)

    def _heard_or_not(self, fact: facts.Stored) -> facts.Fact:
        if self.world.chance(self.world.chances.lost_after):
            return facts.StoreFailed(fact.key, Failure(Fault.TRANSIENT, "answer lost"))
        return fact

    # ---- runs -------------------------------------------------------------------------

    def _ask(self, act: Callable[[], facts.Fact], failed: Callable[[Failure], facts.Fact]) -> None:
        """Carry out a call that may be repeated: fault, lost request, lost answer, or answer."""
        world = self.world
        fault = self._fault()
        if fault is not None:
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
        cloud = self.world.cloud
        remote_id = cloud.connect(command.connection, (f.item for f in command.files))
        mapped = tuple(f.key for f in command.files)
        newest = cloud.newest(remote_id, self.world.now_s)
        return facts.Prepared(command.connection, remote_id, newest, mapped)

    def _start(self, command: commands.StartRun) -> None:
        """Ask for a run: the one request that must never be repeated blindly."""
        world = self.world
        lost = facts.StartFailed(command.connection, Failure(Fault.TRANSIENT, "lost"))
        fault = self._fault()
        if fault is not None:
            world.answer(0.3, facts.StartFailed(command.connection, fault))
        elif world.chance(0.05):
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
        started, run = self._post_run(command.remote_id, wanted=True)
        if world.epoch != epoch:
            return
        if world.chance(world.chances.lost_after):
            world.answer(1.0, lost)
        elif started:
            world.answer(0.1, facts.RunStarted(command.connection, run))
        else:
            mine = world.cloud.runs[run].connection == command.remote_id
            world.answer(0.1, facts.RunRefused(command.connection, run, mine))

    def _start_late(self, command: commands.StartRun) -> None:
        self.effects -= 1
        self._post_run(command.remote_id, wanted=False)

    def _post_run(self, remote_id: str, *, wanted: bool) -> tuple[bool, str]:
        world = self.world
        fates = (Outcome.SUCCEEDED,) * 6 + (Outcome.FAILED, Outcome.PARTIAL)
        fate = Outcome.SUCCEEDED if world.calm else world.rnd.choice(fates)
        length_s = world.rnd.uniform(0.2, 60.0)
        started, run = world.cloud.start(
            remote_id,
            world.now_s,
            ours=True,
            wanted=wanted,
            posted=True,
            fate=fate,
            length_s=length_s,
        )
        return started, run.id

    def _find(self, command: commands.FindRun) -> facts.Fact:
        newest = self.world.cloud.newest(command.remote_id, self.world.now_s)
        return facts.RunFound(command.connection, newest)

    def _look_at_run(self, command: commands.LookAtRun) -> facts.Fact:
        cloud = self.world.cloud
        run = cloud.look(command.run, self.world.now_s)
        if not run.ended:
            return facts.RunSeen(command.connection, run.id, Outcome.ACTIVE)
        results = cloud.results(run)
        return facts.RunSeen(command.connection, run.id, run.outcome, "as it went", results)

    def _fault(self) -> Failure | None:
        """Return a failure of a request that had no effect, now and then."""
        world = self.world
        if world.chance(world.chances.throttled):
            return Failure(Fault.THROTTLED, "too many requests", world.rnd.uniform(1.0, 60.0))
        if world.chance(world.chances.refused / 4):
            return Failure(Fault.UNAUTHORISED, "401")
        return None


def _prepare_failed(command: commands.Prepare, failure: Failure) -> facts.Fact:
    return facts.PrepareFailed(command.connection, failure)


def _look_failed(connection: str, run: str, failure: Failure) -> facts.Fact:
    return facts.RunLookFailed(connection, run, failure)
