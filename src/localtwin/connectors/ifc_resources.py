"""Materials, classifications, documents: IFC resources that objects are associated with.

They have no GlobalId. Each becomes an element that is identified by its class and name, so that
relationships can lead to it; those that say the same are one.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Any

from localtwin.connectors.ifc_content import Content
from localtwin.connectors.ifc_digest import hashed
from localtwin.connectors.ifc_properties import PropertySets, free_name
from localtwin.connectors.ifc_relations import Relations
from localtwin.connectors.ifc_values import references
from localtwin.connectors.source import Json, Partition, SourceElement

# A usage is of one object: where in it the layers lie. What is used is the definition.
_USAGES = ("ForLayerSet", "ForProfileSet")
_NAMES = (
    "Name",
    "LayerSetName",
    "Identification",
    "ItemReference",
    "DocumentId",
    "Identifier",
    "Location",
)
_INNER = ("Materials", "MaterialLayers", "MaterialProfiles", "MaterialConstituents", "Material")
NESTING_MAX = 4  # of materials in sets; deeper ones have no part in the name
NAME_MAX = 120  # characters


class Resources:
    """The resources of one model that are elements."""

    def __init__(self, content: Content, relations: Relations, sets: PropertySets) -> None:
        self._content = content
        self._model = content.model
        self._sets = sets
        self._numbers: dict[str, str] = {}  # one of those that say the same, by identifier
        self._identifiers: dict[str, str] = {}
        self._labels: dict[str, str] = {}
        self._collect(relations)

    @property
    def identifiers(self) -> Collection[str]:
        """The identifiers of all elements."""
        return self._numbers.keys()

    def elements(self) -> Iterator[SourceElement]:
        """Yield an element for each resource, by identifier."""
        for identifier, number in sorted(self._numbers.items()):
            yield SourceElement(
                identifier=identifier,
                class_name=f"{self._model.schema.name}:{self._model.class_name(number)}",
                partition=Partition.DEFINITION,
                label=self.label(number),
                properties=self._properties(number),
                shape=hashed(self._content.digests.of(number)),
            )

    def identifier(self, number: str) -> str:
        """Return the identifier of the element for an associated resource or its usage."""
        return self._identifiers[self.definition(number)]

    def definition(self, number: str) -> str:
        """Return what a usage uses; any other resource itself."""
        values = self._model.attributes(number)
        for name in _USAGES:
            for used in references(values.get(name)):
                return str(used) if used in self._model.step.keywords else number
        return number

    def usage(self, number: str) -> dict[str, Json]:
        """Return what a usage says beside what it uses; empty if it is none."""
        if self.definition(number) == number:
            return {}
        values = self._model.attributes(number)
        return self._content.described_attributes(
            {name: value for name, value in values.items() if name not in _USAGES}
        )

    def label(self, number: str) -> str:
        """Return what a resource is called; a nameless set by what it is made of."""
        if number not in self._labels:
            label = self._label(self.definition(number), 0)
            self._labels[number] = label or self._model.class_name(number)
        return self._labels[number]

    def _collect(self, relations: Relations) -> None:
        used = {
            self.definition(pair.relating): None
            for pairs in relations.associations.values()
            for pair in pairs
        }
        used |= dict.fromkeys(self._model.of_kind("IFCMATERIAL"))
        named: defaultdict[str, dict[str, list[str]]] = defaultdict(dict)
        for number in used:
            name = f"{self._model.class_name(number)}:{self.label(number)}"
            digest = self._content.digests.of(number)
            named[name].setdefault(digest, []).append(number)
        for name, alike in sorted(named.items()):
            for _, numbers in sorted(alike.items()):
                identifier = free_name(name, self._numbers)
                self._numbers[identifier] = numbers[0]
                self._identifiers |= dict.fromkeys(numbers, identifier)

    def _label(self, number: str, depth: int) -> str:
        values = self._model.attributes(number)
        codes = [str(found) for name in _NAMES if isinstance(found := values.get(name), str)]
        code = next((each for each in codes if each and not each.startswith("#")), "")
        if code or depth > NESTING_MAX:
            return code[:NAME_MAX]
        inner = [
            self._label(each, depth + 1) for name in _INNER for each in references(values.get(name))
        ]
        return " | ".join(filter(None, inner))[:NAME_MAX]

    def _properties(self, number: str) -> dict[str, Json]:
        values = self._model.attributes(number)
        described = self._content.described_attributes(
            {name: value for name, value in values.items() if name != "Name"}
        )
        sets: dict[str, Any] = {}
        for note in sorted(self._content.notes.on(number), key=self._content.digests.of):
            if self._model.is_a(note, "IFCMATERIALPROPERTIES"):
                name, said = self._material_properties(note)
                sets[free_name(name, sets)] = said
        return {**described, "MaterialProperties": sets} if sets else described

    def _material_properties(self, note: str) -> tuple[str, Json]:
        values = self._model.attributes(note)
        values.pop("Material", None)
        listed = references(values.get("Properties", values.get("ExtendedProperties")))
        name = values.get("Name")
        title = str(name) if isinstance(name, str) else self._model.class_name(note)
        if listed:
            return title, self._sets.of_list(title, map(str, listed)).values
        return title, self._content.described_attributes(values)


def association_kind(class_name: str) -> str:
    """Return what a relationship associates: "Material" for IfcRelAssociatesMaterial."""
    return class_name.removeprefix("IfcRelAssociates")
