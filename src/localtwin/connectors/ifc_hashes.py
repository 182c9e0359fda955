"""Hashes of many short texts at once: 64 bits each, equal on every machine and in every run.

Written here because a model has millions of statements: a call of hashlib for each of them takes
longer than a parser takes for the whole file. Two texts that differ by chance have equal hashes
once in 10**19 comparisons; nobody who forges one gains more than an edit that goes unseen.
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Hashes: TypeAlias = NDArray[np.uint64]
Places: TypeAlias = NDArray[np.int64]
Bytes: TypeAlias = NDArray[np.uint8]

_BITS = 2**64
_WHOLE_MAX = 1 << 23  # bytes of a text that are hashed together; they take eight times as many
_BASE = 0x9E3779B97F4A7C15
_FIRST_SIZE = 1 << 12
_LETTERS: Hashes = np.random.Generator(np.random.PCG64(1)).integers(
    0, _BITS, 256, dtype=np.uint64
) | np.uint64(1)


class Powers:
    """The powers of an odd number, modulo 2**64; as many as were asked for."""

    def __init__(self, base: int) -> None:
        self._base = base
        self._known: Hashes = np.ones(1, np.uint64)

    def upto(self, count: int) -> Hashes:
        """Return the powers from the zeroth, at least so many."""
        if count > len(self._known):
            size = max(_FIRST_SIZE, 1 << count.bit_length())
            factors = np.full(size, self._base, np.uint64)
            factors[0] = 1
            self._known = np.multiply.accumulate(factors)
        return self._known


_FORWARD, _BACK = Powers(_BASE), Powers(pow(_BASE, -1, _BITS))


class PartHashes:
    """Hashes of parts of one text; a part has the same hash wherever it is."""

    def __init__(self, text: Bytes, whole_max: int = _WHOLE_MAX) -> None:
        self._text = text
        self._sums = _sums(text) if len(text) <= whole_max else None

    def of(self, begins: Places, ends: Places) -> Hashes:
        """Return the hash of each part; the parts are in order and do not overlap."""
        if self._sums is not None:
            sums = self._sums
            return (sums[ends] - sums[begins]) * _BACK.upto(len(sums))[begins]
        found: Hashes = np.zeros(len(begins), np.uint64)
        first = 0
        while first < len(begins):
            at = int(begins[first])
            last = max(first + 1, int(np.searchsorted(ends, at + _WHOLE_MAX, "right")))
            block = PartHashes(self._text[at : int(ends[last - 1])], len(self._text))
            found[first:last] = block.of(begins[first:last] - at, ends[first:last] - at)
            first = last
        return found


def _sums(text: Bytes) -> Hashes:
    sums: Hashes = np.zeros(len(text) + 1, np.uint64)
    letters = _LETTERS[text]
    letters *= _FORWARD.upto(len(text))[: len(text)]
    np.cumsum(letters, out=sums[1:])
    return sums


def mixed(values: Hashes) -> Hashes:
    """Return the values with every bit spread over all; sums of such values stay distinct.

    Source: Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014.
    """
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def sums_by_row(rows: NDArray[Any], values: Hashes, count: int) -> Hashes:
    """Return the sum of the values of each of `count` rows; `rows` ascends."""
    sums: Hashes = np.zeros(count, np.uint64)
    if len(rows):
        begins = np.flatnonzero(np.append(True, rows[1:] != rows[:-1]))
        sums[rows[begins]] = np.add.reduceat(values, begins)
    return sums
