"""Writes the elements of one source into an iModel.

Elements are matched by their identifier in the source and compared by checksum, so only what
differs is written and an element keeps its id for as long as its identifier lives.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import apsw

from localtwin.connectors.source import (
    Drawn,
    Partition,
    SourceElement,
    clean,
    identifier_candidates,
)
from localtwin.imodel.classes import ClassRegistry
from localtwin.imodel.geometry import GeometryWriter, box_of
from localtwin.imodel.json_text import json_text
from localtwin.imodel.report import Changes
from localtwin.imodel.tally import CHANGES_OF, CHANGES_OF_MODEL, Tally

# Identifiers looked up again and again (layers, parents, types); more only costs memory.
_REMEMBERED_MAX = 10_000

_HELD = """
SELECT Aspect.ElementId, Checksum, ParentId, CategoryId, TypeDefinitionId, seen.ElementId NOT NULL
FROM bis_ExternalSourceAspect AS Aspect
JOIN bis_Element ON bis_Element.Id = Aspect.ElementId
LEFT JOIN temp.seen ON seen.ElementId = Aspect.ElementId
WHERE SourceId = ? AND Identifier = ?
"""


_UPDATE = (
    "UPDATE bis_Element SET (ClassId, ModelId, ParentId, CategoryId, TypeDefinitionId, CodeValue,"
    " UserLabel, JsonProperties, MinX, MinY, MinZ, MaxX, MaxY, MaxZ)"
    " = (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) WHERE Id = ?"
)
_UPDATE_WITHOUT_EXTENT = (
    "UPDATE bis_Element SET (ClassId, ModelId, ParentId, CategoryId, TypeDefinitionId, CodeValue,"
    " UserLabel, JsonProperties) = (?, ?, ?, ?, ?, ?, ?, ?) WHERE Id = ?"
)


class _Held(NamedTuple):
    """An element as the iModel holds it."""

    id: int
    checksum: str
    parent: int | None
    category: int | None
    type_definition: int | None
    is_seen: int

    @property
    def links(self) -> "_Links":
        return self.parent, self.category, self.type_definition


_Links = tuple[int | None, int | None, int | None]  # parent, category, type definition


class ElementWriter:
    """Takes the elements of one reading of a source; `source` is the source's id.

    `redraw` brings outlines and the schema up to date as well where no element changed, which is
    only needed when another edition of the connector reads the source.
    """

    def __init__(
        self,
        database: apsw.Connection,
        classes: ClassRegistry,
        tally: Tally,
        *,
        source: int,
        redraw: bool,
    ) -> None:
        self._database = database
        self._run = database.execute
        self._classes = classes
        self._tally = tally
        self._source = source
        self._redraw = redraw
        self._geometry = GeometryWriter(database, tally)
        self._models: dict[tuple[Partition, str], int] = {}
        self._repeats: dict[str, int] = {}
        self._resolved: dict[str, int] = {}
        self._run("CREATE TEMP TABLE IF NOT EXISTS seen (ElementId INTEGER PRIMARY KEY)")
        self._run(
            "CREATE TEMP TABLE IF NOT EXISTS gone (ElementId INTEGER PRIMARY KEY, Identifier TEXT)"
        )
        self._run("DELETE FROM temp.seen")
        tally.before, tally.content_before = self._count(), self._count_content("bis_Element")

    def take(self, element: SourceElement) -> None:
        """Insert the element, update what differs, or leave it as it is."""
        identifier, held = self._place_of(element.identifier)
        checksum = element.checksum()
        links = (
            self.resolve(element.parent),
            self.resolve(element.category),
            self.resolve(element.type_definition),
        )
        if held is None:
            element_id = self._insert(element, links, identifier, checksum)
        else:
            element_id = held.id
            if held.checksum != checksum or held.links != links:
                self._update(element, links, held, identifier, checksum)
            elif self._redraw or element.drawn is Drawn.BUILT:
                self._class(element)
                self._geometry.follow(element, element_id)
        self._run("INSERT INTO temp.seen VALUES (?)", (element_id,))

    def keep(self, identifiers: Iterable[str]) -> None:
        """Leave the elements as they are; the iModel holds all of them."""
        before = self._database.total_changes()
        wanted = [(self._source, clean(each)) for each in identifiers]
        self._database.executemany(
            "INSERT INTO temp.seen SELECT ElementId FROM bis_ExternalSourceAspect"
            " WHERE SourceId = ? AND Identifier = ?",
            wanted,
        )
        assert self._database.total_changes() - before == len(wanted)

    def resolve(self, identifier: str | None) -> int | None:
        """Return the id of an element that was taken before; None if there is none."""
        if identifier is None:
            return None
        found = self._resolved.get(identifier)
        if found is None:
            held = self._held(clean(identifier))
            if held is None or not held.is_seen:
                return None
            if len(self._resolved) >= _REMEMBERED_MAX:
                self._resolved.clear()
            found = self._resolved[identifier] = held.id
        return found

    def finish(self, batch: int, on_batch: Callable[[], None]) -> None:
        """Delete the elements that were not taken, so many at a time, and empty models."""
        self._find_unseen()
        while self._delete_unseen(batch):
            on_batch()
        self._drop_empty_models()
        self._tally.after = self._count()
        self._tally.content_after = self._count_content("bis_Element")

    def _count(self) -> int:
        query = "SELECT count(*) FROM bis_ExternalSourceAspect WHERE SourceId = ?"
        return int(self._run(query, (self._source,)).get)

    def _count_content(self, table: str) -> int:
        """Return how many elements of the table are of the source and no definitions."""
        models = (
            "SELECT bis_Model.Id FROM bis_Model JOIN ec_Class ON ec_Class.Id = ClassId"
            " WHERE SourceId = ? AND ec_Class.Name <> ?"
        )
        query = f"SELECT count(*) FROM {table} WHERE ModelId IN ({models})"  # noqa: S608 - from here
        return int(self._run(query, (self._source, Partition.DEFINITION.value)).get)

    def _place_of(self, identifier: str) -> tuple[str, _Held | None]:
        """Return the identifier that the element has in the iModel, and what is held there."""
        for candidate in identifier_candidates(identifier, self._repeats):
            held = self._held(candidate)
            if held is None or not held.is_seen:
                return candidate, held
        raise AssertionError("candidates never end")

    def _held(self, identifier: str) -> _Held | None:
        row = self._run(_HELD, (self._source, identifier)).fetchone()
        return None if row is None else _Held(*row)

    def _insert(self, element: SourceElement, links: _Links, identifier: str, checksum: str) -> int:
        self._run(
            "INSERT INTO bis_Element VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            self._row(element, links),
        )
        element_id = self._database.last_insert_rowid()
        self._run(
            "INSERT INTO bis_ExternalSourceAspect VALUES (?, ?, ?, ?)",
            (self._source, identifier, element_id, checksum),
        )
        self._geometry.insert(element, element_id)
        self._tally.elements.inserted += 1
        self._tally.changes |= CHANGES_OF[element.partition]
        return element_id

    def _update(
        self,
        element: SourceElement,
        links: _Links,
        held: _Held,
        identifier: str,
        checksum: str,
    ) -> None:
        row = self._row(element, links)
        if element.drawn is Drawn.HELD:
            self._run(_UPDATE_WITHOUT_EXTENT, (*row[:-6], held.id))
        else:
            self._run(_UPDATE, (*row, held.id))
        self._run(
            "UPDATE bis_ExternalSourceAspect SET Checksum = ?"
            " WHERE SourceId = ? AND Identifier = ?",
            (checksum, self._source, identifier),
        )
        self._geometry.update(element, held.id)
        self._tally.elements.updated += 1
        self._tally.changes |= CHANGES_OF[element.partition]

    def _row(self, element: SourceElement, links: _Links) -> tuple[int | float | str | None, ...]:
        return (
            self._class(element),
            self._model(element.partition, clean(element.sheet)),
            *links,
            clean(element.code) or None,
            clean(element.label) or None,
            json_text(element.properties),
            *box_of(element),
        )

    def _class(self, element: SourceElement) -> int:
        return self._classes.element_class(
            element.class_name, element.partition, element.properties
        )

    def _model(self, partition: Partition, sheet: str) -> int:
        """Return the model of a kind, or that of a sheet, which each have their own."""
        if (partition, sheet) not in self._models:
            key = (self._classes.id_of(partition.value), self._source, sheet or None)
            query = "SELECT Id FROM bis_Model WHERE ClassId = ? AND SourceId = ? AND Name IS ?"
            found = self._run(query, key).get
            if found is None:
                insert = "INSERT INTO bis_Model VALUES (NULL, ?, ?, ?) RETURNING Id"
                found = self._run(insert, key).get
                self._tally.changes |= Changes.VIEWS_AND_MODELS
            self._models[partition, sheet] = int(found)
        return self._models[partition, sheet]

    def _find_unseen(self) -> None:
        self._run("DELETE FROM temp.gone")
        self._run(
            "INSERT INTO temp.gone SELECT ElementId, Identifier FROM bis_ExternalSourceAspect"
            " WHERE SourceId = ? AND ElementId NOT IN (SELECT ElementId FROM temp.seen)",
            (self._source,),
        )
        self._tally.content_deleted = self._count_content(
            "temp.gone JOIN bis_Element ON bis_Element.Id = ElementId"
        )
        touched = self._run(
            "SELECT DISTINCT ec_Class.Name FROM temp.gone"
            " JOIN bis_Element ON bis_Element.Id = ElementId"
            " JOIN bis_Model ON bis_Model.Id = ModelId"
            " JOIN ec_Class ON ec_Class.Id = bis_Model.ClassId"
        ).fetchall()
        for (model_class,) in touched:
            self._tally.changes |= CHANGES_OF_MODEL[str(model_class)]

    def _delete_unseen(self, batch: int) -> int:
        """Delete the next unseen elements; returns how many there were."""
        chosen = self._run(
            "SELECT ElementId, Identifier FROM temp.gone ORDER BY ElementId LIMIT ?", (batch,)
        ).fetchall()
        ids = [(element_id,) for element_id, _ in chosen]
        self._database.executemany("DELETE FROM bis_Element WHERE Id = ?", ids)
        self._database.executemany("DELETE FROM bis_GeometricElement WHERE ElementId = ?", ids)
        self._database.executemany(
            "DELETE FROM bis_ExternalSourceAspect WHERE SourceId = ? AND Identifier = ?",
            [(self._source, identifier) for _, identifier in chosen],
        )
        self._database.executemany("DELETE FROM temp.gone WHERE ElementId = ?", ids)
        self._tally.elements.deleted += len(chosen)
        return len(chosen)

    def _drop_empty_models(self) -> None:
        empty = self._run(
            "DELETE FROM bis_Model WHERE SourceId = ?"
            " AND NOT EXISTS (SELECT 1 FROM bis_Element WHERE ModelId = bis_Model.Id) RETURNING Id",
            (self._source,),
        ).fetchall()
        if empty:
            self._tally.changes |= Changes.VIEWS_AND_MODELS
