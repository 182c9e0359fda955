"""Sets of row digests, eight bytes for each, sorted: a million of them are 8 MB.

Digests are even, so the first bits of one say nearly where it is: a look-up touches two places in
memory and not twenty.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np

_TYPE: Final = "<u8"
_BITS: Final = 64
_SLICE: Final = 1 << 16  # digests counted at once, to save memory
_BITS_MAX: Final = 24  # of the table of beginnings: 64 MB for more than 16 million digests


class DigestSet:
    """Digests that are looked up many at a time."""

    def __init__(
        self, digests: Iterable[bytes | bytearray | memoryview], without: bytes = b""
    ) -> None:
        """`digests`: any pieces of a multiple of eight bytes; `without`: once for each removal.

        Raises KeyError if something is to be removed that is not there.
        """
        import numpy as np  # noqa: PLC0415 - optional, and 20 MB in memory

        self._sorted = np.frombuffer(bytearray().join(digests), _TYPE)
        self._sorted.sort(kind="stable")  # quick for what is nearly sorted
        if without:
            self._remove(np.sort(np.frombuffer(without, _TYPE)))
        self._shift = np.uint64(_BITS - min(max(len(self._sorted).bit_length(), 1), _BITS_MAX))
        self._begins: np.ndarray[Any, np.dtype[np.int32]] | None = None

    def __len__(self) -> int:
        """Return how many there are, each as often as it was given."""
        return len(self._sorted)

    def __bytes__(self) -> bytes:
        """Return them all in order."""
        return bytes(self._sorted.tobytes())

    def has(self, digests: bytes | bytearray) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Return for each of the digests whether it is there."""
        return self.places(digests) >= 0

    def places(self, digests: bytes | bytearray) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Return for each of the digests at which place of the set it is; -1 where it is not."""
        import numpy as np  # noqa: PLC0415 - as above

        wanted = np.frombuffer(digests, _TYPE)
        found = np.full(len(wanted), -1, np.int64)
        if not len(self._sorted) or not len(wanted):
            return found
        if self._begins is None:
            self._begins = self._table()
        first = (wanted >> self._shift).astype(np.int64)
        at, end = self._begins[first].astype(np.int64), self._begins[first + 1]
        left = (at < end).nonzero()[0]
        while len(left):
            here = at[left]
            equal = self._sorted[here] == wanted[left]
            found[left[equal]] = here[equal]
            left = left[~equal]
            at[left] += 1
            left = left[at[left] < end[left]]
        return found

    def chosen(self, places: np.ndarray[Any, np.dtype[np.bool_]]) -> memoryview:
        """Return those for which the place in order is true."""
        return memoryview(self._sorted[places]).cast("B")

    def pieces(self, size_bytes: int) -> Iterator[bytes]:
        """Yield them all in order, so many bytes at a time."""
        step = size_bytes // self._sorted.itemsize
        for first in range(0, len(self._sorted), step):
            yield self._sorted[first : first + step].tobytes()

    def mark(self) -> str:
        """Return a text that differs for other digests."""
        from xxhash import xxh3_64_hexdigest  # noqa: PLC0415 - optional

        return xxh3_64_hexdigest(self._sorted.data.cast("B"))

    def twice(self) -> bytes:
        """Return those that were given more than once."""
        doubled = self._sorted[1:][self._sorted[1:] == self._sorted[:-1]]
        return bytes(doubled.tobytes())

    def _table(self) -> np.ndarray[Any, np.dtype[np.int32]]:
        """Return where the digests with the same first bits begin, and where the last end."""
        import numpy as np  # noqa: PLC0415 - as above

        counts = np.zeros((1 << (_BITS - int(self._shift))) + 1, np.int32)
        for at in range(0, len(self._sorted), _SLICE):
            first = (self._sorted[at : at + _SLICE] >> self._shift).astype(np.int64)
            # They are in order, so those of a slice fill a part of the table.
            found = np.bincount(first - first[0])
            counts[first[0] + 1 : first[0] + 1 + len(found)] += found.astype(np.int32)
        return np.cumsum(counts, out=counts, dtype=np.int32)

    def _remove(self, removed: np.ndarray[Any, np.dtype[np.uint64]]) -> None:
        import numpy as np  # noqa: PLC0415 - as above

        rank = np.arange(len(removed)) - np.searchsorted(removed, removed)
        at = np.searchsorted(self._sorted, removed) + rank
        if at.max() >= len(self._sorted) or (self._sorted[at] != removed).any():
            raise KeyError("a digest that is to be removed is not there")
        self._sorted = np.delete(self._sorted, at)


class MetDigests:
    """Which digests of a set the rows of a file have; knows those that two rows have."""

    def __init__(self, digests: DigestSet) -> None:
        """Meet none so far."""
        import numpy as np  # noqa: PLC0415 - as above

        self._digests = digests
        self._row_of = np.full(len(digests), -1, np.int32)
        self._rows = 0
        self._doubled = bytearray()

    def meet(self, digests: bytes) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Note the digests of the next rows; return for each whether it is in the set."""
        import numpy as np  # noqa: PLC0415 - as above

        places = self._digests.places(digests)
        known = (places >= 0).nonzero()[0]
        at, rows = places[known], known + self._rows
        doubled = self._row_of[at] >= 0
        self._row_of[at] = rows
        doubled |= self._row_of[at] != rows  # a later one of these rows wrote there, too
        if doubled.any():
            self._doubled += np.frombuffer(digests, _TYPE)[known[doubled]].tobytes()
        self._rows += len(places)
        return places >= 0

    def met(self, digests: bytes | bytearray) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Return for each of the digests whether a row has it; they need not be in the set."""
        places = self._digests.places(digests)
        return (places >= 0) & (self._row_of[places] >= 0) if len(self._row_of) else places >= 0

    def every(self) -> memoryview:
        """Return the digests of the set that some row has, in order."""
        return self._digests.chosen(self._row_of >= 0)

    def doubled(self) -> bytes:
        """Return the digests of the set that more than one row has."""
        return bytes(self._doubled)
