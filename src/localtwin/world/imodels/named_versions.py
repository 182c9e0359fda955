"""Named versions: changesets that got a name.

Source: iModels API, "Create named version"; a name and a changeset have one named version each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.engine import Row

from localtwin.errors import Conflict, NotFound
from localtwin.ids import new_guid
from localtwin.world.clock import Clock, stamp
from localtwin.world.database import Database
from localtwin.world.events import VERSION_CREATED, Announce, announce_nothing
from localtwin.world.imodels.imodels import IModels, find_imodel
from localtwin.world.tables import named_versions


@dataclass(frozen=True, slots=True)
class NamedVersion:
    """A named changeset; without one it names the empty iModel, index 0."""

    id: str
    imodel_id: str
    name: str
    description: str | None
    changeset_id: str | None
    changeset_index: int
    state: str
    created: str
    creator: str


class NamedVersions:
    """The named versions of all iModels."""

    def __init__(
        self,
        database: Database,
        imodels: IModels,
        clock: Clock,
        announce: Announce = announce_nothing,
    ) -> None:
        self._announce = announce
        self._database = database
        self._imodels = imodels
        self._clock = clock

    def create(
        self,
        imodel_id: str,
        name: str,
        *,
        description: str | None,
        changeset_id: str | None,
        user: str,
    ) -> NamedVersion:
        """Return a new named version of the changeset, or of the empty iModel."""
        index = 0
        if changeset_id is not None:
            index = self._imodels.changeset(imodel_id, changeset_id).index
        row: dict[str, Any] = {
            "id": new_guid(),
            "imodel_id": imodel_id,
            "name": name,
            "description": description,
            "changeset_id": changeset_id,
            "changeset_index": index,
            "state": "visible",
            "created": stamp(self._clock()),
            "creator": user,
        }
        with self._database.write() as connection:
            imodel = find_imodel(connection, imodel_id)
            _refuse_taken(connection, imodel_id, name=name, index=index)
            connection.execute(insert(named_versions).values(row))
        content = {
            "imodelId": imodel.id,
            "versionId": row["id"],
            "changesetId": changeset_id or "",
            "changesetIndex": str(index),
            "userId": user,
        }
        self._announce(VERSION_CREATED, imodel.itwin_id, content)
        return NamedVersion(**row)

    def page(
        self,
        imodel_id: str,
        *,
        skip: int,
        top: int,
        name: str | None = None,
        search: str | None = None,
        order: str = "changesetIndex desc",
    ) -> list[NamedVersion]:
        """Return one page; `order` is one of the API's two properties, with asc or desc."""
        table = named_versions.c
        query = select(named_versions).where(table.imodel_id == imodel_id)
        if name is not None:
            query = query.where(table.name == name)
        if search is not None:
            part = table.name.icontains(search, autoescape=True)
            query = query.where(part | table.description.icontains(search, autoescape=True))
        by, _, direction = order.partition(" ")
        column = table.created if by == "createdDateTime" else table.changeset_index
        first = column.desc() if direction == "desc" else column.asc()
        with self._database.read() as connection:
            find_imodel(connection, imodel_id)
            rows = connection.execute(query.order_by(first, table.id).offset(skip).limit(top))
            return [_version(row) for row in rows]

    def of_changesets(self, imodel_id: str, indices: Sequence[int]) -> dict[int, str]:
        """Return the ids of the named versions on these changesets, by index."""
        table = named_versions.c
        query = select(table.changeset_index, table.id).where(
            table.imodel_id == imodel_id, table.changeset_index.in_(indices)
        )
        return {row.changeset_index: row.id for row in self._database.all(query)}

    def get(self, imodel_id: str, version_id: str) -> NamedVersion:
        """Return the named version; raises NotFound."""
        with self._database.read() as connection:
            find_imodel(connection, imodel_id)
            return _find(connection, imodel_id, version_id)

    def change(self, imodel_id: str, version_id: str, values: dict[str, Any]) -> NamedVersion:
        """Return the named version with another name, description or state."""
        with self._database.write() as connection:
            find_imodel(connection, imodel_id)
            found = _find(connection, imodel_id, version_id)
            if values.get("name", found.name) != found.name:
                _refuse_taken(connection, imodel_id, name=values["name"], index=None)
            if values:
                wanted = named_versions.c.id == found.id
                connection.execute(update(named_versions).where(wanted).values(values))
            return _find(connection, imodel_id, version_id)


def _find(connection: Connection, imodel_id: str, version_id: str) -> NamedVersion:
    query = select(named_versions).where(
        named_versions.c.imodel_id == imodel_id, named_versions.c.id == version_id
    )
    row = connection.execute(query).first()
    if row is None:
        raise NotFound("NamedVersionNotFound", "Requested Named Version is not available.")
    return _version(row)


def _refuse_taken(connection: Connection, imodel_id: str, *, name: str, index: int | None) -> None:
    of_imodel = select(named_versions.c.id).where(named_versions.c.imodel_id == imodel_id)
    if connection.execute(of_imodel.where(named_versions.c.name == name)).first():
        raise Conflict("NamedVersionExists", "Named Version already exists.", target="name")
    if connection.execute(of_imodel.where(named_versions.c.changeset_index == index)).first():
        raise Conflict(
            "NamedVersionOnChangesetExists", "Named Version on the changeset already exists."
        )


def _version(row: Row[Any]) -> NamedVersion:
    return NamedVersion(**row._mapping)
