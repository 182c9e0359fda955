"""Makes what an iModel holds from one source equal to what the source's connector yields.

Elements are matched by their identifier in the source and compared by checksum, so only what
differs is written and an element keeps its id for as long as its identifier lives.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import apsw

from localtwin.connectors.source import (
    Json,
    Partition,
    SourceElement,
    clean,
    with_unique_identifiers,
)
from localtwin.imodel.report import Changes

CHANGES_OF = {
    Partition.DEFINITION: Changes.DEFINITION,
    Partition.PHYSICAL: Changes.SPATIAL_DATA,
    Partition.SHEET: Changes.SHEETS_AND_DRAWINGS,
}
CHANGES_OF_MODEL = {partition.value: changes for partition, changes in CHANGES_OF.items()}


@dataclass(slots=True)
class Tally:
    """Elements written so far, and the kinds of content touched."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    changes: Changes = Changes.NONE


@dataclass(frozen=True, slots=True)
class Origin:
    """What the iModel records about a source beside its elements."""

    identifier: str
    label: str
    connector_name: str
    connector_version: str
    digest: str


class Synchronizer:
    """Writes one source into an iModel; the caller holds the transaction and any savepoint."""

    def __init__(self, database: apsw.Connection) -> None:
        self._database = database
        self._run = database.execute
        self._run("CREATE TEMP TABLE IF NOT EXISTS seen (ElementId INTEGER PRIMARY KEY)")
        self._run(
            "CREATE TEMP TABLE IF NOT EXISTS gone (ElementId INTEGER PRIMARY KEY, Identifier TEXT)"
        )
        self._classes: dict[str, int] = {}
        self._models: dict[Partition, int] = {}
        self._source = 0
        self.tally = Tally()

    def bridge(self, origin: Origin, elements: Iterable[SourceElement]) -> Tally:
        """Bring the iModel to `elements`, all that the source holds; returns what that took."""
        self._begin(origin.identifier)
        if not self._source:
            self._source = self._insert_source(origin)
        for identifier, element in with_unique_identifiers(elements):
            self._take(element, identifier)
        self._delete_unseen()
        self._drop_empty_models()
        self._describe_source(origin)
        return self.tally

    def unmap(self, identifier: str) -> Tally:
        """Remove the source and all it contributed."""
        self._begin(identifier)
        self._delete_unseen()
        self._drop_empty_models()
        if self._source:
            self._run("DELETE FROM bis_ExternalSource WHERE Id = ?", (self._source,))
            self.tally.changes |= Changes.GLOBAL_PROPERTIES
        return self.tally

    def _begin(self, identifier: str) -> None:
        self.tally = Tally()
        self._classes.clear()
        self._models.clear()
        self._run("DELETE FROM temp.seen")
        found = self._run(
            "SELECT Id FROM bis_ExternalSource WHERE Identifier = ?", (identifier,)
        ).get
        self._source = int(found or 0)

    def _take(self, element: SourceElement, identifier: str) -> None:
        checksum = element.checksum()
        held = self._held(identifier)
        if held is None:
            element_id = self._insert(element, identifier, checksum)
        else:
            element_id, held_checksum = held
            if held_checksum != checksum:
                self._update(element, element_id, identifier, checksum)
        self._run("INSERT INTO temp.seen VALUES (?)", (element_id,))

    def _held(self, identifier: str) -> tuple[int, str] | None:
        return self._run(
            "SELECT ElementId, Checksum FROM bis_ExternalSourceAspect"
            " WHERE SourceId = ? AND Identifier = ?",
            (self._source, identifier),
        ).fetchone()

    def _insert(self, element: SourceElement, identifier: str, checksum: str) -> int:
        row = self._row(element)
        self._run(
            "INSERT INTO bis_Element VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row
        )
        element_id = self._database.last_insert_rowid()
        self._run(
            "INSERT INTO bis_ExternalSourceAspect VALUES (?, ?, ?, ?)",
            (self._source, identifier, element_id, checksum),
        )
        self.tally.inserted += 1
        self.tally.changes |= CHANGES_OF[element.partition]
        return element_id

    def _update(
        self, element: SourceElement, element_id: int, identifier: str, checksum: str
    ) -> None:
        self._run(
            "UPDATE bis_Element SET (ClassId, ModelId, ParentId, CategoryId,"
            " TypeDefinitionId, CodeValue, UserLabel,"
            " JsonProperties, MinX, MinY, MinZ, MaxX, MaxY, MaxZ)"
            " = (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) WHERE Id = ?",
            (*self._row(element), element_id),
        )
        self._run(
            "UPDATE bis_ExternalSourceAspect SET Checksum = ?"
            " WHERE SourceId = ? AND Identifier = ?",
            (checksum, self._source, identifier),
        )
        self.tally.updated += 1
        self.tally.changes |= CHANGES_OF[element.partition]

    def _row(self, element: SourceElement) -> tuple[int | float | str | None, ...]:
        extent = element.extent
        box = (*extent.low, *extent.high) if extent else (None,) * 6
        return (
            self._class(element.class_name),
            self._model(element.partition),
            self._element(element.parent),
            self._element(element.category),
            self._element(element.type_definition),
            clean(element.code) or None,
            clean(element.label) or None,
            clean(_json(element.properties)),
            *box,
        )

    def _element(self, identifier: str | None) -> int | None:
        held = None if identifier is None else self._held(clean(identifier))
        return None if held is None else held[0]

    def _class(self, name: str) -> int:
        if name not in self._classes:
            found = self._run("SELECT Id FROM ec_Class WHERE Name = ?", (name,)).get
            if found is None:
                found = self._run("INSERT INTO ec_Class VALUES (NULL, ?) RETURNING Id", (name,)).get
                self.tally.changes |= Changes.SCHEMA
            self._classes[name] = int(found)
        return self._classes[name]

    def _model(self, partition: Partition) -> int:
        if partition not in self._models:
            key = (self._class(partition.value), self._source)
            query = "SELECT Id FROM bis_Model WHERE ClassId = ? AND SourceId = ?"
            found = self._run(query, key).get
            if found is None:
                found = self._run("INSERT INTO bis_Model VALUES (NULL, ?, ?) RETURNING Id", key).get
                self.tally.changes |= Changes.VIEWS_AND_MODELS
            self._models[partition] = int(found)
        return self._models[partition]

    def _delete_unseen(self) -> None:
        self._run("DELETE FROM temp.gone")
        self._run(
            "INSERT INTO temp.gone SELECT ElementId, Identifier FROM bis_ExternalSourceAspect"
            " WHERE SourceId = ? AND ElementId NOT IN (SELECT ElementId FROM temp.seen)",
            (self._source,),
        )
        touched = self._run(
            "SELECT DISTINCT Name FROM temp.gone JOIN bis_Element ON bis_Element.Id = ElementId"
            " JOIN bis_Model ON bis_Model.Id = ModelId"
            " JOIN ec_Class ON ec_Class.Id = bis_Model.ClassId"
        ).fetchall()
        for (model_class,) in touched:
            self.tally.changes |= CHANGES_OF_MODEL[str(model_class)]
        self._run("DELETE FROM bis_Element WHERE Id IN (SELECT ElementId FROM temp.gone)")
        self._run(
            "DELETE FROM bis_ExternalSourceAspect"
            " WHERE SourceId = ? AND Identifier IN (SELECT Identifier FROM temp.gone)",
            (self._source,),
        )
        self.tally.deleted += int(self._run("SELECT count(*) FROM temp.gone").get)

    def _drop_empty_models(self) -> None:
        empty = self._run(
            "DELETE FROM bis_Model WHERE SourceId = ?"
            " AND NOT EXISTS (SELECT 1 FROM bis_Element WHERE ModelId = bis_Model.Id) RETURNING Id",
            (self._source,),
        ).fetchall()
        if empty:
            self.tally.changes |= Changes.VIEWS_AND_MODELS

    def _insert_source(self, origin: Origin) -> int:
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
        self.tally.changes |= Changes.GLOBAL_PROPERTIES
        return int(row.get)

    def _describe_source(self, origin: Origin) -> None:
        """Record what the source is now; its digest only moves when its content did."""
        if self.tally.changes:
            query = "UPDATE bis_ExternalSource SET Digest = ? WHERE Id = ?"
            self._run(query, (origin.digest, self._source))
        described = (origin.label, origin.connector_name, origin.connector_version)
        self._run(
            "UPDATE bis_ExternalSource SET (Label, ConnectorName, ConnectorVersion) = (?, ?, ?)"
            " WHERE Id = ? AND (Label, ConnectorName, ConnectorVersion) IS NOT (?, ?, ?)",
            (*described, self._source, *described),
        )
        if self._database.changes():
            self.tally.changes |= Changes.GLOBAL_PROPERTIES


def _json(properties: Mapping[str, Json] | None) -> str:
    return json.dumps(properties or {}, default=dict, ensure_ascii=False, sort_keys=True)
