"""iTwins: the projects everything belongs to.

Source: iTwins API, "Get iTwin" and "Create iTwin".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, delete, func, insert, select, update
from sqlalchemy.engine import Row

from localtwin.errors import Conflict, Forbidden, not_found
from localtwin.ids import new_guid
from localtwin.world.clock import Clock, stamp
from localtwin.world.database import Database, next_seq
from localtwin.world.events import ITWIN_CREATED, ITWIN_DELETED, Announce, announce_nothing
from localtwin.world.storage.items import FOLDER, new_item
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
    modified: str
    modified_by: str


@dataclass(frozen=True, slots=True)
class ITwinFilter:
    """The conditions of a list of iTwins; `search` is a part of name or number.

    The account is listed only when it is asked for by its subclass.
    """

    name: str | None = None
    number: str | None = None
    search: str | None = None
    properties: Mapping[str, str] = field(default_factory=dict)
    inactive_too: bool = True
    among: frozenset[str] | None = None  # ids; None: all

    def narrow(self, query: Select[Any]) -> Select[Any]:
        """Return `query` over the iTwins with the conditions added."""
        if self.name is not None:
            query = query.where(itwins.c.display_name == self.name)
        if self.number is not None:
            query = query.where(itwins.c.number == self.number)
        if self.search:
            part = itwins.c.display_name.icontains(self.search, autoescape=True)
            query = query.where(part | itwins.c.number.icontains(self.search, autoescape=True))
        if self.among is not None:
            query = query.where(itwins.c.id.in_(self.among))
        for name, value in self.properties.items():
            query = query.where(_property(name) == value)
        if "subClass" not in self.properties:
            query = query.where(_property("subClass") != ACCOUNT)
        return query if self.inactive_too else query.where(_property("status") != "Inactive")


def _property(name: str) -> ColumnElement[str]:
    return func.coalesce(itwins.c.properties[name].as_string(), DEFAULTS.get(name, ""))


ACCOUNT = "Account"
DEFAULTS = {"class": "Endeavor", "subClass": "Project", "status": "Active"}
"""The properties of an iTwin that was created without them."""
_ALL = ITwinFilter()


class ITwins:
    """All iTwins of the world."""

    def __init__(
        self, database: Database, clock: Clock, announce: Announce = announce_nothing
    ) -> None:
        self._database = database
        self._clock = clock
        self._announce = announce

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
                "modified": now,
                "modified_by": user,
            }
            _refuse_duplicate(connection, row["number"])
            connection.execute(insert(itwins).values(row))
            root = new_item(itwin_id, kind=FOLDER, parent=None, name="", user=user, now=now)
            connection.execute(insert(items).values(root))
        content = {"iTwinId": itwin_id, "iTwinName": display_name, "userId": user}
        self._announce(ITWIN_CREATED, itwin_id, content)
        return ITwin(**row)

    def account(self, user: str) -> ITwin:
        """Return the account that every iTwin belongs to; made where there is none."""
        found = self.page(ITwinFilter(properties={"subClass": ACCOUNT}), skip=0, top=1)
        if found:
            return found[0]
        properties = {"class": ACCOUNT, "subClass": ACCOUNT}
        return self.create("Local account", properties=properties, number=None, user=user)

    def get(self, itwin_id: str) -> ITwin:
        """Return the iTwin; raises NotFound."""
        with self._database.read() as connection:
            return find_itwin(connection, itwin_id)

    def page(
        self, wanted: ITwinFilter = _ALL, *, skip: int, top: int, newest_first: bool = False
    ) -> list[ITwin]:
        """Return one page of what is wanted, in order of creation."""
        order = itwins.c.seq.desc() if newest_first else itwins.c.seq
        query = wanted.narrow(select(itwins)).order_by(order).offset(skip).limit(top)
        return [_itwin(row) for row in self._database.all(query)]

    def change(
        self,
        itwin_id: str,
        *,
        display_name: str | None,
        number: str | None,
        properties: dict[str, Any],
        user: str,
    ) -> ITwin:
        """Return the iTwin with the given values changed; an iTwin's number is unique."""
        with self._database.write() as connection:
            found = find_itwin(connection, itwin_id)
            if number is not None and number != found.number:
                _refuse_duplicate(connection, number)
            values = {
                "display_name": display_name or found.display_name,
                "number": number or found.number,
                "modified": stamp(self._clock()),
                "modified_by": user,
                "properties": found.properties | properties,
            }
            connection.execute(update(itwins).where(itwins.c.id == found.id).values(values))
            return find_itwin(connection, itwin_id)

    def delete(self, itwin_id: str, *, user: str) -> None:
        """Delete the iTwin with its iModels, files and connections."""
        with self._database.write() as connection:
            found = find_itwin(connection, itwin_id)
            if found.properties.get("subClass") == ACCOUNT:
                text = "The user has insufficient permissions for the requested operation."
                raise Forbidden("InsufficientPermissions", text)
            connection.execute(delete(itwins).where(itwins.c.id == found.id))
        self._announce(ITWIN_DELETED, found.id, {"iTwinId": found.id, "userId": user})


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
