"""Carries out commands on threads and posts their closing facts; decides nothing.

Whatever touches a share runs on threads of its drive, and a share that does not answer is given
up, so it delays nothing else. Uploads, calls about runs and comparisons have threads of their own.
All are daemon threads: a stop waits for none of them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Final, assert_never

import structlog

from ..core import commands, facts
from ..core.model import (
    ABSENT,
    ConnectionKey,
    Failure,
    Fault,
    FileKey,
    SourceKey,
    is_as_remembered,
)
from ..errors import DiskError, FileMoved, ShareSilent
from ..targets.protocol import Target
from .cloud_worker import AskingFor, CloudWorker, failed
from .drive_threads import SLOW_S
from .share_folder import Share
from .share_pulse import SharePulse
from .share_threads import CHECK_S
from .threads import Threads
from .upload_progress import UploadProgress

CALL_THREADS: Final = 4  # calls about connections and runs: one at a time per lane; slow ones more
COMPARE_THREADS: Final = 12  # three at a time, and some more while these hang (see core/places.py)
CALL_PATIENCE_S: Final = 900.0  # time-outs end a call before, unless a server sends drop by drop
LONG_PATIENCE_S: Final = 4 * 3600.0  # a block over a slow line; thousands of new source files

_LONG: Final = (commands.Store, commands.Stage, commands.Prepare, commands.Compare)

log = structlog.get_logger()

Post = Callable[[facts.Fact], None]
Lend = Callable[[], AbstractContextManager[None]]


class CallSilentError(Exception):
    """A call of the platform goes on without progress; whether it had an effect is unknown."""


class Workers:
    """Begins commands; each is answered through `post` by exactly one closing fact."""

    def __init__(
        self,
        shares: Mapping[SourceKey, Share],
        targets: Mapping[ConnectionKey, Target],
        post: Post,
        uploads: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        asking_for: AskingFor = lambda _connection: nullcontext(),
        lend: Lend = nullcontext,
    ) -> None:
        """`shares` by source key, `targets` by connection key.

        `uploads` is how many may run at once. `clock` gives monotonic seconds. `asking_for`
        makes requests take turns by connection. `lend` gives back what the thread of an upload
        holds of what all share, while it waits for a share that may hang.
        """
        self._post = post
        self._shares = shares
        self._drives = {share.threads.drives for share in shares.values()}  # one, as a rule
        self._drive = DriveWorker(shares, post)
        self._uploads = Threads("upload", uploads, clock=clock, lend=lend)
        self._calls = Threads("call", CALL_THREADS, clock=clock)
        self._compares = Threads("compare", COMPARE_THREADS, clock=clock)
        self._pools = (self._uploads, self._calls, self._compares)
        self.progress = UploadProgress()
        note = self._uploads.note_progress
        self._cloud = CloudWorker(shares, targets, post, note, self.progress, asking_for)
        self._pulse = SharePulse(shares, post, clock=clock)
        self._stopping = threading.Event()
        threading.Thread(target=self._check, name="drive-watchdog", daemon=True).start()

    def begin(self, command: commands.Command) -> None:
        """Carry the command out on some thread."""
        match command:
            case commands.Scan(source) | commands.LookAt(source):
                self._begin_on_share(source, command)
            case commands.Hash(key) | commands.Rehash(key):
                self._begin_on_share(key.source, command)
            case commands.Store() | commands.Stage():
                self._begin_on(self._uploads, command)
            case (
                commands.Place()
                | commands.Remove()
                | commands.Prepare()
                | commands.StartRun()
                | commands.FindRun()
                | commands.LookAtRun()
            ):
                self._begin_on(self._calls, command)
            case commands.Compare():
                self._begin_on(self._compares, command)
            case _:
                assert_never(command)

    def stop(self) -> None:
        """Begin nothing more and post nothing more; waits for no thread."""
        self._stopping.set()
        for drives in self._drives:
            drives.stop()
        for threads in self._pools:
            threads.stop()

    def _begin_on_share(self, source: SourceKey, command: commands.DriveCommand) -> None:
        future = self._shares[source].threads.submit(
            lambda: self._drive.carry_out(command),
            in_background=isinstance(command, commands.Scan | commands.Rehash),
        )
        future.add_done_callback(lambda done: self._answer(command, done))

    def _begin_on(self, threads: Threads, command: commands.CloudCommand) -> None:
        is_long = isinstance(command, _LONG)
        patience_s = LONG_PATIENCE_S if is_long else CALL_PATIENCE_S
        future = threads.submit(lambda: self._cloud.carry_out(command), patience_s=patience_s)
        future.add_done_callback(lambda done: self._answer(command, done))

    def _answer(self, command: commands.Command, done: Future[facts.Fact]) -> None:
        """Post what closes the command; called on the thread that ended or gave up the job."""
        if self._stopping.is_set():
            return
        error = done.exception()
        if error is None:
            answer = [done.result()]
        elif isinstance(error, CallSilentError):
            answer = _unanswered(command, Failure(Fault.TRANSIENT, str(error)))
        elif isinstance(error, ShareSilent) and error.in_part and _is_scan(command):
            self.begin(command)  # what hangs is left out now, and named
            return
        elif isinstance(error, ShareSilent):
            answer = _unanswered(command, Failure(Fault.TRANSIENT, str(error)), error.since_s)
            answer += _silence_of(command, str(error))
        else:  # a bug must still be answered
            log.error("command.broke", command=type(command).__name__, exc_info=error)
            answer = _unanswered(command, Failure(Fault.TRANSIENT, f"internal error: {error!r}"))
        for fact in answer:
            self._post(fact)

    def _check(self) -> None:
        """Give up what does not answer, again and again."""
        while not self._stopping.wait(CHECK_S):
            self.check()

    def check(self) -> None:
        """Give up what does not answer: shares, and calls of the platform; report slow shares."""
        for drives in self._drives:
            drives.check()
        self._pulse.check()
        self._calls.pass_by_slow(SLOW_S)
        for pool in self._pools:
            for job in pool.give_up_slow():
                job.fail(CallSilentError("the platform has not answered for a long time"))


@dataclass(frozen=True, slots=True)
class DriveWorker:
    """Looks, hashes and scans; on threads of the share alone."""

    shares: Mapping[SourceKey, Share]
    post: Post

    def carry_out(self, command: commands.DriveCommand) -> facts.Fact:
        """Do it and return the closing fact."""
        match command:
            case commands.Scan():
                return self._scan(command)
            case commands.LookAt():
                return self._look(command)
            case commands.Hash():
                return self._hash(command)
            case commands.Rehash():
                return self._rehash(command)
            case _:
                assert_never(command)

    def _scan(self, command: commands.Scan) -> facts.Fact:
        share = self.shares[command.source]
        for fact in share.folder.scan(command):
            if not isinstance(fact, facts.FilesFound):
                return fact
            with share.threads.paused():  # the engine may be busy, which is not the share's fault
                self.post(fact)
        raise AssertionError("a scan ended without saying how")

    def _look(self, command: commands.LookAt) -> facts.Fact:
        folder = self.shares[command.source].folder
        looks = []
        for path in command.paths:
            try:
                found = folder.look(path)
                if found is not None and command.reading:
                    folder.try_reading(path)
                looks.append((path, found))
            except DiskError as exc:
                self.post(facts.LookFailed(FileKey(command.source, path), exc.with_hint))
        return facts.Looked(command.source, tuple(looks))

    def _hash(self, command: commands.Hash) -> facts.Fact:
        try:
            folder = self.shares[command.key.source].folder
            digest = folder.digest_of_new(command.key.path, command.fingerprint)
        except FileMoved as exc:
            return facts.HashMissed(command.key, str(exc), moved=True)
        except DiskError as exc:
            return facts.HashMissed(command.key, exc.with_hint)
        return facts.Hashed(command.key, command.fingerprint, digest)

    def _rehash(self, command: commands.Rehash) -> facts.Fact:
        folder, key = self.shares[command.key.source].folder, command.key
        try:
            found = folder.look(key.path)
            if found is not None and is_as_remembered(found, command.fingerprint):
                return facts.Rehashed(key, found, folder.digest(key.path, found))
        except DiskError as exc:
            log.info("rehash.missed", source=key.source, path=key.path, reason=str(exc))
        return facts.Rehashed(key, None, ABSENT)


def _is_scan(command: commands.Command) -> bool:
    return isinstance(command, commands.Scan)


def _silence_of(command: commands.Command, reason: str) -> list[facts.Fact]:
    """Return what makes a scan find out whether the whole share is silent."""
    match command:
        case (
            commands.LookAt(source)
            | commands.Hash(FileKey(source))
            | commands.Rehash(FileKey(source))
        ):
            return [facts.HintsLost(source, reason)]
        case _:
            return []


def _unanswered(
    command: commands.Command, failure: Failure, silent_since_s: float = 0.0
) -> list[facts.Fact]:
    """Return the closing facts of a command that was not carried out to its end."""
    match command:
        case commands.Scan(source):
            return [facts.ScanFailed(source, failure.message, silent_since_s=silent_since_s)]
        case commands.LookAt(source, paths):
            keys = (FileKey(source, path) for path in paths)
            unseen = [facts.LookFailed(key, failure.message) for key in keys]
            return [*unseen, facts.Looked(source, ())]
        case commands.Hash(key):
            return [facts.HashMissed(key, failure.message)]
        case commands.Rehash(key):
            return [facts.Rehashed(key, None, ABSENT)]
        case _:
            return [failed(command, failure)]
