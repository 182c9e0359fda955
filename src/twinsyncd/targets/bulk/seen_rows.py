"""What the first pass over an export file keeps of its rows."""

from __future__ import annotations

from collections.abc import Iterator

from .batches import DIGEST_BYTES
from .digest_sets import DigestSet, MetDigests


class SeenRows:
    """What the first pass keeps of the rows, to find GUIDs that are there twice.

    Equal rows have equal digests. Of two rows that differ one at least is changed; if the other is
    not, the service took its digest for the GUID that both have.
    """

    def __init__(self, taken: DigestSet) -> None:
        self.unchanged = MetDigests(taken)
        self._changed = bytearray()  # the digests of the changed rows
        self._halves = bytearray()  # of their GUIDs
        self._earlier = bytearray()  # digests that were taken for some of them
        self._known = bytearray()  # the first halves of these

    def note(self, guid: bytes, digest: bytes, earlier: bytes | None) -> None:
        """Note the GUID of a changed row, its digest, and the one that was taken for the GUID."""
        self._changed += digest
        self._halves += guid[:8]
        if earlier is not None:
            self._earlier += earlier
            self._known += guid[:8]

    def suspects(self) -> tuple[set[bytes], bytes]:
        """Return the first halves of GUIDs, and digests of rows, that may be there twice."""
        halves = _split(DigestSet([self._halves]).twice())
        self._halves = bytearray()
        changed = DigestSet([self._changed])
        still = self.unchanged.met(self._earlier).nonzero()[0].tolist()
        earlier = b"".join(digest_at(self._earlier, index) for index in still)
        return {*halves, *(digest_at(self._known, index) for index in still)}, (
            self.unchanged.doubled() + changed.twice() + earlier
        )

    def every(self) -> DigestSet:
        """Return the digests of all rows that have a GUID."""
        return DigestSet([self._changed, self.unchanged.every()])


def digest_at(digests: bytes | bytearray, index: int) -> bytes:
    return bytes(digests[index * DIGEST_BYTES : (index + 1) * DIGEST_BYTES])


def _split(digests: bytes) -> Iterator[bytes]:
    return (digest_at(digests, index) for index in range(len(digests) // DIGEST_BYTES))
