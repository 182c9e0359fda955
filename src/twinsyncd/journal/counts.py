"""Counts the files of each source by state, without reading the rows of those that rest.

A row without work left is synced unless its file is gone, so these are counted in an index alone;
of a million rows few are open or gone. Nothing is kept beside the rows that could differ from them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, case, false, func, literal, select, true

from ..core.model import ABSENT, STAYS, SourceKey
from . import tables

_FILES = tables.files.c
_IS_KEPT: Final = (_FILES.synced != ABSENT) | (_FILES.note == STAYS)  # in the iModel
_IS_GONE: Final = _FILES.seen == literal(ABSENT, literal_execute=True)  # as `files_gone` has it
_ALL: Final = SourceKey("")


@dataclass(frozen=True, slots=True)
class Counts:
    """Files of one source, counted by state."""

    source: SourceKey
    known: int = 0  # on the drive, as far as is known
    synced: int = 0  # seen = stored = synced
    to_store: int = 0
    to_run: int = 0
    aside: int = 0
    gone: int = 0  # gone from the drive, or excluded; kept in the iModel


def read_counts(
    connection: Connection, sources: Collection[SourceKey] | None = None
) -> tuple[Counts, ...]:
    """Return the counts of each of these sources that has files, in their order; None: of all."""
    among = true() if sources is None else _FILES.source.in_(sources)
    resting = (_FILES.is_open == false()) & among  # as the index is asked for
    found: dict[SourceKey, list[Counts]] = {}
    for query in (_resting(resting), _gone(), _each(_FILES.is_open & among)):
        for row in connection.execute(query):
            counted = Counts(*row)
            found.setdefault(counted.source, []).append(counted)
    wanted = found if sources is None else found.keys() & sources
    return tuple(replace(total_counts(found[key]), source=key) for key in sorted(wanted))


def total_counts(counts: Iterable[Counts]) -> Counts:
    """Return the sum over all sources."""
    sums = [sum(values) for values in zip(*(_numbers(count) for count in counts), strict=True)]
    return Counts(_ALL, *sums) if sums else Counts(_ALL)


def _numbers(count: Counts) -> tuple[int, ...]:
    return (count.known, count.synced, count.to_store, count.to_run, count.aside, count.gone)


def _resting(rows: ColumnElement[bool]) -> Select[Any]:
    """Count all of them as synced."""
    number = func.count()
    return select(_FILES.source, number, number).where(rows).group_by(_FILES.source)


def _gone() -> Select[Any]:
    """Take those that rest and are gone out again.

    Nothing but `seen` is in the condition: else the larger index of all that rest is read.
    """
    rests = _FILES.is_open == false()
    number, zero = -_total(rests), literal(0)
    columns = (number, number, zero, zero, zero, _total(rests & _IS_KEPT))
    return select(_FILES.source, *columns).where(_IS_GONE).group_by(_FILES.source)


def _each(rows: ColumnElement[bool]) -> Select[Any]:
    """Count them by what each one says."""
    is_away = (_FILES.seen == ABSENT) & (_FILES.unread == "")
    aside = (_FILES.aside != "") | (_FILES.unread != "")  # some of them are not on the drive
    gone, going = is_away & ~aside, ~is_away & ~aside
    is_stored = (_FILES.seen == _FILES.stored) & (_FILES.moved_source == "")
    conditions = (
        ~is_away,
        going & is_stored & (_FILES.stored == _FILES.synced),
        going & ~is_stored,
        going & is_stored & (_FILES.stored != _FILES.synced),
        aside,
        gone & _IS_KEPT,
    )
    return select(_FILES.source, *map(_total, conditions)).where(rows).group_by(_FILES.source)


def _total(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))
