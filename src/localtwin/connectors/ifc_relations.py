"""The relationships of an IFC model: between objects as rows, others as content of the object."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from localtwin.connectors.ifc_content import Content
from localtwin.connectors.ifc_schema import IfcClass
from localtwin.connectors.ifc_values import Reference, arguments, references
from localtwin.connectors.source import Json

# Which relationship gives an object its parent, the first that it has; True if the relating
# object is the parent, as a storey is of what it contains.
_PARENTS = {
    "IFCRELCONTAINEDINSPATIALSTRUCTURE": True,
    "IFCRELAGGREGATES": True,
    "IFCRELNESTS": True,
    "IFCRELFILLSELEMENT": True,
    "IFCRELVOIDSELEMENT": True,
    "IFCRELPROJECTSELEMENT": True,
    "IFCRELADHERESTOELEMENT": True,
    "IFCRELCONNECTSPORTTOELEMENT": False,
}
_SHAPING = {"IFCRELVOIDSELEMENT", "IFCRELPROJECTSELEMENT"}  # openings and what stands out
_RANKS = {kind: rank for rank, kind in enumerate(_PARENTS)}
_ENDS = {"RelatedObjectsType"}  # deprecated, and says again what the objects are
_IDENTITY = {"GlobalId", "OwnerHistory"}

# What most relationships look like: texts of the root, then references alone.
_TEXT = r"(?:'(?:[^']|'')*+'|\$)"
_PLAIN = re.compile(
    rf"'[^']*',(?:\#\d+|\$),{_TEXT},{_TEXT},\((\#[^()]*)\),(\#\d+|\w+\(\([^()]*\)\))\)"
)
_REFERENCE = re.compile(r"#\d+")


@dataclass(frozen=True, slots=True)
class Relation:
    """One pair of a relationship; `relating` and `related` are numbers of instances."""

    keyword: str
    relating: str
    related: str
    properties: Mapping[str, Json]


@dataclass(slots=True)
class Relations:
    """The relationships by the objects that they concern, all by number.

    `sets` are property sets of objects; `associations` are relationships to materials,
    classifications and the like, which are no objects; `loose` are those without another end.
    `features` are openings in an element, and what stands out of it.
    """

    types: dict[str, str] = field(default_factory=dict)
    sets: dict[str, list[str]] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    associations: dict[str, list[Relation]] = field(default_factory=dict)
    pairs: list[Relation] = field(default_factory=list)
    loose: dict[str, list[Relation]] = field(default_factory=dict)
    features: dict[str, list[str]] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)


def read_relations(content: Content, about: Set[str] | None = None) -> Relations:
    """Return all relationships of the model, or those whose numbers are in `about`."""
    reader = _Reader(content)
    for keyword, numbers in content.model.step.by_keyword.items():
        if content.model.schema.is_a(keyword, "IFCRELATIONSHIP"):
            chosen = numbers if about is None else [each for each in numbers if each in about]
            reader.read(keyword, chosen)
    reader.choose_parents()
    return reader.found


class _Reader:
    def __init__(self, content: Content) -> None:
        self._content = content
        self._model = content.model
        self.found = Relations()
        self._candidates: dict[str, list[tuple[int, str, str]]] = {}

    def read(self, keyword: str, numbers: Sequence[str]) -> None:
        """Read all relationships of one class."""
        found = self._model.schema.of(keyword)
        ends = None if found is None else _ends(found)
        if found is None or ends is None:
            return
        if "IFCRELDEFINESBYPROPERTIES" in found.kinds:
            self._read_sets(numbers)
            return
        for number in numbers:
            for pair in self._pairs(keyword, found, ends, number):
                self._take(found, pair)

    def choose_parents(self) -> None:
        """Give each object the parent of its first kind of relationship."""
        for child, candidates in self._candidates.items():
            self.found.parents[child] = min(candidates)[2]

    def _read_sets(self, numbers: Sequence[str]) -> None:
        sets = self.found.sets
        for number in numbers:
            text = self._model.step.arguments[number]
            plain = _PLAIN.fullmatch(text)
            if plain is not None:
                objects, definitions = _REFERENCE.findall(plain[1]), _REFERENCE.findall(plain[2])
            else:
                values = self._model.attributes(number)
                objects = references(values.get("RelatedObjects"))
                definitions = references(values.get("RelatingPropertyDefinition"))
            for each in objects:
                sets.setdefault(each, []).extend(definitions)

    def _pairs(
        self, keyword: str, found: IfcClass, ends: tuple[int, int], number: str
    ) -> Iterator[Relation]:
        values = arguments(self._model.step.arguments[number])
        relating, related = (
            [each for each in references(values[end]) if self._is_there(each)]
            if end < len(values)
            else []
            for end in ends
        )
        rest = {
            attribute.name: value
            for place, (attribute, value) in enumerate(zip(found.attributes, values, strict=False))
            if place not in ends and attribute.name not in _IDENTITY | _ENDS
        }
        properties = self._content.described_attributes(rest)
        for one in relating or [Reference()]:
            for other in related or [Reference()]:
                yield Relation(keyword, str(one), str(other), properties)

    def _is_there(self, number: str) -> bool:
        return number in self._model.step.keywords

    def _take(self, found: IfcClass, pair: Relation) -> None:
        kinds = found.kinds
        if not (pair.relating and pair.related):
            there = pair.relating or pair.related
            if there:
                self.found.loose.setdefault(there, []).append(pair)
            return
        if "IFCRELASSOCIATES" in kinds:
            self.found.associations.setdefault(pair.related, []).append(pair)
            return
        self.found.pairs.append(pair)
        if "IFCRELDEFINESBYTYPE" in kinds:
            both = (self.found.types.get(pair.related, pair.relating), pair.relating)
            self.found.types[pair.related] = min(both, key=self._content.identifier)
        elif kinds & _SHAPING:
            self.found.features.setdefault(pair.relating, []).append(pair.related)
        elif "IFCRELASSIGNSTOGROUP" in kinds:
            self.found.groups.setdefault(pair.related, []).append(pair.relating)
        for kind in kinds & _PARENTS.keys():
            parent, child = pair.relating, pair.related
            if not _PARENTS[kind]:
                parent, child = child, parent
            candidate = (_RANKS[kind], self._content.identifier(parent), parent)
            self._candidates.setdefault(child, []).append(candidate)


def _ends(found: IfcClass) -> tuple[int, int] | None:
    """Return the places of the relating and the related end; every such class has both."""
    places: dict[str, int] = {}
    for place, attribute in enumerate(found.attributes):
        for end in ("Relating", "Related"):
            if attribute.name.startswith(end) and attribute.kind == "entity":
                places.setdefault(end, place)
    return (places["Relating"], places["Related"]) if len(places) == 2 else None


def merged_properties(found: Sequence[Mapping[str, Json]]) -> Mapping[str, Json] | None:
    """Return the properties of a row; those of several alike relationships as a list."""
    if len(found) == 1:
        return found[0] or None
    ordered: list[Any] = sorted(found, key=lambda each: json.dumps(each, sort_keys=True))
    return {"Occurrences": ordered}
