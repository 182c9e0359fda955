"""What IFC instances say, as JSON and as digests: shared by all that turns them into elements."""

import math
from collections import defaultdict
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from localtwin.connectors.ifc_digest import Digests, hashed
from localtwin.connectors.ifc_model import OBJECTS, IfcModel
from localtwin.connectors.ifc_notes import Notes
from localtwin.connectors.ifc_units import length_step, unit_label
from localtwin.connectors.ifc_values import Reference, Typed, Value, plain
from localtwin.connectors.source import Json

EXPANDED_DEPTH_MAX = 3  # of resources in resources; deeper ones count by their digest
EXPANDED_MAX = 100  # instances in one property; more count by their digest

SHAPES = (
    "IFCREPRESENTATIONITEM",
    "IFCREPRESENTATION",
    "IFCPRODUCTREPRESENTATION",
    "IFCREPRESENTATIONMAP",
    "IFCOBJECTPLACEMENT",
    "IFCPROFILEDEF",
    "IFCPRESENTATIONSTYLE",
)
_POSITIONS = ("IFCCARTESIANPOINT", "IFCDIRECTION", "IFCPLACEMENT")
_UNITS = ("IFCNAMEDUNIT", "IFCDERIVEDUNIT", "IFCMONETARYUNIT")
_NOT_CONTENT = ("IFCOWNERHISTORY", "IFCREPRESENTATIONCONTEXT")


class Content:
    """What the instances of one model say; remembers what many share.

    `precision` is the power of ten, in the file's units, below which lengths are the same;
    `decimals` are the decimals that lengths have in it.
    """

    def __init__(self, model: IfcModel) -> None:
        self.model = model
        self.notes = Notes(model.step, model.schema)
        self.precision = length_step(model)
        self.decimals = max(0, round(-math.log10(self.precision)))
        self.digests = Digests(model.step, model.schema, self.notes, self.precision)
        self._labels: dict[str, str] = {}

    def identifier(self, number: str) -> str:
        """Return the GlobalId of an object; with a number if another object has it, too.

        Objects that share a GlobalId and say the same are one, and share the identifier.
        """
        return self._repeated.get(number) or self.model.global_id(number)

    @cached_property
    def _repeated(self) -> dict[str, str]:
        """Identifiers of objects whose GlobalId is not theirs alone; no order of lines matters."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for number in self.model.of_kind(*OBJECTS):
            found[self.model.global_id(number)].append(number)
        identifiers: dict[str, str] = {}
        for global_id, numbers in found.items():
            if len(numbers) > 1:
                says = {each: self._says(each) for each in numbers}
                places = {each: place for place, each in enumerate(sorted(set(says.values())), 1)}
                for number, said in says.items():
                    if (place := places[said]) > 1:
                        identifiers[number] = f"{global_id}~{place}"
        return identifiers

    def _says(self, number: str) -> tuple[str, str]:
        step = self.model.step
        return step.keywords[number], self.digests.of_text(step.arguments[number])

    def position(self, number: str) -> list[float]:
        """Return the coordinates of a point, rounded to the file's precision."""
        decimals = round(-math.log10(self.precision))
        found = plain(self.model.attributes(number).get("Coordinates"))
        values = found if isinstance(found, list) else []
        return [round(x, decimals) + 0.0 for x in values if isinstance(x, int | float)]

    def unit(self, value: Value) -> str:
        """Return what a unit is called, such as "MILLIMETRE"; "" without one."""
        if not isinstance(value, Reference):
            return ""
        if value not in self._labels:
            self._labels[value] = unit_label(self.model, value)
        return self._labels[value]

    def described(self, value: Value) -> Json:
        """Return a value as JSON; rooted instances by GlobalId, resources by what they say."""
        return _Description(self).of(value, 0)

    def described_attributes(self, values: Mapping[str, Value]) -> dict[str, Json]:
        """Return attributes as JSON by name, without those that have no value."""
        return _Description(self).attributes(values, 0)


class _Description:
    """Turns resources into JSON, as far as that stays short."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._model = content.model
        self._left = EXPANDED_MAX

    def of(self, value: Value, depth: int) -> Json:
        match value:
            case Reference():
                return self._instance(value, depth)
            case Typed():
                return self.of(value.value, depth)
            case list():
                return [self.of(each, depth) for each in value]
            case _:
                return plain(value)

    def _instance(self, number: Reference, depth: int) -> Json:
        model = self._model
        if model.class_of(number) is None or model.is_a(number, *_NOT_CONTENT):
            return None
        if model.is_a(number, "IFCROOT"):
            return self._content.identifier(number)
        if model.is_a(number, *_UNITS):
            return self._content.unit(number)
        self._left -= 1
        if model.is_a(number, "IFCCARTESIANPOINT"):
            return self._content.position(number)
        is_shape = model.is_a(number, *SHAPES) and not model.is_a(number, *_POSITIONS)
        if is_shape or depth >= EXPANDED_DEPTH_MAX or self._left < 0:
            return hashed(self._content.digests.of(number))
        return self.attributes(model.attributes(number), depth + 1)

    def attributes(self, values: Mapping[str, Value], depth: int) -> dict[str, Json]:
        described: dict[str, Any] = {}
        for name, value in values.items():
            if (said := self.of(value, depth)) is not None and said != []:
                described[name] = said
        return described
