"""When absence may count as deletion: never at once, never in masses without a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

CONFIRM_S: Final = 60.0  # two looks at least this far apart before a file counts as gone
UNLISTED_S: Final = float("inf")  # missed by a look at the file only: no scan confirms it yet
MASS_SHARE: Final = 0.2  # more of a source's files than this,
MASS_LEAST: Final = 10  # and at least this many, gone at once is no deletion but a mishap


def is_mass_deletion(known: int, missing: int) -> bool:
    """Tell whether so many files are missing that a person must say it is meant."""
    return missing >= MASS_LEAST and missing > known * MASS_SHARE


def still_missing(
    before: Mapping[str, float], missing: Iterable[str], at_s: float
) -> dict[str, float]:
    """Return the missing paths with the time each was first missed; found ones drop out."""
    return {path: min(before.get(path, at_s), at_s) for path in missing}


def confirmed(missing: Mapping[str, float], at_s: float) -> list[str]:
    """Return the paths that have been missing long enough to count as gone."""
    return [path for path, first_s in missing.items() if at_s - first_s >= CONFIRM_S]
