"""iModels and their changesets.

Source: iModels API v2, "Create iModel", "Get iModel changesets".
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.engine import Row

from localtwin.errors import Conflict, NotFound, not_found
from localtwin.ids import new_guid
from localtwin.world.clock import Clock, stamp
from localtwin.world.database import Database
from localtwin.world.events import IMODEL_CREATED, IMODEL_DELETED, Announce, announce_nothing
from localtwin.world.imodels.listing import IMODEL_FILE
from localtwin.world.itwins import find_itwin
from localtwin.world.tables import changesets, imodels, named_versions, runs


@dataclass(frozen=True, slots=True)
class IModel:
    """One iModel; `last_pushed` is the moment of its newest changeset."""

    id: str
    itwin_id: str
    name: str
    description: str | None
    extent: dict[str, Any] | None
    coordinate_system: dict[str, Any] | None
    created: str
    creator: str
    last_pushed: str | None = None


@dataclass(frozen=True, slots=True)
class Changeset:
    """One changeset of an iModel, with what it did."""

    imodel_id: str
    index: int
    id: str
    parent_id: str
    description: str | None
    creator: str
    pushed: str
    containing_changes: int
    size_bytes: int
    run_id: str
    task_id: str | None
    changed_files: list[str]
    inserted: int
    updated: int
    deleted: int


_LAST_PUSHED = (
    select(changesets.c.pushed)
    .where(changesets.c.imodel_id == imodels.c.id)
    .order_by(changesets.c.index.desc())
    .limit(1)
    .scalar_subquery()
    .label("last_pushed")
)


class IModels:
    """All iModels; their files live in one folder each under `folder`."""

    def __init__(
        self, database: Database, folder: Path, clock: Clock, announce: Announce = announce_nothing
    ) -> None:
        self._announce = announce
        self._database = database
        self._folder = folder
        self._clock = clock

    def create(
        self,
        itwin_id: str,
        name: str,
        *,
        user: str,
        description: str | None = None,
        extent: dict[str, Any] | None = None,
        coordinate_system: dict[str, Any] | None = None,
    ) -> IModel:
        """Return a new, empty iModel; its name is unique in the iTwin."""
        with self._database.write() as connection:
            itwin = find_itwin(connection, itwin_id)
            _refuse_taken(connection, itwin.id, name)
            row: dict[str, Any] = {
                "id": new_guid(),
                "itwin_id": itwin.id,
                "name": name,
                "description": description,
                "extent": extent,
                "coordinate_system": coordinate_system,
                "created": stamp(self._clock()),
                "creator": user,
            }
            connection.execute(insert(imodels).values(row))
        content = {"imodelId": row["id"], "imodelName": name, "userId": user}
        self._announce(IMODEL_CREATED, itwin.id, content)
        return IModel(**row)

    def get(self, imodel_id: str) -> IModel:
        """Return the iModel; raises NotFound."""
        with self._database.read() as connection:
            return find_imodel(connection, imodel_id)

    def horizontal_system(self, imodel_id: str) -> str:
        """Return the id of the coordinate system that the iModel lies in; "" if it has none."""
        query = select(imodels.c.coordinate_system).where(imodels.c.id == imodel_id.lower())
        with self._database.read() as connection:
            found = connection.execute(query).scalar() or {}
        return str(found.get("horizontalCRSId") or "")

    def change(self, imodel_id: str, values: dict[str, Any]) -> IModel:
        """Return the iModel with another name, description or extent."""
        with self._database.write() as connection:
            found = find_imodel(connection, imodel_id)
            if values.get("name", found.name) != found.name:
                _refuse_taken(connection, found.itwin_id, values["name"])
            if values:
                connection.execute(update(imodels).where(imodels.c.id == found.id).values(values))
            return find_imodel(connection, imodel_id)

    def page(
        self,
        itwin_id: str,
        *,
        skip: int,
        top: int,
        name: str | None = None,
        search: str | None = None,
        order: str = "name",
    ) -> list[IModel]:
        """Return one page; `order` is name or createdDateTime, with asc or desc."""
        query = select(imodels, _LAST_PUSHED).where(imodels.c.itwin_id == itwin_id)
        if name is not None:
            query = query.where(imodels.c.name == name)
        if search is not None:
            part = imodels.c.name.icontains(search, autoescape=True)
            query = query.where(part | imodels.c.description.icontains(search, autoescape=True))
        by, _, direction = order.partition(" ")
        column = imodels.c.created if by == "createdDateTime" else imodels.c.name
        first = column.desc() if direction == "desc" else column.asc()
        with self._database.read() as connection:
            find_itwin(connection, itwin_id)
            ordered = query.order_by(first, imodels.c.name).offset(skip).limit(top)
            rows = connection.execute(ordered)
            return [IModel(**row._mapping) for row in rows]

    def delete(self, imodel_id: str, *, user: str) -> None:
        """Delete the iModel with its changesets and connections; Conflict while a run is active."""
        with self._database.write() as connection:
            imodel = find_imodel(connection, imodel_id)
            busy = (runs.c.imodel_id == imodel.id) & (runs.c.state != "Completed")
            if connection.execute(select(runs.c.id).where(busy)).first():
                raise Conflict("ConflictWithAnotherUser", "A run on the iModel is active.")
            connection.execute(delete(imodels).where(imodels.c.id == imodel.id))
        shutil.rmtree(self.folder(imodel.id), ignore_errors=True)
        content = {"imodelId": imodel.id, "userId": user}
        self._announce(IMODEL_DELETED, imodel.itwin_id, content)

    def sweep(self) -> None:
        """Delete the folders of iModels that are no more."""
        known = {row.id for row in self._database.all(select(imodels.c.id))}
        self._folder.mkdir(parents=True, exist_ok=True)
        for folder in self._folder.iterdir():
            if folder.name not in known:
                shutil.rmtree(folder, ignore_errors=True)

    def folder(self, imodel_id: str) -> Path:
        """Return where the iModel's own file and its changesets are."""
        return self._folder / imodel_id

    def file(self, imodel_id: str) -> Path:
        """Return where the iModel's file is, or will be after the first run."""
        return self.folder(imodel_id) / IMODEL_FILE

    def changeset_file(self, changeset: Changeset) -> Path:
        """Return where the changeset is."""
        return self.folder(changeset.imodel_id) / "changesets" / changeset.id

    def changesets(
        self,
        imodel_id: str,
        *,
        after: int = 0,
        last: int | None = None,
        skip: int = 0,
        top: int = 100,
        newest_first: bool = False,
    ) -> list[Changeset]:
        """Return one page of changesets with after < index <= last."""
        order = changesets.c.index.desc() if newest_first else changesets.c.index
        query = select(changesets).where(
            changesets.c.imodel_id == imodel_id, changesets.c.index > after
        )
        if last is not None:
            query = query.where(changesets.c.index <= last)
        with self._database.read() as connection:
            find_imodel(connection, imodel_id)
            rows = connection.execute(query.order_by(order).offset(skip).limit(top))
            return [_changeset(row) for row in rows]

    def changeset(self, imodel_id: str, id_or_index: str) -> Changeset:
        """Return the changeset by its id or its index; raises NotFound."""
        if id_or_index.isdecimal() and len(id_or_index) < 19:
            wanted = changesets.c.index == int(id_or_index)
        else:
            wanted = changesets.c.id == id_or_index.lower()
        query = select(changesets).where(changesets.c.imodel_id == imodel_id, wanted)
        with self._database.read() as connection:
            find_imodel(connection, imodel_id)
            row = connection.execute(query).first()
        if row is None:
            raise NotFound("ChangesetNotFound", "Requested Changeset is not available.")
        return _changeset(row)

    def statistics(self, imodel_id: str, user_id: str) -> tuple[int, str | None, int]:
        """Return the user's number of changesets, the last push, and the number of versions."""
        pushed = select(func.count(), func.max(changesets.c.pushed)).where(
            changesets.c.imodel_id == imodel_id.lower(), changesets.c.creator == user_id
        )
        named = select(func.count()).where(
            named_versions.c.imodel_id == imodel_id.lower(), named_versions.c.creator == user_id
        )
        with self._database.read() as connection:
            count, last = connection.execute(pushed).one()
            return count, last, connection.execute(named).scalar() or 0


