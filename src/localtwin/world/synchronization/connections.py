"""Connections: which files go into which iModel.

Source: Synchronization API, "Create StorageConnection", "Create ManifestConnection".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection as Transaction
from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import Row

from localtwin.errors import Conflict, Forbidden, NotFound, not_found
from localtwin.ids import new_guid, pair_id
from localtwin.world.access.authorizations import USER, set_owner
from localtwin.world.clock import Clock, stamp
from localtwin.world.database import Database, next_seq
from localtwin.world.imodels.imodels import find_imodel
from localtwin.world.storage.items import FILE, find, missing
from localtwin.world.tables import connections, runs, sources

STORAGE = "storage"
MANIFEST = "manifest"


@dataclass(frozen=True, slots=True)
class Connection:
    """A set of source files joined with one iModel."""

    id: str
    seq: int
    kind: str
    imodel_id: str
    itwin_id: str
    display_name: str | None
    authentication_type: str
    last_run_id: str | None
    created: str
    last_error: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """One source file; `file_id` is a Storage file id or, in a manifest, the caller's own id."""

    id: str
    seq: int
    connection_id: str
    imodel_id: str
    file_id: str
    origin: str
    connector_type: str | None
    last_known_name: str


@dataclass(frozen=True, slots=True)
class RequestedSource:
    """A source file as the caller names it."""

    file_id: str
    connector_type: str | None = None


_LAST_ERROR = (
    select(runs.c.error)
    .where(runs.c.id == connections.c.last_run_id)
    .scalar_subquery()
    .label("last_error")
)
_WHOLE = select(connections, _LAST_ERROR)


