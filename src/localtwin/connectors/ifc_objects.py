"""The objects of an IFC model as elements: all that has a GlobalId and is no relationship."""

import json
from collections import Counter
from collections.abc import Iterator, Set
from dataclasses import replace
from typing import Any

from localtwin.connectors.ifc_content import SHAPES, Content
from localtwin.connectors.ifc_digest import hashed
from localtwin.connectors.ifc_geometry import Geometry, ShapedProduct
from localtwin.connectors.ifc_model import OBJECTS
from localtwin.connectors.ifc_placements import Placements
from localtwin.connectors.ifc_properties import PropertySets
from localtwin.connectors.ifc_relations import Relations
from localtwin.connectors.ifc_resources import Resources, association_kind
from localtwin.connectors.ifc_shape_models import representations_of
from localtwin.connectors.ifc_units import units_of
from localtwin.connectors.ifc_values import Value, plain, references
from localtwin.connectors.parallel import cores, in_copies
from localtwin.connectors.source import Drawn, Json, Partition, SourceElement

# Attributes that are kept by other means, or that change although nothing was edited.
_ELSEWHERE = {
    "GlobalId",
    "OwnerHistory",
    "Name",
    "Tag",
    "ObjectPlacement",
    "HasPropertySets",
    "UnitsInContext",
    "RepresentationContexts",
}
_FIRST = ("IFCCONTEXT", "IFCPROJECT", "IFCTYPEOBJECT")
COPIES_MIN = 1_000  # objects; fewer are read before a copy of the process is there
_LAYERS = "IFCPRESENTATIONLAYERASSIGNMENT"


