"""Sets of row digests, eight bytes for each, sorted: a million of them are 8 MB."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np

_TYPE: Final = "<u8"


class DigestSet:
    """Digests that are looked up many at a time."""

    def __init__(self, digests: Iterable[bytes | bytearray]) -> None:
        """`digests`: any pieces of a multiple of eight bytes."""
        import numpy as np  # noqa: PLC0415 - optional, and 20 MB in memory

        self._sorted = np.frombuffer(bytearray().join(digests), _TYPE)
        self._sorted.sort()

    def __len__(self) -> int:
        """Return how many there are, each as often as it was given."""
        return len(self._sorted)

    def has(self, digests: bytes | bytearray) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Return for each of the digests whether it is there."""
        import numpy as np  # noqa: PLC0415 - as above

        wanted = np.frombuffer(digests, _TYPE)
        if not len(self._sorted):
            return np.zeros(len(wanted), np.bool_)
        # In order they are found in one walk; out of order each look misses the cache.
        order = np.argsort(wanted)
        ordered = wanted[order]
        places = np.searchsorted(self._sorted, ordered)
        places[places == len(self._sorted)] = 0
        found = np.empty(len(wanted), np.bool_)
        found[order] = self._sorted[places] == ordered
        return found

    def twice(self) -> bytes:
        """Return those that were given more than once."""
        doubled = self._sorted[1:][self._sorted[1:] == self._sorted[:-1]]
        return bytes(doubled.tobytes())