class Connections:
    """All connections; `kind` keeps storage and manifest connections apart."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def create(
        self,
        kind: str,
        imodel_id: str,
        mappings: Sequence[RequestedSource],
        *,
        display_name: str | None,
        authentication_type: str,
        owner: str | None = None,
    ) -> Connection:
        """Return a new connection with its source files; all or nothing.

        `owner` is the person whose sign-in its runs use when they act for a user.
        """
        with self._database.write() as transaction:
            imodel = find_imodel(transaction, imodel_id)
            row: dict[str, Any] = {
                "id": pair_id(new_guid(), imodel.id),
                "seq": next_seq(transaction, connections),
                "kind": kind,
                "imodel_id": imodel.id,
                "itwin_id": imodel.itwin_id,
                "display_name": display_name,
                "authentication_type": authentication_type,
                "last_run_id": None,
                "created": stamp(self._clock()),
            }
            transaction.execute(insert(connections).values(row))
            connection = Connection(**row)
            set_owner(transaction, connection.id, owner)
            many = "One or more SourceFiles are already mapped to the iModel."
            for mapping in mappings:
                _add(transaction, connection, mapping, taken=many)
        return connection

    def get(self, kind: str, connection_id: str) -> Connection:
        """Return the connection; raises NotFound."""
        with self._database.read() as transaction:
            return find_connection(transaction, kind, connection_id)

    def page(self, kind: str | None, imodel_id: str, *, skip: int, top: int) -> list[Connection]:
        """Return one page in order of creation, of one kind or of any; raises Forbidden.

        The operation knows no "not found": an iModel that is not there is nobody's to see.
        Source: Synchronization API, "Get StorageConnections".
        """
        query = _WHOLE.where(connections.c.imodel_id == imodel_id.lower())
        if kind is not None:
            query = query.where(connections.c.kind == kind)
        with self._database.read() as transaction:
            _require(transaction, imodel_id)
            ordered = query.order_by(connections.c.seq).offset(skip).limit(top)
            return [Connection(**row._mapping) for row in transaction.execute(ordered)]

    def change(
        self, kind: str, connection_id: str, values: Mapping[str, str | None], *, owner: str | None
    ) -> Connection:
        """Return the connection with another name or authentication type, those `values` has.

        The person who makes it act for a user becomes that user.
        """
        with self._database.write() as transaction:
            found = find_connection(transaction, kind, connection_id)
            if values.get("authentication_type") == USER:
                set_owner(transaction, found.id, owner)
            if values:
                of_connection = connections.c.id == found.id
                transaction.execute(update(connections).where(of_connection).values(dict(values)))
            return find_connection(transaction, kind, connection_id)

    def delete(self, kind: str, connection_id: str) -> None:
        """Delete the connection; what it brought into the iModel stays.

        Raises Conflict while a run of it is active.
        """
        with self._database.write() as transaction:
            found = find_connection(transaction, kind, connection_id)
            busy = (runs.c.connection_id == found.id) & (runs.c.state != "Completed")
            if transaction.execute(select(runs.c.id).where(busy)).first():
                raise Conflict("ConnectionAlreadyInUse", "Connection is already being processed.")
            transaction.execute(delete(connections).where(connections.c.id == found.id))

    def add_source(self, kind: str, connection_id: str, mapping: RequestedSource) -> Source:
        """Return a new source file of the connection."""
        with self._database.write() as transaction:
            connection = find_connection(transaction, kind, connection_id)
            taken = "The SourceFile is already mapped to the iModel."
            return _add(transaction, connection, mapping, taken=taken)

    def sources(self, kind: str, connection_id: str, *, skip: int, top: int) -> list[Source]:
        """Return one page of source files in order of creation."""
        with self._database.read() as transaction:
            find_connection(transaction, kind, connection_id)
            query = select(sources).where(sources.c.connection_id == connection_id)
            rows = transaction.execute(query.order_by(sources.c.seq).offset(skip).limit(top))
            return [_source(row) for row in rows]

    def file_ids(self, kind: str, connection_id: str) -> set[str]:
        """Return the file ids of all source files."""
        with self._database.read() as transaction:
            find_connection(transaction, kind, connection_id)
            query = select(sources.c.file_id).where(sources.c.connection_id == connection_id)
            return set(transaction.execute(query).scalars())

    def source(self, kind: str, connection_id: str, source_id: str) -> Source:
        """Return one source file; raises NotFound."""
        with self._database.read() as transaction:
            connection = find_connection(transaction, kind, connection_id)
            return _find_source(transaction, connection, source_id)

    def change_source(
        self, kind: str, connection_id: str, source_id: str, mapping: RequestedSource
    ) -> Source:
        """Return the source file, now mapped to another file or connector.

        It stays the same source: the next run updates the elements that it brought before.
        """
        with self._database.write() as transaction:
            connection = find_connection(transaction, kind, connection_id)
            before = _find_source(transaction, connection, source_id)
            name = _name(transaction, connection, mapping)
            if before.file_id != mapping.file_id:
                _refuse_taken(transaction, connection, mapping, _TAKEN)
            values = {
                "file_id": mapping.file_id,
                "connector_type": mapping.connector_type,
                "last_known_name": name,
            }
            transaction.execute(update(sources).where(sources.c.id == before.id).values(values))
            return _find_source(transaction, connection, source_id)

    def remove_source(self, kind: str, connection_id: str, source_id: str) -> None:
        """Take the source file out of the connection; what it contributed stays."""
        with self._database.write() as transaction:
            connection = find_connection(transaction, kind, connection_id)
            source = _find_source(transaction, connection, source_id)
            transaction.execute(delete(sources).where(sources.c.id == source.id))


_TAKEN = "The SourceFile is already mapped to the iModel."


def find_connection(transaction: Transaction, kind: str, connection_id: str) -> Connection:
    """Return the connection; raises NotFound."""
    query = _WHOLE.where(connections.c.id == connection_id, connections.c.kind == kind)
    row = transaction.execute(query).first()
    if row is None:
        raise not_found(f"{kind.capitalize()}Connection")
    return Connection(**row._mapping)


def _require(transaction: Transaction, imodel_id: str) -> None:
    try:
        find_imodel(transaction, imodel_id)
    except NotFound as absent:
        text = "The user has insufficient permissions for the requested operation."
        raise Forbidden("InsufficientPermissions", text) from absent


def _find_source(transaction: Transaction, connection: Connection, source_id: str) -> Source:
    query = select(sources).where(
        sources.c.id == source_id.lower(), sources.c.connection_id == connection.id
    )
    row = transaction.execute(query).first()
    if row is None:
        raise not_found(f"{connection.kind.capitalize()}ConnectionSourceFile")
    return _source(row)


def _add(
    transaction: Transaction, connection: Connection, mapping: RequestedSource, *, taken: str
) -> Source:
    name = _name(transaction, connection, mapping)
    _refuse_taken(transaction, connection, mapping, taken)
    row: dict[str, Any] = {
        "id": new_guid(),
        "seq": next_seq(transaction, sources),
        "connection_id": connection.id,
        "imodel_id": connection.imodel_id,
        "file_id": mapping.file_id,
        "origin": _origin(transaction, connection, mapping.file_id),
        "connector_type": mapping.connector_type,
        "last_known_name": name,
    }
    transaction.execute(insert(sources).values(row))
    return Source(**row)


def _origin(transaction: Transaction, connection: Connection, file_id: str) -> str:
    """Return the id of a new source in the iModel: its file's, which may be back after a time.

    Another one if a source that was mapped to that file first has it still.
    """
    same = (sources.c.imodel_id == connection.imodel_id) & (sources.c.origin == file_id)
    taken = transaction.execute(select(sources.c.id).where(same)).first()
    return f"{file_id}+{new_guid()}" if taken else file_id


def _name(transaction: Transaction, connection: Connection, mapping: RequestedSource) -> str:
    if connection.kind == MANIFEST:
        return ""
    file = find(transaction, mapping.file_id, FILE)
    if not file.complete:
        raise missing(FILE)
    return file.name


def _refuse_taken(
    transaction: Transaction, connection: Connection, mapping: RequestedSource, taken: str
) -> None:
    same = (sources.c.imodel_id == connection.imodel_id) & (sources.c.file_id == mapping.file_id)
    if transaction.execute(select(sources.c.id).where(same)).first():
        raise Conflict("FileMappingToTheIModelAlreadyExists", taken)


def _source(row: Row[Any]) -> Source:
    return Source(**row._mapping)
