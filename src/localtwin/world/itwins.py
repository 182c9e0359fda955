"""iTwins: the projects everything belongs to.

Source: iTwins API, "Get iTwin" and "Create iTwin".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.engine import Row

from localtwin.errors import Conflict, Detail, Invalid, not_found
from localtwin.ids import new_guid
from localtwin.world.clock import Clock, stamp
from localtwin.world.database import Database, next_seq
from localtwin.world.items import FOLDER, new_item
from localtwin.world.tables import items, itwins


@dataclass(frozen=True, slots=True)
class ITwin:
    """One iTwin; `properties` are the descriptive fields exactly as the API names them."""

    id: str
    seq: int
    display_name: str
    number: str
    properties: dict[str, Any]
    created: str
    created_by: str


class ITwins:
    """All iTwins of the world."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def create(
        self, display_name: str, *, properties: dict[str, Any], number: str | None, user: str
    ) -> ITwin:
        """Return a new iTwin with an empty root folder; an iTwin's number is unique."""
        itwin_id, now = new_guid(), stamp(self._clock())
        with self._database.write() as connection:
            row: dict[str, Any] = {
                "id": itwin_id,
                "seq": next_seq(connection, itwins),
                "display_name": display_name,
                "number": number or itwin_id,
                "properties": properties,
                "created": now,
                "created_by": user,
            }
            _refuse_duplicate(connection, row["number"])
            connection.execute(insert(itwins).values(row))
            root = new_item(itwin_id, kind=FOLDER, parent=None, name="", user=user, now=now)
            connection.execute(insert(items).values(root))
        return ITwin(**row)

    def get(self, itwin_id: str) -> ITwin:
        """Return the iTwin; raises NotFound."""
        with self._database.read() as connection:
            return find_itwin(connection, itwin_id)

    def page(
        self, *, skip: int, top: int, search: str | None = None, newest_first: bool = False
    ) -> list[ITwin]:
        """Return one page in order of creation; `search` is a part of name or number."""
        order = itwins.c.seq.desc() if newest_first else itwins.c.seq
        query = select(itwins).order_by(order).offset(skip).limit(top)
        if search:
            part = itwins.c.display_name.icontains(search, autoescape=True)
            query = query.where(part | itwins.c.number.icontains(search, autoescape=True))
        return [_itwin(row) for row in self._database.all(query)]

    def change(
        self, itwin_id: str, *, display_name: str | None, properties: dict[str, Any]
    ) -> ITwin:
        """Return the iTwin with what was given changed."""
        with self._database.write() as connection:
            found = find_itwin(connection, itwin_id)
            values = {
                "display_name": display_name or found.display_name,
                "properties": found.properties | properties,
            }
            connection.execute(update(itwins).where(itwins.c.id == found.id).values(values))
            return find_itwin(connection, itwin_id)

    def delete(self, itwin_id: str) -> None:
        """Delete the iTwin with its iModels, files and connections."""
        with self._database.write() as connection:
            find_itwin(connection, itwin_id)
            connection.execute(delete(itwins).where(itwins.c.id == itwin_id))


def find_itwin(connection: Connection, itwin_id: str) -> ITwin:
    """Return the iTwin; raises NotFound."""
    row = connection.execute(select(itwins).where(itwins.c.id == itwin_id.lower())).first()
    if row is None:
        raise not_found("iTwin")
    return _itwin(row)


def _itwin(row: Row[Any]) -> ITwin:
    return ITwin(**row._mapping)


def _refuse_duplicate(connection: Connection, number: str) -> None:
    if connection.execute(select(itwins.c.id).where(itwins.c.number == number)).first():
        raise Conflict("iTwinExists", "iTwin with the same number already exists.")


def invalid_itwin(code: str, message: str, target: str) -> Invalid:
    """Return the iTwins API's 422 with one detail."""
    return Invalid("InvalidiTwinsRequest", "Request is invalid.", Detail(code, message, target))
