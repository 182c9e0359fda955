"""The real numbers of a STEP file: all of a text at once, and how they count in digests."""

import warnings

import numpy as np
from numpy.typing import NDArray

from localtwin.connectors.ifc_hashes import Bytes, Hashes, Places

RATIO_DECIMALS = 9
# Where steps of a length begin: not at round numbers, which noise would move to either side.
_SHIFT = 0.37
_STEPS_MAX = 1e11  # beyond these a double has no digits for the precision
_LENGTH_MARK = np.uint64(0x6C656E67)
_COMMA = ord(",")


def floats_in(text: Bytes, begins: Places, ends: Places) -> NDArray[np.float64]:
    """Return the numbers in parts of a text; NaN for what is none."""
    steps: NDArray[np.int8] = np.zeros(len(text), np.int8)
    steps[begins] += 1
    steps[ends + 1] -= 1
    letters = text[np.cumsum(steps, dtype=np.int8).view(np.bool_)]
    letters[np.cumsum(ends - begins + 1) - 1] = _COMMA
    values = _all_floats(letters.tobytes())
    if len(values) == len(begins):
        return values
    return np.array([_float(each) for each in letters.tobytes().split(b",")[:-1]], np.float64)


def _all_floats(text: bytes) -> NDArray[np.float64]:
    """Return the numbers of a text, fewer if one of them is none, such as 1.#INF."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # older releases of numpy warn
            return np.fromstring(text, np.float64, sep=",")
    except ValueError:
        return np.zeros(0, np.float64)


def _float(text: bytes) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def number_hashes(
    values: NDArray[np.float64], are_lengths: NDArray[np.bool_], precision: float
) -> Hashes:
    """Return numbers as they count: lengths in steps, others by their first digits."""
    with np.errstate(all="ignore"):
        steps = values / precision + _SHIFT
        fits = are_lengths & (np.abs(steps) < _STEPS_MAX)
        lengths = np.floor(np.where(fits, steps, 0.0)).astype(np.int64).view(np.uint64)
        powers = np.floor(np.log10(np.abs(values)))
        powers = np.where(np.isfinite(powers), np.maximum(powers, 0.0), 0.0)
        digits = np.rint(values / 10.0**powers * 10.0**RATIO_DECIMALS)
    is_next = np.abs(digits) >= 10.0 ** (RATIO_DECIMALS + 1)
    digits = np.where(is_next, np.rint(digits / 10.0), digits).astype(np.int64).view(np.uint64)
    powers = (powers + is_next).astype(np.uint64)
    ratios = digits * np.uint64(1024) + powers
    return np.where(fits, lengths ^ _LENGTH_MARK, ratios)
