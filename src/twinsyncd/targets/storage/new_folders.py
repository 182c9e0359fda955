"""What is known of folders that were just asked for, where listings show them late.

A listing that lacks a folder proves nothing for a while: the service may show it later, or carry
out late what it was asked. Each folder is remembered before it is asked for and when it has its
id, so that a process that ends in between leaves that to the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from ...core.model import Failure, Fault
from ...core.new_folder import NewFolder
from ...errors import CloudError

NEW_S: Final = 30.0  # lags of listings that were reported are of some seconds
AGAIN_S: Final = 5.0  # before a folder that cannot be found is looked for again
UNANSWERED_S: Final = 10.0  # a request that broke off is carried out by then, or never


class FolderMemory(Protocol):
    """Keeps new folders from one process to the next."""

    def read(self) -> Sequence[NewFolder]:
        """Return what was asked for lately."""

    def note(self, folder: NewFolder) -> None:
        """Remember a folder, in place of what was known of it."""

    def forget(self, parent_id: str, name: str) -> None:
        """Forget a folder that was not made."""


class NoMemory:
    """Remembers nothing, for who makes folders that no later process asks for."""

    def read(self) -> Sequence[NewFolder]:
        """Return nothing."""
        return ()

    def note(self, folder: NewFolder) -> None:
        """Do nothing."""

    def forget(self, parent_id: str, name: str) -> None:
        """Do nothing."""


class FoldersJustMade:
    """The new folders of one iTwin; not safe for several threads at once."""

    def __init__(self, memory: FolderMemory, now: Callable[[], float]) -> None:
        """Read nothing before the first question. `now` is wall clock [s]."""
        self._memory = memory
        self._now = now
        self._known: dict[tuple[str, str], NewFolder] | None = None

    def id_of(self, parent_id: str, name: str) -> str:
        """Return the id of a folder that was just made; "" if none was.

        Raises a transient CloudError while it may have been made and nobody knows its id.
        """
        found = self._all().get((parent_id, name))
        if found is None:
            return ""
        age_s = self._now() - found.asked_s
        span_s = NEW_S if found.made_id else UNANSWERED_S
        if not 0.0 <= age_s < span_s:  # the clock may have been set back
            return ""
        if not found.made_id:
            raise _asked_already(name, span_s - age_s)
        return found.made_id

    def not_shown(self, parent_id: str, name: str) -> CloudError:
        """Return the error for a folder that was just made, and that Storage does not have yet.

        Or not any more: it is made again once it is not new.
        """
        left_s = self._all()[parent_id, name].asked_s + NEW_S - self._now()
        message = (
            f"Storage made the folder {name} a moment ago and does not show it yet; it is looked "
            f"for again, and made again if it is not there within {NEW_S:.0f} s"
        )
        again_s = min(max(left_s, 0.0), AGAIN_S)
        failure = Failure(Fault.TRANSIENT, message, retry_after_s=again_s)
        return CloudError("find a folder in Storage", failure)

    def ask(self, parent_id: str, name: str) -> None:
        """Remember that a folder is about to be asked for."""
        self._note(NewFolder(parent_id, name, "", self._now()))

    def made(self, parent_id: str, name: str, made_id: str) -> None:
        """Remember the id that a folder got."""
        self._note(NewFolder(parent_id, name, made_id, self._now()))

    def failed(self, parent_id: str, name: str, fault: Fault) -> None:
        """Note that the request failed: a refusal made nothing, a lost answer may have."""
        if fault is not Fault.TRANSIENT:
            self._all().pop((parent_id, name), None)
            self._memory.forget(parent_id, name)

    def _note(self, folder: NewFolder) -> None:
        self._all()[folder.parent_id, folder.name] = folder
        self._memory.note(folder)

    def _all(self) -> dict[tuple[str, str], NewFolder]:
        if self._known is None:
            self._known = {(each.parent_id, each.name): each for each in self._memory.read()}
        return self._known


def _asked_already(name: str, left_s: float) -> CloudError:
    message = (
        f"Storage was asked for the folder {name} and did not answer; whether it is there is "
        "looked up again in a moment, so that it is not made twice"
    )
    return CloudError(
        "create a folder in Storage", Failure(Fault.TRANSIENT, message, retry_after_s=left_s)
    )
