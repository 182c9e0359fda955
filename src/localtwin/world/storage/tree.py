"""Storage: the tree of folders and files of each iTwin.

Source: Storage API. A folder holds several items of one name; an item in the recycle bin, and
everything below it, does not exist for any other operation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, insert, literal, select, text, update
from sqlalchemy.engine import Row

from localtwin.errors import not_found
from localtwin.world.clock import Clock, stamp
from localtwin.world.database import Database
from localtwin.world.storage.items import FILE, FOLDER, Item, find, missing, new_item
from localtwin.world.storage.names import check_name, invalid_storage
from localtwin.world.tables import blobs, items

_ABOVE = text(
    """
    WITH RECURSIVE chain(guid, parent) AS (
        SELECT guid, parent FROM items WHERE guid = :guid
        UNION ALL
        SELECT up.guid, up.parent FROM items AS up JOIN chain ON up.guid = chain.parent
    )
    SELECT guid FROM chain
    """
)
_BLOB_SIZE = select(blobs.c.size_bytes).where(blobs.c.id == bindparam("guid"))
_INSERT = insert(items)
_COMPLETE = (
    update(items)
    .where(items.c.guid == bindparam("of"))
    .values(
        size_bytes=bindparam("size_bytes"),
        complete=True,
        modified=bindparam("modified"),
        modified_by=bindparam("modified_by"),
    )
)


class Storage:
    """Folders and files; who may see what is decided by the iTwin in each id."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def folder(self, folder_id: str) -> Item:
        """Return the folder; raises NotFound."""
        with self._database.read() as connection:
            return find(connection, folder_id, FOLDER)

    def file(self, file_id: str) -> Item:
        """Return the completed file; raises NotFound."""
        with self._database.read() as connection:
            return _completed(find(connection, file_id, FILE))

    def children(
        self, folder_id: str, *, kinds: tuple[str, ...], skip: int, top: int
    ) -> list[Item]:
        """Return one page of what is in the folder: folders first, then by name."""
        with self._database.read() as connection:
            folder = find(connection, folder_id, FOLDER)
            rows = _page(connection, folder.guid, kinds, skip=skip, top=top)
        prefix = f"{folder.path}/" if folder.path else ""
        return [Item(**row._mapping, path=prefix + row.name) for row in rows]

    def search(self, folder_id: str, *, name: str, skip: int, top: int) -> list[Item]:
        """Return one page of the items below the folder whose name fits `name` (with * and ?)."""
        with self._database.read() as connection:
            folder = find(connection, folder_id, FOLDER)
            prefix = f"{folder.path}/" if folder.path else ""
            first = _visible().where(items.c.parent == folder.guid)
            tree = first.add_columns((literal(prefix) + items.c.name).label("path")).cte(
                recursive=True
            )
            below = _visible().where(items.c.parent == tree.c.guid)
            tree = tree.union_all(
                below.add_columns((tree.c.path + "/" + items.c.name).label("path"))
            )
            query = select(tree).where(tree.c.name.like(_pattern(name), escape="\\"))
            ordered = query.order_by(tree.c.path, tree.c.guid)
            rows = connection.execute(ordered.offset(skip).limit(top)).all()
        return [Item(**row._mapping) for row in rows]

    def create(
        self, folder_id: str, *, kind: str, name: str, description: str | None, user: str
    ) -> Item:
        """Return a new folder, or a new file that stays invisible until it is completed."""
        check_name(name, is_file=kind == FILE)
        with self._database.write() as connection:
            folder = find(connection, folder_id, FOLDER)
            row = new_item(
                folder.itwin_id,
                kind=kind,
                parent=folder.guid,
                name=name,
                description=description,
                user=user,
                now=stamp(self._clock()),
            )
            connection.execute(_INSERT, row)
        return Item(**row, path=f"{folder.path}/{name}" if folder.path else name)

    def upload_target(self, file_id: str) -> Item:
        """Return the file, completed or not, whose content may be uploaded."""
        with self._database.read() as connection:
            return find(connection, file_id, FILE)

    def complete(self, file_id: str, *, user: str) -> Item:
        """Make the uploaded content the file's content; NotFound when nothing was uploaded.

        The first completion does not move the date of change.
        Source: Storage API, "Complete file"; responses captured by iTwin/itwin-cli.
        """
        with self._database.write() as connection:
            item = find(connection, file_id, FILE)
            size = connection.execute(_BLOB_SIZE, {"guid": item.guid}).scalar()
            if size is None:
                raise not_found("File", "file")
            moment = stamp(self._clock()) if item.complete else item.modified
            values = {"size_bytes": size, "modified": moment, "modified_by": user}
            connection.execute(_COMPLETE, values | {"of": item.guid})
        return replace(item, complete=True, **values)

    def rename(
        self, item_id: str, values: Mapping[str, str | None], *, kind: str, user: str
    ) -> Item:
        """Return the item with another name or description, those that `values` has."""
        if "name" in values:
            check_name(values["name"] or "", is_file=kind == FILE)
        with self._database.write() as connection:
            item = _completed(find(connection, item_id, kind))
            return _update(connection, item, {**values, **self._touched(user)})

    def move(self, item_id: str, *, kind: str, parent_folder_id: str, user: str) -> Item:
        """Return the item in another folder of its iTwin; its id stays."""
        with self._database.write() as connection:
            item = _completed(find(connection, item_id, kind))
            target = find(connection, parent_folder_id, FOLDER)
            above = set(connection.execute(_ABOVE, {"guid": target.guid}).scalars())
            if item.parent is None or item.guid in above or item.itwin_id != target.itwin_id:
                message = "Item can't be moved to the given folder"
                raise invalid_storage("InvalidValue", message, "parentFolderId")
            return _update(connection, item, {"parent": target.guid} | self._touched(user))

    def lock(self, folder_id: str, file_ids: list[str], *, locked: bool) -> list[Item]:
        """Return the files of the folder, all of them locked or unlocked; all or none."""
        with self._database.write() as connection:
            folder = find(connection, folder_id, FOLDER)
            found = [_completed(find(connection, file_id, FILE)) for file_id in file_ids]
            if any(item.parent != folder.guid for item in found):
                raise not_found("File", "file")
            return [_update(connection, item, {"locked": locked}) for item in found]

    def recycle(self, item_id: str, *, kind: str, user: str) -> None:
        """Put the item, with everything below it, into the recycle bin."""
        with self._database.write() as connection:
            item = find(connection, item_id, kind)
            if item.parent is None:
                raise invalid_storage("InvalidValue", "The root folder can't be deleted", "id")
            values = {"recycled": stamp(self._clock())} | self._touched(user)
            _update(connection, item, values)

    def _touched(self, user: str) -> dict[str, Any]:
        return {"modified": stamp(self._clock()), "modified_by": user}


def _page(
    connection: Connection, folder: str, kinds: tuple[str, ...], *, skip: int, top: int
) -> list[Row[Any]]:
    """Return a page of one kind after the other, which an index can do without sorting."""
    rows: list[Row[Any]] = []
    for kind in kinds:
        of_kind = _visible().where(items.c.parent == folder, items.c.kind == kind)
        ordered = of_kind.order_by(items.c.name, items.c.guid)
        left = top - len(rows)
        rows += connection.execute(ordered.offset(max(0, skip)).limit(left)).all()
        if len(rows) == top or kind == kinds[-1]:
            break
        counted = select(func.count()).select_from(of_kind.subquery())
        skip -= connection.execute(counted).scalar() or 0
    return rows


def _visible() -> Select[Any]:
    return select(items).where(items.c.recycled.is_(None), items.c.complete)


def _completed(item: Item) -> Item:
    if not item.complete:
        raise missing(item.kind)
    return item


def _update(connection: Connection, item: Item, values: dict[str, Any]) -> Item:
    connection.execute(update(items).where(items.c.guid == item.guid).values(values))
    return find(connection, item.id, item.kind) if "recycled" not in values else item


def _pattern(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return escaped.replace("*", "%").replace("?", "_")
