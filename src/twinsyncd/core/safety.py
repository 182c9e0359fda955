"""When absence may count as deletion: never at once, never in masses without a person.

Since when a file is missing survives a process as wall-clock time, else a `sync` that is run now
and then would never call a file gone. After that clock was set a file may count as gone sooner than
after a minute, but never before the lists of two processes lacked it.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Set
from hashlib import sha256
from typing import Final

from .model import HeldSource, Now, SourceRow
from .setup import Guard

CONFIRM_S: Final = 60.0  # two looks at least this far apart before a file counts as gone
REMEMBERED_MAX: Final = 1000  # missing files that the next process is told of
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
    """Return whether an approval of `shown` covers what is wrong with a source."""
    return row.needs_person and covers(shown, row.shown)


def covers(shown: HeldSource, found: HeldSource) -> bool:
    """Return whether what was shown is all of what is found: the drive, and what is lost."""
    same_drive = found.drive != "" and found.drive == shown.drive
    same_files = found.missing_mark == shown.missing_mark
    return same_drive and same_files and found.missing_count <= shown.missing_count


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


def remembered(
    before: Iterable[tuple[str, float]], missing: Mapping[str, float], now: Now
) -> tuple[tuple[str, float], ...]:
    """Return the missing paths with the wall-clock time [s] since when, for the next process.

    Nothing if there are too many: those need a person as a rule.
    """
    if len(missing) > REMEMBERED_MAX:
        return ()
    known = dict(before)
    since = {path: now.wall_s - now.at_s + first_s for path, first_s in missing.items()}
    return tuple((path, known.get(path, since[path])) for path in sorted(missing))


def missed_before(remembered: Iterable[tuple[str, float]], now: Now) -> dict[str, float]:
    """Return the paths that an earlier process missed; when, as monotonic seconds of this one."""
    return {path: now.at_s - max(now.wall_s - wall_s, 0.0) for path, wall_s in remembered}


def still_missing(
    before: Mapping[str, float], missing: Iterable[str], at_s: float
) -> dict[str, float]:
    """Return the missing paths with the time each was first missed; found ones drop out."""
    return {path: min(before.get(path, at_s), at_s) for path in missing}


def confirmed(missing: Mapping[str, float], at_s: float) -> list[str]:
    """Return the paths that have been missing long enough to count as gone."""
    return [path for path, first_s in missing.items() if at_s - first_s >= CONFIRM_S]
