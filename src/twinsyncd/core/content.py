"""What targets get from disk: the bytes of a settled file, verified before they are committed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol


class Content(Protocol):
    """A settled file opened for one reading; the bytes are hashed as they pass."""

    @property
    def size_bytes(self) -> int:
        """The length the fingerprint promises."""

    def chunks(self, size_bytes: int) -> Iterator[bytes]:
        """Yield the file from its start in pieces of `size_bytes`, the last one shorter."""

    def note_sent(self, size_bytes: int) -> None:
        """Note that so many more bytes went out, so that people see how far it is."""

    def verify(self) -> None:
        """Raise FileMoved unless exactly the settled content was read and is still on the drive.

        Call it after the last chunk and before anything is committed.
        """
