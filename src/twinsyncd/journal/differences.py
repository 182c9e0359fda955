"""Reads what comparisons found different in the cloud: what others did there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, and_, func, literal, select

from ..core.events import WHY_ABSENT, EventKind
from ..core.model import ConnectionKey, FileKey, SourceKey
from . import tables

_EVENTS = tables.events.c
TOLD_S: Final = 86_400.0  # so long a difference is reported after it was found


@dataclass(frozen=True, slots=True)
class Differences:
    """The files of a connection that were found different within the day before the last one.

    Times are wall clock [s]. `text`: what is the matter with the last one, and what is done.
    """

    count: int
    since_s: float
    last_s: float
    last: FileKey
    text: str


def read_differences(connection: Connection) -> dict[ConnectionKey, Differences]:
    """Return those of each connection that has any in the events, however long ago.

    What is not on the drive, or not taken, is left as it is: most often we took it out ourselves.
    """
    is_one = and_(
        _EVENTS.kind == literal(EventKind.FILE_DIFFERS.value, literal_execute=True),
        *(_EVENTS.text.not_like(f"{why}%") for why in WHY_ABSENT),
    )
    newest = (
        select(_EVENTS.connection, func.max(_EVENTS.at_s).label("last_s"))
        .where(is_one)
        .group_by(_EVENTS.connection)
        .subquery()
    )
    among = select(
        _EVENTS.connection, _EVENTS.at_s, _EVENTS.source, _EVENTS.path, _EVENTS.text
    ).where(is_one, _EVENTS.connection == newest.c.connection)
    recent = among.where(_EVENTS.at_s > newest.c.last_s - TOLD_S).order_by(_EVENTS.id)
    found: dict[ConnectionKey, Differences] = {}
    files: dict[ConnectionKey, set[FileKey]] = {}
    for row in connection.execute(recent).mappings():
        key, file = ConnectionKey(row["connection"]), FileKey(SourceKey(row["source"]), row["path"])
        files.setdefault(key, set()).add(file)
        since_s = found[key].since_s if key in found else row["at_s"]
        found[key] = Differences(len(files[key]), since_s, row["at_s"], file, row["text"])
    return found
