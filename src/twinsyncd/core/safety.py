"""When absence may count as deletion: never at once, never in masses without a person.

The time since when a file is missing is kept in memory only, so the minute starts again with
each process. This is on purpose: only the wall clock survives a process, and after it was set a
file could count as gone at the first look. The cost is that a deletion is reported later.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Set
from hashlib import sha256
from typing import Final

from .model import HeldSource, SourceRow
from .setup import Guard

CONFIRM_S: Final = 60.0  # two looks at least this far apart before a file counts as gone
EXAMPLES_MAX: Final = 20  # missing files that a person is shown by name; enough to know the folder
UNLISTED_S: Final = float("inf")  # missed by a look at the file only: no scan confirms it yet


def is_mass_deletion(known: int, missing: int, guard: Guard, approved: int = 0) -> bool:
    """Return whether so many files are missing that a person must approve it.

    `approved` of them were approved by a person; only the others count.
    """
    unasked = missing - approved
    return unasked >= guard.least and unasked > (known - approved) * guard.share


def say_mass_deletion(missing: int, known: int) -> str:
    """Return the words for a person."""
    return (
        f"{missing} of {known} files are gone at once; nothing counts as deleted"
        " until they are back or a person says that it is meant"
    )


def examples(missing: Iterable[str]) -> tuple[str, ...]:
    """Return the first few of the missing paths, in order."""
    return tuple(heapq.nsmallest(EXAMPLES_MAX, missing))


def mark_of(missing: Iterable[str]) -> str:
    """Return a mark that no other missing paths have, in any order."""
    whole = sha256("\0".join(sorted(missing)).encode(errors="surrogateescape"))
    return whole.hexdigest()[:16]


def is_what_was_shown(row: SourceRow, shown: HeldSource) -> bool:
    """Return whether an approval of `shown` covers what is found: the drive, and what is lost."""
    same_drive = row.drive != "" and row.drive == shown.drive
    same_files = row.missing_mark == shown.missing_mark
    same_files = same_files and row.missing_count <= shown.missing_count
    return row.needs_person and same_drive and same_files


def approved_loss(row: SourceRow, drive: str, held: Set[str] | None, lost: Set[str]) -> int:
    """Return how many of the lost files a person approved on this drive.

    `held`: those that were approved; None: not known, since another process listed them. Then all
    of them are still lost, and no others, or a person must look again.
    """
    if not row.approved or row.drive != drive:
        return 0
    if not row.missing_mark:
        return row.missing_count
    if held is not None:
        return len(held & lost)
    return len(lost) if mark_of(lost) == row.missing_mark else 0


def still_missing(
    before: Mapping[str, float], missing: Iterable[str], at_s: float
) -> dict[str, float]:
    """Return the missing paths with the time each was first missed; found ones drop out."""
    return {path: min(before.get(path, at_s), at_s) for path in missing}


def confirmed(missing: Mapping[str, float], at_s: float) -> list[str]:
    """Return the paths that have been missing long enough to count as gone."""
    return [path for path, first_s in missing.items() if at_s - first_s >= CONFIRM_S]
