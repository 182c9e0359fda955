"""Favorites and recently used iTwins, and favorite iModels, of each user.

Source: iTwins API, "Get my favorite iTwins", "Get my recently used iTwins"; iModels API,
"Get favorite iModels".
"""

from __future__ import annotations

from sqlalchemy import delete, insert, select
from sqlalchemy.schema import Table

from localtwin.world.clock import Clock, stamp
from localtwin.world.database import Database
from localtwin.world.imodels.imodels import IModel, find_imodel
from localtwin.world.itwins import ITwin, find_itwin
from localtwin.world.tables import (
    favorite_imodels,
    favorite_itwins,
    imodels,
    itwins,
    recent_itwins,
)

_RECENT = 25  # as many as the platform keeps; older ones are dropped


class Favorites:
    """The marks of all users."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def itwins(self, user_id: str, *, skip: int, top: int) -> list[ITwin]:
        """Return one page of the user's favorite iTwins, the newest mark first."""
        return self._marked(favorite_itwins, user_id, skip=skip, top=top)

    def recent_itwins(self, user_id: str, *, skip: int, top: int) -> list[ITwin]:
        """Return one page of the iTwins that the user used last, the newest first."""
        return self._marked(recent_itwins, user_id, skip=skip, top=top)

    def imodels(self, user_id: str, itwin_id: str, *, skip: int, top: int) -> list[IModel]:
        """Return one page of the user's favorite iModels of an iTwin; raises NotFound."""
        query = (
            select(imodels.c.id)
            .join(favorite_imodels, favorite_imodels.c.imodel_id == imodels.c.id)
            .where(favorite_imodels.c.user_id == user_id, imodels.c.itwin_id == itwin_id.lower())
            .order_by(favorite_imodels.c.marked.desc(), imodels.c.id)
        )
        with self._database.read() as connection:
            find_itwin(connection, itwin_id)
            found = connection.execute(query.offset(skip).limit(top)).scalars().all()
            return [find_imodel(connection, imodel_id) for imodel_id in found]

    def add_itwin(self, user_id: str, itwin_id: str) -> None:
        """Mark the iTwin as a favorite; raises NotFound."""
        self._mark(favorite_itwins, user_id, itwin_id)

    def remove_itwin(self, user_id: str, itwin_id: str) -> None:
        """Remove the mark, if there is one; raises NotFound for an unknown iTwin."""
        with self._database.write() as connection:
            found = find_itwin(connection, itwin_id)
            table = favorite_itwins.c
            mine = (table.user_id == user_id) & (table.itwin_id == found.id)
            connection.execute(delete(favorite_itwins).where(mine))

    def use_itwin(self, user_id: str, itwin_id: str) -> None:
        """Record that the user uses the iTwin now; raises NotFound."""
        self._mark(recent_itwins, user_id, itwin_id)
        table = recent_itwins.c
        mine = table.user_id == user_id
        kept = select(table.itwin_id).where(mine).order_by(table.marked.desc()).limit(_RECENT)
        with self._database.write() as connection:
            connection.execute(delete(recent_itwins).where(mine, table.itwin_id.not_in(kept)))

    def add_imodel(self, user_id: str, imodel_id: str) -> None:
        """Mark the iModel as a favorite; raises NotFound."""
        with self._database.write() as connection:
            found = find_imodel(connection, imodel_id)
            table = favorite_imodels.c
            mine = (table.user_id == user_id) & (table.imodel_id == found.id)
            connection.execute(delete(favorite_imodels).where(mine))
            row = {"user_id": user_id, "imodel_id": found.id, "marked": stamp(self._clock())}
            connection.execute(insert(favorite_imodels).values(row))

    def remove_imodel(self, user_id: str, imodel_id: str) -> None:
        """Remove the mark, if there is one; raises NotFound for an unknown iModel."""
        with self._database.write() as connection:
            found = find_imodel(connection, imodel_id)
            table = favorite_imodels.c
            mine = (table.user_id == user_id) & (table.imodel_id == found.id)
            connection.execute(delete(favorite_imodels).where(mine))

    def _mark(self, table: Table, user_id: str, itwin_id: str) -> None:
        with self._database.write() as connection:
            found = find_itwin(connection, itwin_id)
            mine = (table.c.user_id == user_id) & (table.c.itwin_id == found.id)
            connection.execute(delete(table).where(mine))
            row = {"user_id": user_id, "itwin_id": found.id, "marked": stamp(self._clock())}
            connection.execute(insert(table).values(row))

    def _marked(self, table: Table, user_id: str, *, skip: int, top: int) -> list[ITwin]:
        query = (
            select(itwins)
            .join(table, table.c.itwin_id == itwins.c.id)
            .where(table.c.user_id == user_id)
            .order_by(table.c.marked.desc(), itwins.c.seq.desc())
        )
        rows = self._database.all(query.offset(skip).limit(top))
        return [ITwin(**row._mapping) for row in rows]