def locate_imodel(transaction: Connection, imodel_id: str, coordinate_system: str) -> None:
    """Let the coordinate system be the iModel's, if it has none so far; "" changes nothing."""
    if coordinate_system and find_imodel(transaction, imodel_id).coordinate_system is None:
        values = {"coordinate_system": {"horizontalCRSId": coordinate_system}}
        transaction.execute(update(imodels).where(imodels.c.id == imodel_id).values(values))


def find_imodel(connection: Connection, imodel_id: str) -> IModel:
    """Return the iModel; raises NotFound."""
    query = select(imodels, _LAST_PUSHED).where(imodels.c.id == imodel_id.lower())
    row = connection.execute(query).first()
    if row is None:
        raise not_found("iModel")
    return IModel(**row._mapping)


def last_changeset(connection: Connection, imodel_id: str) -> Changeset | None:
    """Return the iModel's newest recorded changeset."""
    query = select(changesets).where(changesets.c.imodel_id == imodel_id)
    row = connection.execute(query.order_by(changesets.c.index.desc()).limit(1)).first()
    return None if row is None else _changeset(row)


def _refuse_taken(connection: Connection, itwin_id: str, name: str) -> None:
    same = (imodels.c.itwin_id == itwin_id) & (imodels.c.name == name)
    if connection.execute(select(imodels.c.id).where(same)).first():
        raise Conflict("iModelExists", "iModel with the same name already exists within the iTwin.")


def _changeset(row: Row[Any]) -> Changeset:
    return Changeset(**row._mapping)
