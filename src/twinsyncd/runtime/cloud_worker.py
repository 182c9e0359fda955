"""Carries out the commands about the platform: stores, connections, runs; decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import assert_never

import structlog

from ..core import commands, facts
from ..core.model import ConnectionKey, Failure, Fault, RunKey, SourceKey
from ..errors import CloudError, DiskError, FileMoved, JournalError
from ..targets.protocol import StagingTarget, Target
from .share_content import ShareContent
from .share_folder import Share
from .upload_progress import UploadProgress

log = structlog.get_logger()

Post = Callable[[facts.Fact], None]
AskingFor = Callable[[ConnectionKey], AbstractContextManager[None]]
"""Lets the requests of this thread count as the connection's, while the context lasts."""


@dataclass(frozen=True, slots=True)
class CloudWorker:
    """Stores, and everything about connections and runs."""

    shares: Mapping[SourceKey, Share]
    targets: Mapping[ConnectionKey, Target]
    post: Post
    note_progress: Callable[[], None]
    progress: UploadProgress
    asking_for: AskingFor = lambda _connection: nullcontext()

    def carry_out(self, command: commands.CloudCommand) -> facts.Fact:
        """Do it and return the closing fact."""
        try:
            with self.asking_for(command.connection):
                return self._try(command)
        except FileMoved:
            return _moved(command)
        except DiskError as exc:
            log.warning("file.unreadable", error=str(exc))
            return _moved(command)
        except CloudError as exc:
            return failed(command, exc.failure)
        except JournalError as exc:  # what must be remembered before it is done, was not
            return failed(command, Failure(Fault.TRANSIENT, exc.with_hint))

    def _try(self, command: commands.CloudCommand) -> facts.Fact:
        target = self.targets[command.connection]
        match command:
            case commands.Store():
                with self._opened(command) as content:
                    return target.store(command, content, self.post)
            case commands.Stage():
                assert isinstance(target, StagingTarget), "the setup says who stages"
                with self._opened(command) as content:
                    return target.stage(command, content)
            case commands.Place():
                return target.place(command)
            case commands.Remove():
                return target.remove(command)
            case commands.Prepare():
                return target.prepare(command)
            case commands.StartRun():
                return target.start_run(command)
            case commands.FindRun():
                return target.find_run(command)
            case commands.LookAtRun():
                return target.look_at_run(command)
            case commands.Compare():
                return target.compare(command)
            case _:
                assert_never(command)

    @contextmanager
    def _opened(self, command: commands.Store | commands.Stage) -> Iterator[ShareContent]:
        """Yield the settled content; what is sent of it counts as progress."""
        key, fingerprint = command.key, command.fingerprint
        share = self.shares[key.source]
        opened = partial(share.folder.open, key.path, fingerprint, command.digest)
        with (
            self.progress.upload(fingerprint.size_bytes) as sent,
            ShareContent(opened, share.threads, self.note_progress, sent) as content,
        ):
            yield content


def _moved(command: commands.CloudCommand) -> facts.Fact:
    """Return the closing fact that says the file is not the one that settled any more."""
    if isinstance(command, commands.Stage):
        return facts.StageMoved(command.key)
    assert isinstance(command, commands.Store), "nothing else reads a file"
    return facts.StoreMoved(command.key)


def failed(command: commands.CloudCommand, failure: Failure) -> facts.Fact:
    """Return the closing fact that says the command did not succeed."""
    match command:
        case commands.Store(key):
            return facts.StoreFailed(key, failure)
        case commands.Stage(key):
            return facts.StageFailed(key, failure)
        case commands.Place(key):
            return facts.PlaceFailed(key, failure)
        case commands.Remove(connection):
            return facts.RemoveFailed(connection, failure)
        case commands.Prepare(connection):
            return facts.PrepareFailed(connection, failure)
        case commands.StartRun(connection):
            return facts.StartFailed(connection, failure)
        case commands.FindRun(connection):
            return facts.RunLookFailed(connection, RunKey(""), failure)
        case commands.LookAtRun(connection, run):
            return facts.RunLookFailed(connection, run, failure)
        case commands.Compare(connection):
            return facts.CompareFailed(connection, failure)
        case _:
            assert_never(command)
