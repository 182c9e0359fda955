"""Companions: files of Storage without which a source file is only a part, as a shapefile's .dbf.

They have its name with other extensions and lie in its folder.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from sqlalchemy import Connection as Transaction
from sqlalchemy import select

from localtwin.connectors.registry import COMPANIONS
from localtwin.world.storage.items import FILE, Item
from localtwin.world.tables import blobs, items


@dataclass(frozen=True, slots=True)
class Companion:
    """A companion with the name of its content."""

    name: str
    content: str


def companions_of(transaction: Transaction, item: Item) -> list[Companion]:
    """Return the companions of a file by their names; none for most formats."""
    wanted = COMPANIONS.get(_extension(item.name), ())
    if not wanted:
        return []
    query = (
        select(items.c.name, blobs.c.content)
        .join(blobs, blobs.c.id == items.c.guid)
        .where(
            items.c.itwin_id == item.itwin_id,
            items.c.parent.is_not_distinct_from(item.parent),
            items.c.kind == FILE,
            items.c.recycled.is_(None),
            blobs.c.content.is_not(None),
        )
        .order_by(items.c.name)
    )
    return [
        Companion(row.name, row.content)
        for row in transaction.execute(query)
        if _extension(row.name) in wanted and _stem(row.name) == _stem(item.name)
    ]


def _extension(name: str) -> str:
    return PurePath(name).suffix.lower().removeprefix(".")


def _stem(name: str) -> str:
    return PurePath(name).stem.casefold()
