# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""Fakes for the shell: folders and targets that do what a test prescribes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import Queue

from twinsyncd.core import commands, facts
from twinsyncd.core.content import Content
from twinsyncd.core.model import (
    Digest,
    FileKey,
    Fingerprint,
)
from twinsyncd.core.results import Outcome

WAIT_S = 10.0  # a test that waits longer has failed; none waits that long when all is well

CAD, BIM = "one/cad", "two/bim"
A = FileKey(CAD, "a.dgn")
LOOK = Fingerprint(3, 1, 7)
STORE = commands.Store(A, "one", "v1", LOOK, "")
STAGE = commands.Stage(A, "one", "v1", LOOK, "item-1")


@dataclass
class FakeContent:
    """Three bytes."""

    size_bytes: int = 3
    fails: BaseException | None = None  # raised once it was read

    def chunks(self, size_bytes: int) -> Iterator[bytes]:
        yield b"abc"

    def note_sent(self, size_bytes: int) -> None:
        pass

    def verify(self) -> None:
        if self.fails:
            raise self.fails


@dataclass
class FakeFolder:
    """One source's folder. `fails` is raised by every method; `gate` holds all of them up."""

    fails: BaseException | None = None
    fails_on_verify: BaseException | None = None
    unreadable: BaseException | None = None
    gate: threading.Event | None = None
    files: dict[str, Fingerprint | BaseException | None] = field(default_factory=dict)
    scans: Sequence[facts.FilesFound | facts.Scanned | facts.ScanFailed] = ()
    entered: threading.Event = field(default_factory=threading.Event)
    being_asked: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    asked: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def look(self, path: str) -> Fingerprint | None:
        self._pass()
        found = self.files.get(path)
        if isinstance(found, BaseException):
            raise found
        return found

    def ask(self) -> None:
        self.being_asked.release()
        if self.gate is not None:
            assert self.gate.wait(WAIT_S), "the gate was never opened"
        self.asked.release()

    def survey(self, limit: int) -> Iterator[str]:
        self._pass()
        yield from list(self.files)[:limit]

    def try_reading(self, path: str) -> None:
        self._pass()
        if self.unreadable:
            raise self.unreadable

    def digest(self, path: str, fingerprint: Fingerprint) -> Digest:
        self._pass()
        return Digest("v1")

    digest_of_new = digest

    def require_acceptable(self, path: str, fingerprint: Fingerprint) -> None:
        self._pass()

    @contextmanager
    def open(self, path: str, fingerprint: Fingerprint, digest: Digest) -> Iterator[Content]:
        self._pass()
        yield FakeContent(fails=self.fails_on_verify)

    def scan(
        self, command: commands.Scan
    ) -> Iterator[facts.FilesFound | facts.Scanned | facts.ScanFailed]:
        self._pass()
        yield from self.scans

    def _pass(self) -> None:
        self.entered.set()
        if self.gate is not None:
            assert self.gate.wait(WAIT_S), "the gate was never opened"
        if self.fails:
            raise self.fails


@dataclass
class FakeTarget:
    """One connection. `fails` is raised by every method."""

    fails: BaseException | None = None
    entered: threading.Event = field(default_factory=threading.Event)
    gate: threading.Event | None = None
    sent: bytes = b""

    def store(
        self, command: commands.Store, content: Content, note: Callable[[facts.Reserved], None]
    ) -> facts.Stored:
        note(facts.Reserved(command.key, "item-1"))
        self._pass()
        self.sent = b"".join(content.chunks(2))
        content.verify()
        return facts.Stored(command.key, command.digest, "item-1")

    def stage(self, command: commands.Stage, content: Content) -> facts.Staged:
        self._pass()
        self.sent = b"".join(content.chunks(2))
        content.verify()
        return facts.Staged(command.key, command.digest)

    def prepare(self, command: commands.Prepare) -> facts.Prepared:
        self._pass()
        return facts.Prepared(command.connection, "remote", "")

    def start_run(self, command: commands.StartRun) -> facts.RunStarted:
        self._pass()
        return facts.RunStarted(command.connection, "run-1")

    def find_run(self, command: commands.FindRun) -> facts.RunFound:
        self._pass()
        return facts.RunFound(command.connection, "run-1")

    def look_at_run(self, command: commands.LookAtRun) -> facts.RunSeen:
        self._pass()
        return facts.RunSeen(command.connection, command.run, Outcome.SUCCEEDED)

    def compare(self, command: commands.Compare) -> facts.Compared:
        self._pass()
        return facts.Compared(command.connection)

    def _pass(self) -> None:
        self.entered.set()
        if self.gate is not None:
            assert self.gate.wait(WAIT_S), "the gate was never opened"
        if self.fails:
            raise self.fails


@dataclass
class Clock:
    """Monotonic and wall-clock seconds that go on only when a test says so."""

    now_s: float = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now_s


class Letterbox(Queue[facts.Fact]):
    """Takes what workers post and gives it out in order."""

    def next(self) -> facts.Fact:
        """Return the next fact; fails when none comes."""
        return self.get(timeout=WAIT_S)
