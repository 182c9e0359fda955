"""Makes what an iModel holds from one source equal to what the source's connector yields."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import apsw

from localtwin.connectors.source import (
    SourceElement,
    SourceItem,
    SourceRelationship,
    Unchanged,
    clean,
    unreadable,
)
from localtwin.imodel.classes import ClassRegistry
from localtwin.imodel.elements import ElementWriter
from localtwin.imodel.geolocation import coordinate_system_of
from localtwin.imodel.relationships import RelationshipWriter
from localtwin.imodel.report import Changes
from localtwin.imodel.tally import Tally


@dataclass(frozen=True, slots=True)
class Origin:
    """What the iModel records about a source beside its elements."""

    identifier: str
    label: str
    connector_name: str
    connector_version: str
    digest: str


BATCH = 20_000  # items; a million written at once would need half a gigabyte to be recorded


class Synchronizer:
    """Writes one source into an iModel; the caller holds the transaction and any savepoint.

    `on_batch` is called after so many rows were written, to move what was recorded out of memory.
    """

    def __init__(
        self, database: apsw.Connection, on_batch: Callable[[], None] = lambda: None
    ) -> None:
        self._database = database
        self._on_batch = on_batch
        self._run = database.execute

    def bridge(self, origin: Origin, items: Iterable[SourceItem]) -> Tally:
        """Bring the iModel to `items`, all that the source holds; returns what that took.

        Raises ConnectorError if an item has a value that can't be stored, and whatever reading
        the items raises.
        """
        tally = Tally()
        found = self._run(
            "SELECT Id, ConnectorName, ConnectorVersion FROM bis_ExternalSource"
            " WHERE Identifier = ?",
            (origin.identifier,),
        ).fetchone()
        source, *edition = found or (self._insert_source(origin, tally),)
        redraw = edition != [origin.connector_name, origin.connector_version]
        self._write(items, tally, source=int(source), redraw=redraw)
        self._describe_source(origin, int(source), tally)
        return tally

    def unmap(self, identifier: str) -> Tally:
        """Remove the source and all it contributed."""
        tally = Tally()
        source = self._run(
            "SELECT Id FROM bis_ExternalSource WHERE Identifier = ?", (identifier,)
        ).get
        if source is not None:
            self._write((), tally, source=int(source), redraw=False)
            self._run("DELETE FROM bis_ExternalSource WHERE Id = ?", (source,))
            tally.changes |= Changes.GLOBAL_PROPERTIES
        return tally

    def _write(
        self, items: Iterable[SourceItem], tally: Tally, *, source: int, redraw: bool
    ) -> None:
        classes = ClassRegistry(self._database, tally)
        elements = ElementWriter(self._database, classes, tally, source=source, redraw=redraw)
        relationships = RelationshipWriter(
            self._database, classes, tally, source=source, resolve=elements.resolve
        )
        for number, item in enumerate(items, 1):
            try:
                match item:
                    case SourceElement():
                        elements.take(item)
                        if not tally.coordinate_system:
                            tally.coordinate_system = coordinate_system_of(item.properties)
                    case SourceRelationship():
                        relationships.take(item)
                    case Unchanged():
                        elements.keep(item.identifiers)
                        if item.and_relationships:
                            relationships.keep_all()
            except (TypeError, ValueError, OverflowError, RecursionError) as exc:
                # One file's odd value must not end the run of the others.
                raise unreadable(f"{_name(item)} can't be stored: {exc}") from exc
            if number % BATCH == 0:
                self._on_batch()
        self._on_batch()
        relationships.finish()
        elements.finish(BATCH, self._on_batch)
        classes.finish()

    def _insert_source(self, origin: Origin, tally: Tally) -> int:
        row = self._run(
            "INSERT INTO bis_ExternalSource VALUES (NULL, ?, ?, ?, ?, ?) RETURNING Id",
            (
                origin.identifier,
                origin.label,
                origin.connector_name,
                origin.connector_version,
                origin.digest,
            ),
        )
        tally.changes |= Changes.GLOBAL_PROPERTIES
        return int(row.get)

    def _describe_source(self, origin: Origin, source: int, tally: Tally) -> None:
        """Record what the source is now; its digest only moves when its content did."""
        if tally.changes:
            query = "UPDATE bis_ExternalSource SET Digest = ? WHERE Id = ?"
            self._run(query, (origin.digest, source))
        described = (origin.label, origin.connector_name, origin.connector_version)
        self._run(
            "UPDATE bis_ExternalSource SET (Label, ConnectorName, ConnectorVersion) = (?, ?, ?)"
            " WHERE Id = ? AND (Label, ConnectorName, ConnectorVersion) IS NOT (?, ?, ?)",
            (*described, source, *described),
        )
        if self._database.changes():
            tally.changes |= Changes.GLOBAL_PROPERTIES


def _name(item: SourceItem) -> str:
    match item:
        case SourceElement():
            return f"{item.class_name} {clean(item.identifier)}"
        case SourceRelationship():
            return f"{item.class_name} {clean(item.source)} -> {clean(item.target)}"
        case Unchanged():
            return "What did not change"