class Objects:
    """Turns the objects of one model into elements; only those in `chosen`, if that is given."""

    def __init__(
        self,
        content: Content,
        relations: Relations,
        sets: PropertySets,
        resources: Resources,
        chosen: Set[str] | None = None,
    ) -> None:
        self._content = content
        self._model = content.model
        self._relations = relations
        self._sets = sets
        self._resources = resources
        self._chosen = chosen
        self._placements = Placements(content)
        self._has_layers = bool(list(self._model.of_kind(_LAYERS)))
        self._layers: dict[str, list[str]] = {}

    def shaped(self) -> Iterator[ShapedProduct]:
        """Yield the products that have a shape to build."""
        for number in self._of_kind("IFCPRODUCT"):
            values = self._model.attributes(number)
            if shown := representations_of(self._model, values.get("Representation")):
                yield ShapedProduct(
                    number=number,
                    identifier=self._content.identifier(number),
                    digest=self._shape(values),
                    placement=self._placement(values),
                    placed=next(iter(references(values.get("ObjectPlacement"))), ""),
                    representations=shown,
                )

    def elements(self, geometry: Geometry | None) -> Iterator[SourceElement]:
        """Yield every object, each after its parent and its type; `geometry` draws them."""
        numbers = list(self._in_order())
        count = cores() if len(numbers) >= COPIES_MIN else 1
        found = in_copies(self._element, numbers, count)
        for number, element in zip(numbers, found, strict=True):
            yield element if geometry is None else _drawn(element, number, geometry)

    def _in_order(self) -> Iterator[str]:
        done: set[str] = set()
        identifiers: set[str] = set()
        for kinds in (_FIRST, OBJECTS):
            for number in self._of_kind(*kinds):
                for each in self._with_parents(number, done):
                    if self._chosen is not None and each not in self._chosen:
                        continue
                    if (identifier := self._content.identifier(each)) not in identifiers:
                        identifiers.add(identifier)
                        yield each

    def _of_kind(self, *kinds: str) -> Iterator[str]:
        for number in self._model.of_kind(*kinds):
            if self._chosen is None or number in self._chosen:
                yield number

    def _with_parents(self, number: str, done: set[str]) -> Iterator[str]:
        chain: list[str] = []
        above: str | None = number
        while above is not None and above not in done:
            done.add(above)
            chain.append(above)
            above = self._relations.parents.get(above)
        yield from reversed(chain)

    def _element(self, number: str) -> SourceElement:
        values = self._model.attributes(number)
        name = _text(values.get("Name"))
        class_name = self._model.class_name(number)
        parent = self._relations.parents.get(number)
        kind = self._relations.types.get(number)
        return SourceElement(
            identifier=self._content.identifier(number),
            class_name=f"{self._model.schema.name}:{class_name}",
            partition=self._partition(number),
            label=name,
            code=_text(values.get("Tag")),
            parent=None if parent is None else self._content.identifier(parent),
            type_definition=None if kind is None else self._content.identifier(kind),
            properties=self._properties(number, values),
            shape=self._shape(values),
            placement=self._placement(values),
            drawn=Drawn.UNKNOWN,
        )

    def _partition(self, number: str) -> Partition:
        is_product = self._model.is_a(number, "IFCPRODUCT")
        return Partition.PHYSICAL if is_product else Partition.DEFINITION

    def _properties(self, number: str, values: dict[str, Value]) -> dict[str, Json]:
        relations, content = self._relations, self._content
        own = {
            name: value
            for name, value in values.items()
            if name not in _ELSEWHERE and not self._is_shape(value)
        }
        properties: dict[str, Any] = content.described_attributes(own)
        sets = [*references(values.get("HasPropertySets")), *relations.sets.get(number, ())]
        properties |= self._sets.of(map(str, sets))
        properties |= self._associated(number)
        if features := relations.features.get(number):
            properties["OpeningsContent"] = hashed(";".join(sorted(map(self._feature, features))))
        if groups := relations.groups.get(number):
            properties["Groups"] = sorted(map(self._content.identifier, groups))
        for pair in relations.loose.get(number, ()):
            name = self._model.schema.name_of(pair.keyword)
            properties.setdefault(name, []).append(pair.properties)
            properties[name].sort(key=lambda each: json.dumps(each, sort_keys=True))
        if self._has_layers and (layers := self._layers_of(values.get("Representation"))):
            properties["Layers"] = sorted(layers)
        if self._model.is_a(number, "IFCPROJECT"):
            properties |= self._project(values)
        return properties

    def _associated(self, number: str) -> dict[str, Json]:
        """Return the names of materials, classifications and so on, and a digest of them all."""
        names: dict[str, list[str]] = {}
        pairs = self._relations.associations.get(number, ())
        for pair in pairs:
            kind = association_kind(self._model.schema.name_of(pair.keyword))
            names.setdefault(kind, []).append(self._resources.label(pair.relating))
        properties: dict[str, Any] = {kind: sorted(each) for kind, each in names.items()}
        if pairs:
            digest = self._content.digests.of_all(pair.relating for pair in pairs)
            properties["AssociatedContent"] = digest
        return properties

    def _project(self, values: dict[str, Value]) -> dict[str, Json]:
        """Return what places and scales the model as a whole."""
        model, describe = self._model, self._content.described_attributes
        contexts = [
            {"Class": model.class_name(each), **describe(model.attributes(each))}
            for each in model.of_kind("IFCREPRESENTATIONCONTEXT")
        ]
        operations = [
            {"Class": model.class_name(each), **describe(model.attributes(each))}
            for each in model.of_kind("IFCCOORDINATEOPERATION")
        ]
        found: dict[str, Json] = {
            "Units": units_of(model, values.get("UnitsInContext")),
            "Contexts": _sorted(contexts),
            "CoordinateOperations": _sorted(operations),
        }
        return {name: value for name, value in found.items() if value}

    def _shape(self, values: dict[str, Value]) -> str:
        """Return the digest of the geometry; "" without any."""
        parts = [
            f"{name}:{self._content.digests.of(found)}"
            for name, value in values.items()
            if name not in _ELSEWHERE and self._is_shape(value)
            for found in references(value)
        ]
        parts += [
            self._content.digests.of(placement)
            for placement in references(values.get("ObjectPlacement"))
            if self._placements.of(placement) is None
        ]
        return hashed(";".join(parts)) if parts else ""

    def _feature(self, number: str) -> str:
        """Return what an opening cuts out of its element, or what stands out of it, and where."""
        values = self._model.attributes(number)
        return f"{self._shape(values)} {self._placement(values)}"

    def _placement(self, values: dict[str, Value]) -> tuple[float, ...] | None:
        for placement in references(values.get("ObjectPlacement")):
            return self._placements.of(placement)
        return None

    def _is_shape(self, value: Value) -> bool:
        return not isinstance(value, int | float | None) and any(
            self._model.is_a(each, *SHAPES) for each in references(value)
        )

    def _layers_of(self, representation: Value) -> set[str]:
        found: set[str] = set()
        for shape in references(representation):
            for each in references(self._model.attributes(shape).get("Representations")):
                if each not in self._layers:
                    self._layers[each] = self._layers_on(each)
                found.update(self._layers[each])
        return found

    def _layers_on(self, representation: str) -> list[str]:
        items = references(self._model.attributes(representation).get("Items"))
        return [
            _text(self._model.attributes(note).get("Name"))
            for each in (representation, *items)
            for note in self._content.notes.on(each)
            if self._model.is_a(note, _LAYERS)
        ]


def _drawn(element: SourceElement, number: str, geometry: Geometry) -> SourceElement:
    name = element.label or element.class_name.partition(":")[2]
    extent, outline, drawn = geometry.of(number, name)
    return replace(element, extent=extent, outline=outline, drawn=drawn)


def remarks_on(content: Content) -> Iterator[str]:
    """Yield what the report has to say of the file itself."""
    model = content.model
    unknown: Counter[str] = Counter()
    for keyword, numbers in model.step.by_keyword.items():
        if model.schema.of(keyword) is None:
            unknown[keyword] += len(numbers)
    if unknown:
        names = ", ".join(sorted(unknown)[:5])
        yield (
            f"{unknown.total():,} lines of classes that {model.schema.name} does not have are left"
            f" out ({names})."
        )


def _sorted(found: list[dict[str, Json]]) -> list[Json]:
    return sorted(found, key=lambda each: json.dumps(each, sort_keys=True))


def _text(value: Value) -> str:
    """Return a text attribute; a careless program may put anything there."""
    found = plain(value)
    return found if isinstance(found, str) and not found.startswith("#") else ""
