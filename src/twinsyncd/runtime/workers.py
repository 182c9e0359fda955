"""Carries out commands on threads and posts their closing facts; decides nothing.

The drive's work runs on threads of its source's own, so that a share that hangs delays
no other; uploads and the few calls about runs have threads of their own each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar, assert_never

import structlog

from ..core import commands, facts
from ..core.model import (
    ConnectionKey,
    Failure,
    Fault,
    FileKey,
    RunKey,
    SourceKey,
)
from ..disk.protocols import Readable
from ..errors import CloudError, DiskError, FileMoved
from ..targets.protocol import Target

DRIVE_THREADS: Final = 4  # per source: a scan, and a few files read beside it
CALL_THREADS: Final = 4  # calls about connections and runs: one at a time per lane

log = structlog.get_logger()

Post = Callable[[facts.Fact], None]
C = TypeVar("C", bound=commands.Command)


class Workers:
    """Begins commands; each is answered through `post` by exactly one closing fact."""

    def __init__(
        self,
        folders: Mapping[SourceKey, Readable],
        targets: Mapping[ConnectionKey, Target],
        post: Post,
        uploads: int,
    ) -> None:
        """`folders` by source key, `targets` by connection key.

        `uploads` is how many may run at once.
        """
        self._post = post
        self._drive = DriveWorker(folders, post)
        self._cloud = CloudWorker(folders, targets, post)
        self._drive_threads = {
            source: ThreadPoolExecutor(DRIVE_THREADS, f"drive-{source}") for source in folders
        }
        self._upload_threads = ThreadPoolExecutor(uploads, "upload")
        self._call_threads = ThreadPoolExecutor(CALL_THREADS, "call")
        self._stopping = False

    def begin(self, command: commands.Command) -> None:
        """Carry the command out on some thread."""
        match command:
            case commands.Scan(source) | commands.LookAt(source):
                self._drive_threads[source].submit(self._do, self._drive.carry_out, command)
            case commands.Hash(key):
                self._drive_threads[key.source].submit(self._do, self._drive.carry_out, command)
            case commands.Store():
                self._upload_threads.submit(self._do, self._cloud.carry_out, command)
            case (
                commands.Prepare() | commands.StartRun() | commands.FindRun() | commands.LookAtRun()
            ):
                self._call_threads.submit(self._do, self._cloud.carry_out, command)
            case _:
                assert_never(command)

    def stop(self) -> None:
        """Begin nothing more; running commands finish or end with the process."""
        self._stopping = True
        for threads in (*self._drive_threads.values(), self._upload_threads, self._call_threads):
            threads.shutdown(wait=False, cancel_futures=True)

    def _do(self, act: Callable[[C], facts.Fact], command: C) -> None:
        if self._stopping:
            return
        try:
            answer = [act(command)]
        except Exception as exc:  # a hand's top: a bug must still be answered
            log.exception("command.broke", command=type(command).__name__)
            answer = _broken(command, Failure(Fault.TRANSIENT, f"internal error: {exc!r}"))
        for fact in answer:
            self._post(fact)


@dataclass(frozen=True, slots=True)
class DriveWorker:
    """Looks, hashes and scans."""

    folders: Mapping[SourceKey, Readable]
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
            case _:
                assert_never(command)

    def _scan(self, command: commands.Scan) -> facts.Fact:
        for fact in self.folders[command.source].scan(command):
            if not isinstance(fact, facts.FilesFound):
                return fact
            self.post(fact)
        raise AssertionError("a scan ended without saying how")

    def _look(self, command: commands.LookAt) -> facts.Fact:
        folder = self.folders[command.source]
        looks = []
        for path in command.paths:
            try:
                looks.append((path, folder.look(path)))
            except DiskError as exc:
                self.post(facts.LookFailed(FileKey(command.source, path), str(exc)))
        return facts.Looked(command.source, tuple(looks))

    def _hash(self, command: commands.Hash) -> facts.Fact:
        try:
            folder = self.folders[command.key.source]
            digest = folder.digest(command.key.path, command.fingerprint)
        except DiskError as exc:
            return facts.HashMissed(command.key, str(exc))
        return facts.Hashed(command.key, command.fingerprint, digest)


@dataclass(frozen=True, slots=True)
class CloudWorker:
    """Stores, and everything about connections and runs."""

    folders: Mapping[SourceKey, Readable]
    targets: Mapping[ConnectionKey, Target]
    post: Post

    def carry_out(self, command: commands.CloudCommand) -> facts.Fact:
        """Do it and return the closing fact."""
        try:
            return self._try(command)
        except FileMoved:
            assert isinstance(command, commands.Store), "only a store reads a file"
            return facts.StoreMoved(command.key)
        except DiskError as exc:
            log.warning("file.unreadable", error=str(exc))
            assert isinstance(command, commands.Store), "only a store reads a file"
            return facts.StoreMoved(command.key)
        except CloudError as exc:
            return failed(command, exc.failure)

    def _try(self, command: commands.CloudCommand) -> facts.Fact:
        target = self.targets[command.connection]
        match command:
            case commands.Store(key, _, digest, fingerprint):
                folder = self.folders[key.source]
                with folder.open(key.path, fingerprint, digest) as content:
                    return target.store(command, content, self.post)
            case commands.Prepare():
                return target.prepare(command)
            case commands.StartRun():
                return target.start_run(command)
            case commands.FindRun():
                return target.find_run(command)
            case commands.LookAtRun():
                return target.look_at_run(command)
            case _:
                assert_never(command)


def _broken(command: commands.Command, failure: Failure) -> list[facts.Fact]:
    """Return what answers a command that met a bug of ours."""
    match command:
        case commands.Scan(source):
            return [facts.ScanFailed(source, failure.message)]
        case commands.LookAt(source, paths):
            keys = (FileKey(source, path) for path in paths)
            unseen = [facts.LookFailed(key, failure.message) for key in keys]
            return [*unseen, facts.Looked(source, ())]
        case commands.Hash(key):
            return [facts.HashMissed(key, failure.message)]
        case _:
            return [failed(command, failure)]


def failed(command: commands.CloudCommand, failure: Failure) -> facts.Fact:
    """Return the closing fact that says the command did not succeed."""
    match command:
        case commands.Store(key):
            return facts.StoreFailed(key, failure)
        case commands.Prepare(connection):
            return facts.PrepareFailed(connection, failure)
        case commands.StartRun(connection):
            return facts.StartFailed(connection, failure)
        case commands.FindRun(connection):
            return facts.RunLookFailed(connection, RunKey(""), failure)
        case commands.LookAtRun(connection, run):
            return facts.RunLookFailed(connection, run, failure)
        case _:
            assert_never(command)
