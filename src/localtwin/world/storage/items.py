"""Items of Storage: folders and files, each with its path and its id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Integer, String, column, text

from localtwin.errors import NotFound, not_found
from localtwin.ids import new_guid, pair_id, split_pair
from localtwin.world.tables import items

FOLDER = "folder"
FILE = "file"

# An item with its path, built on the way up to the root of its iTwin, whose parent is NULL.
# `dead` counts the recycled ones on the way. Fixed text, because every request runs it.
_FIND = text(
    """
    WITH RECURSIVE chain(parent, path, dead) AS (
        SELECT parent, CASE WHEN parent IS NULL THEN '' ELSE name END, recycled IS NOT NULL
        FROM items WHERE guid = :guid
        UNION ALL
        SELECT up.parent,
               CASE WHEN up.parent IS NULL THEN chain.path ELSE up.name || '/' || chain.path END,
               chain.dead + (up.recycled IS NOT NULL)
        FROM items AS up JOIN chain ON up.guid = chain.parent
    )
    SELECT items.*, chain.path, chain.dead FROM items JOIN chain ON chain.parent IS NULL
    WHERE items.guid = :guid AND items.itwin_id = :itwin AND items.kind = :kind
    """
).columns(*items.c, column("path", String), column("dead", Integer))


@dataclass(frozen=True, slots=True)
class Item:
    """A folder or a file; `path` is relative to the root and includes the item."""

    guid: str
    itwin_id: str
    parent: str | None
    kind: str
    name: str
    description: str | None
    size_bytes: int
    complete: bool
    locked: bool
    recycled: str | None
    created: str
    created_by: str
    modified: str
    modified_by: str
    path: str

    @property
    def id(self) -> str:
        """The 43-character id."""
        return pair_id(self.itwin_id, self.guid)

    @property
    def parent_id(self) -> str | None:
        """The id of the folder it is in; None for the root."""
        return None if self.parent is None else pair_id(self.itwin_id, self.parent)


def find(connection: Connection, item_id: str, kind: str) -> Item:
    """Return the item of that kind, if neither it nor a folder above it is recycled."""
    pair = split_pair(item_id)
    if pair is None:
        raise missing(kind)
    wanted = {"itwin": pair[0], "guid": pair[1], "kind": kind}
    row = connection.execute(_FIND, wanted).first()
    if row is None or row.dead:
        raise missing(kind)
    values = dict(row._mapping)
    del values["dead"]
    return Item(**values)


def new_item(
    itwin_id: str,
    *,
    kind: str,
    parent: str | None,
    name: str,
    user: str,
    now: str,
    description: str | None = None,
) -> dict[str, Any]:
    """Return the row of a new item; without a parent it is the iTwin's root folder."""
    return {
        "guid": itwin_id if parent is None else new_guid(),
        "itwin_id": itwin_id,
        "parent": parent,
        "kind": kind,
        "name": name,
        "description": description,
        "size_bytes": 0,
        "complete": kind == FOLDER,
        "locked": False,
        "recycled": None,
        "created": now,
        "created_by": user,
        "modified": now,
        "modified_by": user,
    }


def missing(kind: str) -> NotFound:
    """Return the refusal for an item that is not there."""
    return not_found(kind.capitalize(), kind)
