"""Folders of Storage that were asked for lately, and the ids that they got.

Written by the threads that make them; every change is durable when its method returns.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, Engine, and_, delete, insert, select

from ..core.new_folder import NewFolder
from . import tables
from .transactions import writing

KEPT_S: Final = 3600.0  # far longer than any lag of a listing
_TABLE: Final = tables.new_folders


class NewFolders:
    """The new folders of all iTwins; an id in Storage belongs to one of them."""

    def __init__(self, engine: Engine) -> None:
        """`engine` comes from `open_database`; its owner disposes of it."""
        self._engine = engine

    def read(self) -> list[NewFolder]:
        """Return what was asked for lately."""
        columns = [_TABLE.c[name] for name in NewFolder._fields]
        with self._engine.connect() as opened:
            return [NewFolder(*row) for row in opened.execute(select(*columns))]

    def note(self, folder: NewFolder) -> None:
        """Remember a folder, in place of what was known of it."""
        values: dict[str, Any] = folder._asdict()
        with writing(self._engine) as opened:
            opened.execute(delete(_TABLE).where(_TABLE.c.asked_s < folder.asked_s - KEPT_S))
            opened.execute(delete(_TABLE).where(_is(folder.parent_id, folder.name)))
            opened.execute(insert(_TABLE).values(values))

    def forget(self, parent_id: str, name: str) -> None:
        """Forget a folder that was not made."""
        with writing(self._engine) as opened:
            opened.execute(delete(_TABLE).where(_is(parent_id, name)))


def _is(parent_id: str, name: str) -> ColumnElement[bool]:
    return and_(_TABLE.c.parent_id == parent_id, _TABLE.c.name == name)
