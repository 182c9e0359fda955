"""Where the content of files lies for the platform to fetch; one Protocol for every kind of place.

A path is the file's id, its digest and its name, so a content never changes under its path and
whoever does not know the digest cannot guess it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, Protocol, Self

from ...core.model import Digest, StorageId
from ..protocol import Content

_NOT_PLAIN: Final = re.compile(r"[^A-Za-z0-9._-]")
PIECE_BYTES: Final = 8 << 20  # read and sent at a time; every store takes parts of this size


class ObjectPath(NamedTuple):
    """One content of one file."""

    storage_id: StorageId
    digest: Digest
    name: str

    @classmethod
    def of(cls, storage_id: StorageId, digest: Digest, path: str) -> Self:
        """Return the path for a content of the file at `path`.

        The name only helps people. It is plain ASCII, since obstore 0.12.1 signs addresses of Azure
        wrongly where a name must be encoded; a run is given the real name besides.
        """
        return cls(storage_id, digest, _NOT_PLAIN.sub("_", path.rpartition("/")[2]))

    def __str__(self) -> str:
        """Read as the path below the place."""
        return "/".join(self)

    @classmethod
    def read(cls, text: str) -> ObjectPath | None:
        """Return the path that `str` wrote; None for what is not ours."""
        parts = text.split("/")
        if len(parts) != 3:
            return None
        return cls(StorageId(parts[0]), Digest(parts[1]), parts[2])


class Held(NamedTuple):
    """An object that is there; `stored_s`: when it was stored, seconds since the epoch."""

    size_bytes: int
    stored_s: float


class Place(Protocol):
    """Holds objects; called from several threads. Every method raises CloudError."""

    def put(self, path: ObjectPath, content: Content) -> None:
        """Store the content whole, or nothing; one that is there already stays.

        Raises FileMoved when the file is no longer the one that settled.
        """

    def held(self) -> dict[ObjectPath, Held]:
        """Return every object of ours that is there."""

    def urls(self, paths: Sequence[ObjectPath]) -> list[str]:
        """Return where each can be fetched without signing in, for as long as a run may take."""

    def read(self, path: ObjectPath) -> Iterator[bytes]:
        """Yield the content of an object, a piece at a time."""

    def delete(self, paths: Sequence[ObjectPath]) -> None:
        """Delete them; those that are gone already are fine."""
