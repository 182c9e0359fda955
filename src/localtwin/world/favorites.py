"""Favorite and recently used iTwins and iModels of each user.

Source: iTwins API, "Get my favorite iTwins", "Get my recently used iTwins"; iModels API, "Get
favorite iModels", "Get recent iModels".
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, delete, insert, select
from sqlalchemy.schema import Table

from localtwin.world.clock import Clock, stamp
from localtwin.world.database import Database
from localtwin.world.imodels.imodels import IModel, find_imodel
from localtwin.world.itwins import ITwin, ITwinFilter, find_itwin
from localtwin.world.tables import (
    favorite_imodels,
    favorite_itwins,
    imodels,
    itwins,
    recent_imodels,
    recent_itwins,
)

ITWINS = "itwins"
IMODELS = "imodels"
_KEPT = 25  # of the recently used; older marks are dropped
_TABLES = {
    ("favorites", ITWINS): favorite_itwins,
    ("favorites", IMODELS): favorite_imodels,
    ("recents", ITWINS): recent_itwins,
    ("recents", IMODELS): recent_imodels,
}
KINDS = ("favorites", "recents")
"""The kinds of marks, by their word in the API's paths."""


class Favorites:
    """The marks of all users; `kind` is one of KINDS, `entities` ITWINS or IMODELS."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def itwins(
        self, kind: str, user_id: str, wanted: ITwinFilter, *, skip: int, top: int
    ) -> list[ITwin]:
        """Return one page of the iTwins that the user marked, the newest mark first."""
        table = _TABLES[kind, ITWINS]
        query = (
            wanted.narrow(select(itwins))
            .join(table, table.c.entity_id == itwins.c.id)
            .where(table.c.user_id == user_id)
            .order_by(table.c.marked.desc(), itwins.c.seq.desc())
        )
        rows = self._database.all(query.offset(skip).limit(top))
        return [ITwin(**row._mapping) for row in rows]

    def imodels(
        self, kind: str, user_id: str, itwin_id: str, *, skip: int, top: int
    ) -> list[IModel]:
        """Return one page of the iModels of an iTwin that the user marked; raises NotFound."""
        table = _TABLES[kind, IMODELS]
        query = (
            select(imodels.c.id)
            .join(table, table.c.entity_id == imodels.c.id)
            .where(table.c.user_id == user_id, imodels.c.itwin_id == itwin_id.lower())
            .order_by(table.c.marked.desc(), imodels.c.id)
        )
        with self._database.read() as connection:
            find_itwin(connection, itwin_id)
            found = connection.execute(query.offset(skip).limit(top)).scalars().all()
            return [find_imodel(connection, imodel_id) for imodel_id in found]

    def mark(self, kind: str, entities: str, user_id: str, entity_id: str) -> None:
        """Mark the iTwin or iModel, or renew its mark; raises NotFound."""
        table = _TABLES[kind, entities]
        with self._database.write() as connection:
            found_id = _find_id(connection, entities, entity_id)
            connection.execute(delete(table).where(_mine(table, user_id, found_id)))
            row = {"user_id": user_id, "entity_id": found_id, "marked": stamp(self._clock())}
            connection.execute(insert(table).values(row))
            if kind == "recents":
                of_user = table.c.user_id == user_id
                newest = select(table.c.entity_id).where(of_user).order_by(table.c.marked.desc())
                old = table.c.entity_id.not_in(newest.limit(_KEPT))
                connection.execute(delete(table).where(of_user, old))

    def unmark(self, kind: str, entities: str, user_id: str, entity_id: str) -> None:
        """Remove the mark, if there is one; raises NotFound for an unknown iTwin or iModel."""
        table = _TABLES[kind, entities]
        with self._database.write() as connection:
            found_id = _find_id(connection, entities, entity_id)
            connection.execute(delete(table).where(_mine(table, user_id, found_id)))


def _find_id(connection: Connection, entities: str, entity_id: str) -> str:
    find = find_itwin if entities == ITWINS else find_imodel
    return find(connection, entity_id).id


def _mine(table: Table, user_id: str, entity_id: str) -> ColumnElement[bool]:
    return (table.c.user_id == user_id) & (table.c.entity_id == entity_id)
