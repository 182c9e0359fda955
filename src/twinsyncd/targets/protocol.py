"""The one Protocol that hands use to reach any kind of connection."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from ..core import commands, facts


class Content(Protocol):
    """A settled file opened for one reading; the bytes are hashed as they pass."""

    @property
    def size_bytes(self) -> int:
        """The length the fingerprint promises."""

    def chunks(self, size_bytes: int) -> Iterator[bytes]:
        """Yield the file from its start in pieces of `size_bytes`, the last one shorter."""

    def verify(self) -> None:
        """Raise FileMoved unless exactly the settled content was read and still stands.

        Call it after the last chunk and before anything is committed.
        """


class Target(Protocol):
    """Delivers the files of one configured connection; called from several threads.

    Every method carries out one command and returns its closing fact; CloudError for failures,
    FileMoved (only `store`) when the file is no longer the one that settled.
    """

    def store(
        self, command: commands.Store, content: Content, note: Callable[[facts.Reserved], None]
    ) -> facts.Stored:
        """Bring the content to Storage; `note` is told the service's id before any byte goes."""

    def prepare(self, command: commands.Prepare) -> facts.Prepared:
        """Make the connection exist with all its source files; looks before it creates."""

    def start_run(
        self, command: commands.StartRun
    ) -> facts.RunStarted | facts.RunRefused | facts.StartClashed:
        """Ask for a run once; never repeated here, since it is not idempotent."""

    def find_run(self, command: commands.FindRun) -> facts.RunFound:
        """Look up the newest run of the connection."""

    def look_at_run(self, command: commands.LookAtRun) -> facts.RunSeen:
        """Look at one run, ours or somebody else's."""
