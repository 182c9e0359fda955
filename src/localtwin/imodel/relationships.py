"""Writes the relationships of one source into an iModel.

A relationship is identified by its class and its two elements; a repeated one counts once.
"""

from collections.abc import Callable

import apsw

from localtwin.connectors.source import SourceRelationship
from localtwin.imodel.classes import ClassRegistry
from localtwin.imodel.json_text import json_text
from localtwin.imodel.tally import CHANGES_OF_MODEL, Tally

_KEY = "ExternalSourceId = ? AND ClassId = ? AND SourceId = ? AND TargetId = ?"
_UNSEEN = (
    "ExternalSourceId = ? AND (Link.ClassId, Link.SourceId, Link.TargetId)"
    " NOT IN (SELECT ClassId, SourceId, TargetId FROM temp.seen_relationship)"
)


class RelationshipWriter:
    """Takes the relationships of one reading of a source.

    `source` is the source's id, and `resolve` returns the id of an element of this reading.
    """

    def __init__(
        self,
        database: apsw.Connection,
        classes: ClassRegistry,
        tally: Tally,
        *,
        source: int,
        resolve: Callable[[str], int | None],
    ) -> None:
        self._database = database
        self._run = database.execute
        self._classes = classes
        self._tally = tally
        self._source = source
        self._resolve = resolve
        self._keeps_all = False
        self._run(
            "CREATE TEMP TABLE IF NOT EXISTS seen_relationship (ClassId INTEGER,"
            " SourceId INTEGER, TargetId INTEGER, PRIMARY KEY (ClassId, SourceId, TargetId))"
            " WITHOUT ROWID"
        )
        self._run("DELETE FROM temp.seen_relationship")

    def take(self, relationship: SourceRelationship) -> None:
        """Insert the relationship, update its properties, or leave it as it is."""
        ends = (self._resolve(relationship.source), self._resolve(relationship.target))
        if None in ends:
            self._tally.unresolved += 1
            return
        class_id = self._classes.relationship_class(
            relationship.class_name, relationship.properties
        )
        key = (class_id, *ends)
        self._run("INSERT OR IGNORE INTO temp.seen_relationship VALUES (?, ?, ?)", key)
        if self._database.changes():
            self._write((self._source, *key), json_text(relationship.properties))

    def keep_all(self) -> None:
        """Leave the relationships as they are that are not taken."""
        self._keeps_all = True

    def finish(self) -> None:
        """Delete the relationships that were not taken; comes before their elements go."""
        if self._keeps_all:
            return
        touched = self._run(
            "SELECT DISTINCT ModelId FROM bis_ElementRefersToElements AS Link"  # noqa: S608
            f" JOIN bis_Element ON bis_Element.Id = Link.SourceId WHERE {_UNSEEN}",
            (self._source,),
        ).fetchall()
        for (model,) in touched:
            self._touch_model(model)
        self._run(
            f"DELETE FROM bis_ElementRefersToElements AS Link WHERE {_UNSEEN}",  # noqa: S608
            (self._source,),
        )
        self._tally.relationships.deleted += self._database.changes()

    def _write(self, key: tuple[int | None, ...], properties: str) -> None:
        held = self._run(
            f"SELECT JsonProperties FROM bis_ElementRefersToElements WHERE {_KEY}",  # noqa: S608
            key,
        ).get
        if held == properties:
            return
        if held is None:
            self._run(
                "INSERT INTO bis_ElementRefersToElements VALUES (?, ?, ?, ?, ?)",
                (*key, properties),
            )
            self._tally.relationships.inserted += 1
        else:
            self._run(
                f"UPDATE bis_ElementRefersToElements SET JsonProperties = ? WHERE {_KEY}",  # noqa: S608
                (properties, *key),
            )
            self._tally.relationships.updated += 1
        self._touch_model(self._run("SELECT ModelId FROM bis_Element WHERE Id = ?", (key[2],)).get)

    def _touch_model(self, model: int | float | bytes | str | None) -> None:
        query = (
            "SELECT ec_Class.Name FROM bis_Model JOIN ec_Class ON ec_Class.Id = ClassId"
            " WHERE bis_Model.Id = ?"
        )
        self._tally.changes |= CHANGES_OF_MODEL[str(self._run(query, (model,)).get)]
