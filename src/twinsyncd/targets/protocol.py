"""The one Protocol that workers use to reach any kind of connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from ..core import commands, facts
from ..core.content import Content

__all__ = ["Content", "StagingTarget", "Target"]


class Target(Protocol):
    """Delivers the files of one configured connection; called from several threads.

    Every method carries out one command and returns its closing fact; CloudError for failures,
    FileMoved (only `store`) when the file is no longer the one that settled.
    """

    def store(
        self, command: commands.Store, content: Content, note: Callable[[facts.Reserved], None]
    ) -> facts.Stored:
        """Bring the content to Storage; `note` gets the storage file id before any byte goes."""

    def place(self, command: commands.Place) -> facts.Placed:
        """Rename a stored file, and move it, to where its path belongs; its id stays."""

    def remove(self, command: commands.Remove) -> facts.Removed:
        """Take files that are gone out of the connection, and out of Storage if so asked."""

    def prepare(self, command: commands.Prepare) -> facts.Prepared:
        """Create or complete the connection with its source files; looks before it creates."""

    def start_run(
        self, command: commands.StartRun
    ) -> facts.RunStarted | facts.RunRefused | facts.StartClashed:
        """Request a run once; never repeated here, since it is not idempotent."""

    def find_run(self, command: commands.FindRun) -> facts.RunFound:
        """Look up the newest run of the connection."""

    def compare(self, command: commands.Compare) -> facts.Compared:
        """Look whether the service has what is remembered; changes nothing."""

    def look_at_run(self, command: commands.LookAtRun) -> facts.RunSeen:
        """Look at one run, ours or somebody else's."""


@runtime_checkable
class StagingTarget(Protocol):
    """A target that can take content before it becomes the file's."""

    def stage(self, command: commands.Stage, content: Content) -> facts.Staged:
        """Bring the content to Storage, unseen. Raises CloudError, FileMoved; changes nothing."""
