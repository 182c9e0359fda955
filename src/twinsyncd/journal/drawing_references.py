"""What design files name, and whether it is there. Written by the thread that reads them.

Safe from several threads and processes; every change is durable when its method returns.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    RowMapping,
    Select,
    and_,
    bindparam,
    delete,
    func,
    or_,
    select,
)

from ..core.model import ABSENT, Digest, FileKey, SourceKey
from ..core.references import DrawingReferences, Reference
from . import tables
from .transactions import writing
from .upserts import upsert

EXAMPLES_MAX: Final = 5  # drawings per source that a person is shown
_TABLE: Final = tables.drawing_references
_SINCE: Final = select(_TABLE.c.path, _TABLE.c.since_s).where(
    _TABLE.c.source == bindparam("source"), _TABLE.c.path.in_(bindparam("paths", expanding=True))
)


class SettledDrawing(NamedTuple):
    """A design file whose content settled."""

    key: FileKey
    digest: Digest


@dataclass(frozen=True, slots=True)
class OpenReferences:
    """The drawings of a source that name files which are missing or not taken; some of them."""

    count: int
    examples: tuple[DrawingReferences, ...]

    @property
    def since_s(self) -> float:
        """Since when it is so of the examples, wall clock [s]."""
        return min((each.since_s for each in self.examples), default=0.0)


class ReferenceStore:
    """What is known of the design files of all sources."""

    def __init__(self, engine: Engine) -> None:
        """`engine` comes from `open_database`; its owner disposes of it."""
        self._engine = engine
        self._upsert = upsert(engine, _TABLE)

    def unread(
        self, source: SourceKey, endings: Collection[str], after: str, limit: int
    ) -> list[SettledDrawing]:
        """Return files of these endings whose content was not read for references, by path.

        Those behind `after` in the order of paths; "" begins at the first one.
        """
        values = {"source": source, "after": after, "most": limit}
        with self._engine.connect() as opened:
            rows = opened.execute(_unread(tuple(endings)), values).all()
        return [SettledDrawing(FileKey(source, path), Digest(seen)) for path, seen in rows]

    def save(self, read: Mapping[SettledDrawing, DrawingReferences], now_s: float) -> None:
        """Keep what files name, in one commit; since when something is open is kept while it lasts.

        The daemon's own commits wait meanwhile: one for each of thousands of files would delay
        their uploads.
        """
        if not read:
            return
        paths: dict[SourceKey, list[str]] = {}
        for key, _ in read:
            paths.setdefault(key.source, []).append(key.path)
        since_s: dict[FileKey, float] = {}
        with writing(self._engine) as opened:
            for source, mine in paths.items():
                found = opened.execute(_SINCE, {"source": source, "paths": mine})
                since_s |= {FileKey(source, path): open_s for path, open_s in found}
            rows = [_columns(each, read[each], since_s.get(each.key) or now_s) for each in read]
            opened.execute(self._upsert, rows)

    def open_sources(self) -> frozenset[SourceKey]:
        """Return the sources with drawings of which something is missing or not taken."""
        query = select(_TABLE.c.source).where(_TABLE.c.open_count > 0).distinct()
        with self._engine.connect() as opened:
            return frozenset(opened.execute(query).scalars())

    def open_ones(
        self, source: SourceKey, limit: int
    ) -> list[tuple[SettledDrawing, DrawingReferences]]:
        """Return drawings of which something is missing or not taken, to be looked for again."""
        own = _TABLE.c.source == source
        query = select(_TABLE).where(own, _TABLE.c.open_count > 0, _is_there())
        with self._engine.connect() as opened:
            rows = opened.execute(query.limit(limit)).mappings().all()
        return [
            (SettledDrawing(FileKey(source, row["path"]), Digest(row["digest"])), _read(row))
            for row in rows
        ]

    def forget_gone(self) -> None:
        """Drop what is known of files that are gone from the drive or from the configuration."""
        with writing(self._engine) as opened:
            opened.execute(delete(_TABLE).where(~_is_there()))


@lru_cache(maxsize=8)
def _unread(endings: tuple[str, ...]) -> Select[str, str]:
    """Return the query for files whose content was not read; made once for a thousand sources."""
    files, known = tables.files.c, _TABLE.c
    same = and_(known.source == files.source, known.path == files.path)
    return (
        select(files.path, files.seen)
        .select_from(tables.files.outerjoin(_TABLE, same))
        .where(files.source == bindparam("source"), files.path > bindparam("after"))
        .where(files.seen != ABSENT)
        .where(or_(*(func.lower(files.path).like(f"%{each}") for each in endings)))
        .where(or_(known.digest.is_(None), known.digest != files.seen))
        .order_by(files.path)
        .limit(bindparam("most"))
    )


def read_references(connection: Connection, key: FileKey) -> DrawingReferences | None:
    """Return what a file names; None if that was never read."""
    row = connection.execute(select(_TABLE).where(_is(key))).mappings().first()
    return _read(row) if row else None


def naming(connection: Connection, key: FileKey) -> Iterator[str]:
    """Yield the paths of the drawings of the same source that name this file."""
    query = select(_TABLE).where(_TABLE.c.source == key.source).order_by(_TABLE.c.path)
    for row in connection.execute(query).mappings():
        if any(each["path"] == key.path for each in row["found"]):
            yield row["path"]


def read_open(connection: Connection) -> dict[SourceKey, OpenReferences]:
    """Return the drawings that name files which are missing or not taken, by source."""
    is_open = and_(_TABLE.c.open_count > 0, _is_there())
    counted = select(_TABLE.c.source, func.count()).where(is_open).group_by(_TABLE.c.source)
    found = {}
    for source, count in connection.execute(counted).all():
        query = select(_TABLE).where(is_open, _TABLE.c.source == source).order_by(_TABLE.c.path)
        rows = connection.execute(query.limit(EXAMPLES_MAX)).mappings()
        found[SourceKey(source)] = OpenReferences(count, tuple(_read(row) for row in rows))
    return found


def _columns(read: SettledDrawing, names: DrawingReferences, since_s: float) -> dict[str, Any]:
    open_count = len(names.missing) + len(names.not_taken)
    return {
        "source": read.key.source,
        "path": read.key.path,
        "digest": read.digest,
        "found": [asdict(each) for each in names.references],
        "trouble": names.trouble,
        "open_count": open_count,
        "since_s": since_s if open_count else 0.0,
    }


def _is_there() -> ColumnElement[bool]:
    """Match drawings that are on the drive."""
    files, known = tables.files.c, _TABLE.c
    there = select(files.path).where(
        files.source == known.source, files.path == known.path, files.seen != ABSENT
    )
    return there.exists()


def _read(row: RowMapping) -> DrawingReferences:
    found: Sequence[dict[str, Any]] = row["found"]
    references = tuple(Reference(**each) for each in found)
    return DrawingReferences(row["path"], references, row["trouble"], row["since_s"])


def _is(key: FileKey) -> ColumnElement[bool]:
    return and_(_TABLE.c.source == key.source, _TABLE.c.path == key.path)
