"""Reads the digests of what the service took from the journal's compact copy of them.

Reading them record by record takes longer than reading the export file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

import structlog

from .digest_sets import DigestSet

SMALL_BYTES: Final = 100_000  # a batch has 8,000
PIECES_MAX: Final = 64  # small ones; if there are more, all is written anew in large ones
log = structlog.get_logger()


class Compact(Protocol):
    """Digests `added` less those `removed`, in pieces, of which `last` is the newest."""

    @property
    def added(self) -> list[bytes]: ...
    @property
    def removed(self) -> list[bytes]: ...
    @property
    def last(self) -> int: ...


class KeepsDigests(Protocol):
    """The digests of what the service took, eight bytes for each record."""

    def every_digest(self, connection: str, entity: str) -> Iterator[bytes]:
        """Yield them all, read record by record, many at once."""

    def compact_digests(self, connection: str, entity: str) -> Compact | None:
        """Return them all, read at once; None where only the records are known."""

    def keep_digests(self, connection: str, entity: str, digests: bytes, last: int) -> None:
        """Let `compact_digests` return these, unless there was a change since `last` (-1: None)."""


def known_digests(delivered: KeepsDigests, connection: str, entity: str) -> DigestSet:
    """Return the digests of all that was taken; writes the compact copy where it is due."""
    last = -1
    if compact := delivered.compact_digests(connection, entity):
        last = compact.last
        try:
            known = DigestSet(compact.added, b"".join(compact.removed))
        except KeyError:
            log.warning("bulk.digests_read_anew", connection=connection, entity=entity)
        else:
            small = [piece for piece in compact.added if len(piece) < SMALL_BYTES]
            if len(small) + len(compact.removed) > PIECES_MAX:
                delivered.keep_digests(connection, entity, bytes(known), last)
            return known
    known = DigestSet(delivered.every_digest(connection, entity))
    delivered.keep_digests(connection, entity, bytes(known), last)
    return known
