"""Which files the last list of a source lacked, and that do not count as gone yet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, RowMapping, select

from ..core.model import ABSENT, SourceKey
from . import tables

_FILES = tables.files.c

NAMED_MAX: Final = 5  # of one source; the others are counted


@dataclass(frozen=True, slots=True)
class MissedFiles:
    """How many, the first of them by name, and since when they are missed."""

    count: int
    paths: frozenset[str]  # empty if they are too many to be remembered by name
    since_s: float  # since when the first of them is, wall clock [s]; 0: not known
    newest_s: float  # likewise the last of them

    @property
    def examples(self) -> list[str]:
        """The first of them, in order."""
        return sorted(self.paths)[:NAMED_MAX]


def read_missed(connection: Connection, rows: Iterable[RowMapping]) -> dict[SourceKey, MissedFiles]:
    """Return the sources that lack files, by their rows; those on hold say more, so not these.

    What was missed and turned out to be renamed is nobody's file any more.
    """
    missed: dict[SourceKey, MissedFiles] = {}
    for row in rows:
        since_s = {} if row["offline"] else _still_known(connection, row["key"], row["missed"])
        number = 0 if row["offline"] else len(since_s) or row["missed_unnamed"]
        if number:
            times = since_s.values()
            paths, first_s, last_s = (
                frozenset(since_s),
                min(times, default=0.0),
                max(times, default=0.0),
            )
            missed[row["key"]] = MissedFiles(number, paths, first_s, last_s)
    return missed


def _still_known(
    connection: Connection, source: SourceKey, missed: Iterable[tuple[str, float]]
) -> dict[str, float]:
    """Return those that the journal takes to be on the drive, with since when each is missed."""
    since_s = dict(missed)
    if not since_s:
        return {}
    among = (_FILES.source == source) & _FILES.path.in_(since_s)
    is_there = (_FILES.seen != ABSENT) | (_FILES.unread != "")
    paths = connection.execute(select(_FILES.path).where(among, is_there)).scalars()
    return {path: since_s[path] for path in paths}
