"""The recycle bin: what was deleted stays for 30 days, to be restored or deleted for good.

Source: Storage API, "Get items in recycle bin", "Restore file", "Delete file from recycle bin".
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection, bindparam, delete, select, text, update

from localtwin.ids import split_pair
from localtwin.world.blobs.block_blobs import Blobs
from localtwin.world.clock import Clock, stamp
from localtwin.world.database import Database
from localtwin.world.itwins import find_itwin
from localtwin.world.storage.items import Item, find, missing
from localtwin.world.tables import items

KEPT = timedelta(days=30)

_BELOW = text(
    """
    WITH RECURSIVE below(guid) AS (
        SELECT :guid
        UNION ALL
        SELECT items.guid FROM items JOIN below ON items.parent = below.guid
    )
    SELECT guid FROM below
    """
)

_DELETE = delete(items).where(items.c.guid == bindparam("gone"))


class RecycleBin:
    """What was deleted, per iTwin; only what was deleted itself, not what is below it."""

    def __init__(self, database: Database, blobs: Blobs, clock: Clock) -> None:
        self._database = database
        self._blobs = blobs
        self._clock = clock

    def page(self, itwin_id: str, *, skip: int, top: int) -> list[Item]:
        """Return one page, newest first; a path is the name alone."""
        query = (
            select(items)
            .where(items.c.itwin_id == itwin_id, items.c.recycled.is_not(None))
            .order_by(items.c.recycled.desc(), items.c.guid)
        )
        with self._database.read() as connection:
            find_itwin(connection, itwin_id)
            rows = connection.execute(query.offset(skip).limit(top)).all()
        return [Item(**row._mapping, path=row.name) for row in rows]

    def restore(self, item_id: str, *, kind: str) -> None:
        """Put the item back where it was; NotFound when its folder is gone, too."""
        with self._database.write() as connection:
            guid = _recycled(connection, item_id, kind)
            connection.execute(update(items).where(items.c.guid == guid).values(recycled=None))
            find(connection, item_id, kind)

    def purge(self, item_id: str, *, kind: str) -> None:
        """Delete the item for good, with everything below it."""
        with self._database.write() as connection:
            guid = _recycled(connection, item_id, kind)
            contents = self._blobs.delete_records(connection, _remove(connection, guid))
        self._blobs.drop(contents)

    def expire(self) -> None:
        """Delete for good what has been in the bin for longer than it is kept."""
        before = stamp(self._clock() - KEPT)
        contents: list[str] = []
        with self._database.write() as connection:
            query = select(items.c.guid).where(items.c.recycled < before)
            for guid in connection.execute(query).scalars().all():
                contents += self._blobs.delete_records(connection, _remove(connection, guid))
        self._blobs.drop(contents)


def _recycled(connection: Connection, item_id: str, kind: str) -> str:
    pair = split_pair(item_id) or ("", "")
    query = select(items.c.guid).where(
        items.c.guid == pair[1],
        items.c.itwin_id == pair[0],
        items.c.kind == kind,
        items.c.recycled.is_not(None),
    )
    guid = connection.execute(query).scalar()
    if guid is None:
        raise missing(kind)
    return str(guid)


def _remove(connection: Connection, guid: str) -> list[str]:
    gone = list(connection.execute(_BELOW, {"guid": guid}).scalars())
    connection.execute(_DELETE, [{"gone": each} for each in gone])
    return gone
