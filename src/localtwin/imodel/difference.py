"""What a changeset changed: element by element, property by property."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

import apsw

from localtwin.connectors.source import Json
from localtwin.imodel.changeset import changes_in, reverted
from localtwin.imodel.classes import BIS_CORE
from localtwin.imodel.contents import Element, element

Kind = Literal["inserted", "updated", "deleted"]
KINDS: tuple[Kind, ...] = ("inserted", "updated", "deleted")

_KIND_OF: Mapping[str, Kind] = {"INSERT": "inserted", "UPDATE": "updated", "DELETE": "deleted"}


class PropertyChange(NamedTuple):
    """One property; None where the element does not have it."""

    name: str
    old: Json
    new: Json


@dataclass(frozen=True, slots=True)
class ElementChange:
    """One element before and after; one of them is None when it was inserted or deleted."""

    kind: Kind
    before: Element | None
    after: Element | None

    @property
    def element(self) -> Element:
        """The element as it is now, or was when it was deleted."""
        found = self.after or self.before
        assert found is not None
        return found

    def properties(self) -> list[PropertyChange]:
        """Return the properties that differ, by name."""
        old, new = facts(self.before), facts(self.after)
        names = sorted(old.keys() | new.keys())
        return [
            PropertyChange(name, old.get(name), new.get(name))
            for name in names
            if old.get(name) != new.get(name)
        ]


class RelationshipChange(NamedTuple):
    """One relationship; `start` and `end` are identifiers of its source."""

    kind: Kind
    class_name: str
    start: str
    end: str


@dataclass(slots=True)
class Difference:
    """All that a changeset changed.

    `elements` and `relationships` may be fewer than `counts` and `relationship_counts` say, if
    the caller asked for a limit. `schema` and `sources` are sentences.
    """

    elements: list[ElementChange] = field(default_factory=list)
    relationships: list[RelationshipChange] = field(default_factory=list)
    schema: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    counts: dict[Kind, int] = field(default_factory=dict)
    relationship_counts: dict[Kind, int] = field(default_factory=dict)


_Values = tuple[object, ...]  # of one row of a changeset
_Key = tuple[int, ...]  # of a relationship: external source, class, source, target


def difference(
    database: apsw.Connection, changeset_file: Path, *, limit: int | None = None
) -> Difference:
    """Return what the changeset changed; `database` is in the state just after it.

    The caller holds a transaction, in which nothing is changed. At most `limit` elements and
    relationships of each kind are read; all are counted.
    """
    found = Difference()
    links: dict[_Key, Kind] = {}
    # A temporary table, since a changeset may name millions of elements.
    database.execute(
        "CREATE TEMP TABLE IF NOT EXISTS touched (ElementId INTEGER PRIMARY KEY, Kind TEXT)"
    )
    database.execute("DELETE FROM temp.touched")
    for change in changes_in(changeset_file):
        _note(database, change, links, found)
    counted = dict(database.execute("SELECT Kind, count(*) FROM temp.touched GROUP BY 1"))
    found.counts = {kind: int(counted.get(kind, 0)) for kind in KINDS}
    kinds = list(links.values())
    found.relationship_counts = {kind: kinds.count(kind) for kind in KINDS}
    elements = _chosen_elements(database, limit)
    relationships = _chosen_relationships(links, limit)
    after = _read(database, elements, {"inserted", "updated"})
    found.relationships = _relationships(database, relationships, {"inserted", "updated"})
    before: dict[int, Element] = {}
    if {"updated", "deleted"} & {*elements.values(), *relationships.values()}:
        with reverted(database, changeset_file):
            before = _read(database, elements, {"updated", "deleted"})
            found.relationships += _relationships(database, relationships, {"deleted"})
    found.elements = [
        ElementChange(kind, before.get(each), after.get(each)) for each, kind in elements.items()
    ]
    return found


def facts(held: Element | None) -> dict[str, Json]:
    """Return what an element states, by name; nested properties have dotted names."""
    if held is None:
        return {}
    stated: dict[str, Json] = {
        "class": held.class_name,
        "model": held.model_label,
        "parent": held.parent,
        "category": held.category,
        "type": held.type_definition,
        "code": held.code,
        "label": held.label,
        "extent": [*held.extent.low, *held.extent.high] if held.extent else None,
        "shape": held.shape,
        "placement": held.placement,
    }
    return {
        **{name: value for name, value in stated.items() if value not in (None, "")},
        **dict(flattened(held.properties)),
    }


def flattened(properties: Mapping[str, Json], prefix: str = "") -> Iterator[tuple[str, Json]]:
    """Yield the properties with dotted names in place of nested ones."""
    for name, value in properties.items():
        if isinstance(value, Mapping) and value:
            yield from flattened(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _note(
    database: apsw.Connection,
    change: apsw.TableChange,
    links: dict[_Key, Kind],
    found: Difference,
) -> None:
    kind = _KIND_OF[change.op]
    key = change.old or change.new
    row = change.new or change.old
    assert key is not None
    assert row is not None
    match change.name:
        case "bis_ExternalSourceAspect":
            # Its checksum moves with every change of the element, also one of geometry alone.
            held = _element_of(database, key) if kind == "updated" else _integer(key[2])
            query = "INSERT OR REPLACE INTO temp.touched VALUES (?, ?)"
            database.execute(query, (held, kind))
        case "bis_Element":
            query = "INSERT OR IGNORE INTO temp.touched VALUES (?, ?)"
            database.execute(query, (_integer(key[0]), kind))
        case "bis_ElementRefersToElements":
            links[tuple(map(_integer, key[:4]))] = kind
        case "ec_Class" if kind == "inserted" and not str(row[1]).startswith(f"{BIS_CORE}:"):
            found.schema.append(f"class {row[1]} added")
        case "ec_Property" if kind == "inserted":
            type_name = f"{row[3]}[]" if row[4] else row[3]
            added = f"property {row[1]} ({type_name}) added to {_class(database, row[0])}"
            found.schema.append(added)
        case "ec_Property" if row[3] is not apsw.no_change:
            name, type_name = key[1], row[3]
            found.schema.append(f"property {name} of {_class(database, key[0])} is {type_name} now")
        case "bis_ExternalSource" if kind != "updated":
            found.sources.append(f"source {row[2]} {kind}")
        case "bis_ExternalSource":
            found.sources.extend(_source_changes(change))


def _source_changes(change: apsw.TableChange) -> Iterator[str]:
    names = {2: "name", 3: "connector", 4: "connector version", 5: "content (SHA-256)"}
    assert change.old is not None
    assert change.new is not None
    for column, name in names.items():
        if change.new[column] is not apsw.no_change:
            yield f"source: {name} {change.old[column]} -> {change.new[column]}"


def _element_of(database: apsw.Connection, key: _Values) -> int:
    query = "SELECT ElementId FROM bis_ExternalSourceAspect WHERE SourceId = ? AND Identifier = ?"
    return _integer(database.execute(query, (_integer(key[0]), str(key[1]))).get)


def _class(database: apsw.Connection, class_id: object) -> object:
    query = "SELECT Name FROM ec_Class WHERE Id = ?"
    return database.execute(query, (_integer(class_id),)).get


def _integer(value: object) -> int:
    assert isinstance(value, int)
    return value


def _chosen_elements(database: apsw.Connection, limit: int | None) -> dict[int, Kind]:
    """Return the first `limit` of each kind, those inserted first."""
    query = "SELECT ElementId FROM temp.touched WHERE Kind = ? ORDER BY 1 LIMIT ?"
    return {
        _integer(element_id): kind
        for kind in KINDS
        for (element_id,) in database.execute(query, (kind, -1 if limit is None else limit))
    }


def _chosen_relationships(links: dict[_Key, Kind], limit: int | None) -> dict[_Key, Kind]:
    chosen: dict[_Key, Kind] = {}
    for kind in KINDS:
        of_kind = [key for key, each in links.items() if each == kind]
        chosen.update(dict.fromkeys(of_kind[:limit], kind))
    return chosen


def _read(
    database: apsw.Connection, wanted: Mapping[int, Kind], kinds: set[Kind]
) -> dict[int, Element]:
    found = {each: element(database, each) for each, kind in wanted.items() if kind in kinds}
    return {each: held for each, held in found.items() if held is not None}


def _relationships(
    database: apsw.Connection, wanted: Mapping[_Key, Kind], kinds: set[Kind]
) -> list[RelationshipChange]:
    query = (
        "SELECT (SELECT Name FROM ec_Class WHERE Id = ?),"
        " (SELECT Identifier FROM bis_ExternalSourceAspect WHERE ElementId = ?),"
        " (SELECT Identifier FROM bis_ExternalSourceAspect WHERE ElementId = ?)"
    )
    return [
        RelationshipChange(kind, *map(str, database.execute(query, key[1:]).get))
        for key, kind in wanted.items()
        if kind in kinds
    ]
