"""The EC schemas of an iModel, derived from what its sources contain.

A class is found by the name that the source gives it, "Schema:Class". Its properties and their
types are those of all elements ever written, so a schema only grows; more classes and properties
raise its minor version, a changed type or base class its read version. Classes of BisCore itself
get no properties: what a source adds to them stays in the element's JSON.
Source: iTwin.js documentation, "ECSchema", schema versioning; "BisCore.ecschema".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import apsw

from localtwin.connectors.source import Json, Partition, clean
from localtwin.imodel.ec_names import RESERVED, Shape, ec_name, merged, shape_of
from localtwin.imodel.report import Changes
from localtwin.imodel.tally import Tally

BIS_CORE = "BisCore"
ENTITY, RELATIONSHIP, STRUCT = "Entity", "Relationship", "Struct"
BASE_CLASSES = {
    Partition.DEFINITION: "BisCore:DefinitionElement",
    Partition.PHYSICAL: "BisCore:PhysicalElement",
    Partition.SHEET: "BisCore:DrawingGraphic",
    Partition.INFORMATION: "BisCore:InformationRecordElement",
}
COMMON_BASE_CLASS = "BisCore:Element"  # of elements in models of several kinds
RELATIONSHIP_BASE_CLASS = "BisCore:ElementRefersToElements"

# Properties beyond these stay in the element's JSON; some sources use data as names of properties.
PROPERTIES_MAX = 1000
DEPTH_MAX = 4

_READERS, _MINOR = "VersionRead", "VersionMinor"


@dataclass(slots=True)
class _Property:
    shape: Shape
    struct: int | None


@dataclass(slots=True)
class _Class:
    id: int
    schema: str
    kind: str | None = None
    base: str | None = None
    properties: dict[str, _Property] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)  # EC names in use, in lower case


class ClassRegistry:
    """Finds the id of a class, or adds the class; the caller holds the transaction.

    Used for one reading of one source, in which each schema gets at most one new version.
    """

    def __init__(self, database: apsw.Connection, tally: Tally) -> None:
        self._run = database.execute
        self._tally = tally
        self._classes: dict[str, _Class] = {}
        self._schemas: dict[str, int] = {}
        self._new_schemas: set[str] = set()
        self._bumped: dict[str, str] = {}

    def id_of(self, name: str) -> int:
        """Return the id of the class called `name`, "Schema:Class"."""
        return self._class(name).id

    def element_class(
        self, name: str, partition: Partition, properties: Mapping[str, Json] | None
    ) -> int:
        """Return the class of an element, after adding what its properties add to the schema."""
        found = self._class(name)
        if found.schema != BIS_CORE:
            self._describe(found, ENTITY, BASE_CLASSES[partition])
            self._observe(found, properties or {}, 1)
        return found.id

    def relationship_class(self, name: str, properties: Mapping[str, Json] | None) -> int:
        """Return the class of a relationship; does for it what element_class does."""
        found = self._class(name)
        if found.schema != BIS_CORE:
            self._describe(found, RELATIONSHIP, RELATIONSHIP_BASE_CLASS)
            self._observe(found, properties or {}, 1)
        return found.id

    def finish(self) -> None:
        """Give every schema that changed its new version."""
        for schema, part in self._bumped.items():
            if schema in self._new_schemas:
                continue
            values = (
                "VersionMinor + 1"
                if part == _MINOR
                else "0, VersionWrite = 0, VersionRead = VersionRead + 1"
            )
            self._run(
                f"UPDATE ec_Schema SET VersionMinor = {values} WHERE Name = ?",  # noqa: S608
                (schema,),
            )

    def _class(self, name: str) -> _Class:
        found = self._classes.get(name)
        if found is None:
            found = self._classes[name] = self._loaded(clean(name)) or self._added(clean(name))
        return found

    def _loaded(self, name: str) -> _Class | None:
        row = self._run("SELECT Id, Kind, BaseClass FROM ec_Class WHERE Name = ?", (name,)).get
        if row is None:
            return None
        class_id, kind, base = row
        found = _Class(class_id, _schema_of(name), kind, base)
        if kind is None and found.schema != BIS_CORE:
            self._run(
                "UPDATE ec_Class SET (SchemaId, ECName) = (?, ?) WHERE Id = ?",
                (self._schema_id(found.schema), self._class_name(name), class_id),
            )
            self._changed(found.schema, _MINOR)
        rows = self._run(
            "SELECT Name, ECName, Type, IsArray, StructId FROM ec_Property WHERE ClassId = ?",
            (class_id,),
        )
        for property_name, valid, kind_of_value, is_array, struct in rows:
            found.properties[property_name] = _Property((kind_of_value, bool(is_array)), struct)
            found.names.add(valid.lower())
        return found

    def _added(self, name: str) -> _Class:
        schema = _schema_of(name)
        ours = schema != BIS_CORE
        row = self._run(
            "INSERT INTO ec_Class (Name, SchemaId, ECName) VALUES (?, ?, ?) RETURNING Id",
            (
                name,
                self._schema_id(schema) if ours else None,
                self._class_name(name) if ours else name.partition(":")[2],
            ),
        )
        self._changed(schema, _MINOR)
        return _Class(int(row.get), schema)

    def _class_name(self, name: str) -> str:
        schema = self._schema_id(_schema_of(name))
        query = "SELECT lower(ECName) FROM ec_Class WHERE SchemaId = ? AND ECName NOT NULL"
        taken = {str(row[0]) for row in self._run(query, (schema,))}
        local = name.partition(":")[2] or name
        return ec_name(local[1:-1] if _is_struct(local) else local, taken)

    def _schema_id(self, name: str) -> int:
        if name not in self._schemas:
            found = self._run("SELECT Id FROM ec_Schema WHERE Name = ?", (name,)).get
            if found is None:
                found = self._run(
                    "INSERT INTO ec_Schema VALUES (NULL, ?, ?, 1, 0, 0) RETURNING Id",
                    (name, ec_name(name).lower()),
                ).get
                self._new_schemas.add(name)
                self._changed(name, _MINOR)
            self._schemas[name] = int(found)
        return self._schemas[name]

    def _describe(self, found: _Class, kind: str, base: str | None) -> None:
        """Record what kind of class it is; elements in several kinds of model share a base."""
        if found.kind is None:
            found.kind, found.base = kind, base
        elif found.kind != kind or found.base in (base, COMMON_BASE_CLASS):
            return
        else:
            found.base = COMMON_BASE_CLASS
            self._changed(found.schema, _READERS)
        self._run(
            "UPDATE ec_Class SET (Kind, BaseClass) = (?, ?) WHERE Id = ?",
            (found.kind, found.base, found.id),
        )
        self._changed(found.schema, _MINOR)

    def _observe(self, owner: _Class, properties: Mapping[str, Json], depth: int) -> None:
        for name, value in properties.items():
            shape = shape_of(value)
            if shape is None:
                continue
            if shape[0] == "struct" and depth >= DEPTH_MAX:
                shape = ("json", False)
            known = owner.properties.get(name)
            if known is None:
                known = self._add_property(owner, name, shape)
            elif known.shape != shape:
                self._widen(owner, name, known, shape)
            if known is not None and known.struct is not None and isinstance(value, Mapping):
                self._observe(self._struct(owner.schema, name), value, depth + 1)

    def _add_property(self, owner: _Class, name: str, shape: Shape) -> _Property | None:
        if len(owner.properties) >= PROPERTIES_MAX:
            return None
        taken = owner.names if owner.kind == STRUCT else owner.names | RESERVED
        valid = ec_name(clean(name), taken)
        struct = self._struct(owner.schema, name).id if shape[0] == "struct" else None
        self._run(
            "INSERT INTO ec_Property VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (owner.id, clean(name), valid, *shape, struct),
        )
        owner.names.add(valid.lower())
        owner.properties[name] = added = _Property(shape, struct)
        self._changed(owner.schema, _MINOR)
        return added

    def _widen(self, owner: _Class, name: str, known: _Property, shape: Shape) -> None:
        wider = merged(known.shape, shape)
        if wider == known.shape:
            return
        known.shape, known.struct = wider, None
        self._run(
            "UPDATE ec_Property SET (Type, IsArray, StructId) = (?, ?, NULL)"
            " WHERE ClassId = ? AND Name = ?",
            (*wider, owner.id, clean(name)),
        )
        self._changed(owner.schema, _READERS)

    def _struct(self, schema: str, name: str) -> _Class:
        """Return the struct class that all properties called `name` in the schema share."""
        found = self._class(f"{schema}:{{{name}}}")
        self._describe(found, STRUCT, None)
        return found

    def _changed(self, schema: str, part: str) -> None:
        self._tally.changes |= Changes.SCHEMA
        if schema != BIS_CORE and self._bumped.get(schema) != _READERS:
            self._bumped[schema] = part


def _schema_of(name: str) -> str:
    schema, colon, _ = name.partition(":")
    return schema if colon and schema else "Source"


def _is_struct(name: str) -> bool:
    """Return whether a class is a struct, which has the name of its properties in braces."""
    return name.startswith("{") and name.endswith("}")
