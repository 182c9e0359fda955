"""Property sets and quantity sets of IFC objects: values, their units, and what describes them."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from localtwin.connectors.ifc_content import Content
from localtwin.connectors.ifc_values import (
    Typed,
    Value,
    arguments,
    decoded,
    number,
    plain,
    references,
)
from localtwin.connectors.source import Json

_TEXT = r"'((?:[^']|'')*+)'"
# Name, description, type with text or word or number, unit: nearly all properties look like this.
_SINGLE = re.compile(
    rf"{_TEXT},(?:\$|{_TEXT}),(?:\$|([A-Z]\w*+)\((?:{_TEXT}|\.(\w+)\.|([-+\d.eE]+))\)),(\$|\#\d+)\)"
)
_OPTIONAL = rf"(?:\$|{_TEXT})"
_HEAD = rf"'[^']*',(?:\#\d+|\$),{_OPTIONAL},{_OPTIONAL}"
_MEMBERS = r"\((\#[\#\d,]*)\)"
# Name, description and members of the sets that most objects have; the second with a method.
_PLAIN_SETS = {
    "IFCPROPERTYSET": re.compile(rf"{_HEAD}(),{_MEMBERS}\)"),
    "IFCELEMENTQUANTITY": re.compile(rf"{_HEAD},{_OPTIONAL},{_MEMBERS}\)"),
}
# Name, description, unit and value of a quantity, without a formula.
_QUANTITY = re.compile(rf"{_TEXT},{_OPTIONAL},(\$|\#\d+),([-+\d.eE]+)(?:,\$)?\)")
_QUANTITY_MEASURES = {
    "IFCQUANTITYLENGTH": "IfcLengthMeasure",
    "IFCQUANTITYAREA": "IfcAreaMeasure",
    "IFCQUANTITYVOLUME": "IfcVolumeMeasure",
    "IFCQUANTITYWEIGHT": "IfcMassMeasure",
    "IFCQUANTITYTIME": "IfcTimeMeasure",
    "IFCQUANTITYCOUNT": "",
}
_TRUTH = {"T": True, "F": False, "U": None}
_WITHOUT_UNIT = {"IFCCOUNTMEASURE", "IFCNUMERICMEASURE", "IFCCONTEXTDEPENDENTMEASURE"}
_QUANTITIES = {
    "LengthValue": "IfcLengthMeasure",
    "AreaValue": "IfcAreaMeasure",
    "VolumeValue": "IfcVolumeMeasure",
    "WeightValue": "IfcMassMeasure",
    "TimeValue": "IfcTimeMeasure",
    "CountValue": "",
    "NumberValue": "",
}
_ROOT = {"GlobalId", "OwnerHistory", "Name", "Description"}
_LISTS = {"EnumerationValues", "ListValues"}
NESTING_MAX = 5  # of complex properties


@dataclass(slots=True)
class Property:
    """One property; `unit` is that of the file, or else the measure, "IfcLengthMeasure"."""

    name: str
    value: Json
    unit: str = ""
    description: str = ""


@dataclass(slots=True)
class PropertySet:
    """A set, or several of one object by their names: values, units and descriptions."""

    name: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    units: dict[str, Any] = field(default_factory=dict)
    descriptions: dict[str, Any] = field(default_factory=dict)

    def order(self) -> str:
        """Return a text that orders sets of one name, whatever the order of lines."""
        return json.dumps([sorted(self.values), self.values], sort_keys=True, default=str)


class PropertySets:
    """Reads the sets of one model; remembers them, as objects share them."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._model = content.model
        self._sets: dict[str, PropertySet] = {}
        self._singles: dict[str, Property] = {}

    def of(self, numbers: Iterable[str]) -> dict[str, Json]:
        """Return the properties of an element that hold its sets, each under a name of its own."""
        found = [self._set(each) for each in dict.fromkeys(numbers) if self._is_set(each)]
        if len({each.name for each in found}) < len(found):
            found.sort(key=lambda each: (each.name, each.order()))
        whole = PropertySet()
        for each in found:
            name = free_name(each.name, whole.values)
            whole.values[name] = each.values
            if each.units:
                whole.units[name] = each.units
            if each.descriptions:
                whole.descriptions[name] = each.descriptions
        named = {
            "PropertySets": whole.values,
            "PropertyUnits": whole.units,
            "PropertyDescriptions": whole.descriptions,
        }
        return {name: values for name, values in named.items() if values}

    def of_list(self, name: str, properties: Iterable[str]) -> PropertySet:
        """Return properties that are no set of their own, such as those of a material."""
        return self._filled(PropertySet(name), properties, 0)

    def _is_set(self, found: str) -> bool:
        return self._model.is_a(found, "IFCPROPERTYSETDEFINITION")

    def _set(self, found: str) -> PropertySet:
        if found not in self._sets:
            self._sets[found] = self._read(found)
        return self._sets[found]

    def _read(self, found: str) -> PropertySet:
        keyword = self._model.step.keywords[found]
        plain_set = _PLAIN_SETS.get(keyword)
        match = plain_set and plain_set.fullmatch(self._model.step.arguments[found])
        if not match or not match[1]:
            return self._read_any(found)
        read = PropertySet(decoded(match[1]))
        self._filled(read, match[4].split(","), 0)
        for name, text in (("Description", match[2]), ("MethodOfMeasurement", match[3])):
            if text:
                read.descriptions[free_name(name, read.descriptions)] = decoded(text)
        return read

    def _read_any(self, found: str) -> PropertySet:
        values = self._model.attributes(found)
        name = plain(values.get("Name"))
        read = PropertySet(str(name) if name else self._model.class_name(found))
        contained = values.get("HasProperties", values.get("Quantities"))
        if contained is None:  # a set that the schema itself defines
            rest = {each: value for each, value in values.items() if each not in _ROOT}
            read.values = self._content.described_attributes(rest)
        else:
            self._filled(read, references(contained), 0)
        for each in ("Description", "MethodOfMeasurement"):
            if text := plain(values.get(each)):
                read.descriptions[free_name(each, read.descriptions)] = text
        return read

    def _filled(self, into: PropertySet, properties: Iterable[str], depth: int) -> PropertySet:
        read = self._property  # a reference may lead to a line that is not there
        found = [each for number in properties if (each := read(number, depth)) is not None]
        if len({each.name for each in found}) < len(found):
            found.sort(key=lambda each: (each.name, json.dumps(each.value, sort_keys=True)))
        for each in found:
            name = free_name(each.name, into.values)
            into.values[name] = each.value
            if each.unit:
                into.units[name] = each.unit
            if each.description:
                into.descriptions[name] = each.description
        return into

    def _property(self, found: str, depth: int) -> Property | None:
        instance = self._model.step.instance(found)
        if instance is None:
            return None
        keyword, text = instance
        if keyword != "IFCPROPERTYSINGLEVALUE":
            return self._quantity(keyword, text) or self._general(found, depth)
        known = self._singles.get(text)
        if known is None:
            known = self._singles[text] = self._single(text) or self._general(found, depth)
        return known

    def _single(self, text: str) -> Property | None:
        """Return a property that is written as most are; None for any other."""
        match = _SINGLE.fullmatch(text)
        if match is None:
            return None
        name, description, measure, words, truth, digits, unit = match.groups()
        value: Json = None
        if words is not None:
            value = decoded(words)
        elif truth is not None:
            value = _TRUTH.get(truth, truth)
        elif digits is not None:
            value = number(digits)
        label = self._unit(unit if unit != "$" else "", measure if digits is not None else "")
        return Property(decoded(name), value, label, decoded(description or ""))

    def _quantity(self, keyword: str, text: str) -> Property | None:
        """Return a quantity that is written as most are; None for any other."""
        measure = _QUANTITY_MEASURES.get(keyword)
        match = None if measure is None else _QUANTITY.fullmatch(text)
        if match is None or measure is None:
            return None
        name, description, unit, digits = match.groups()
        label = self._unit("" if unit == "$" else unit, "") or measure
        return Property(decoded(name), number(digits), label, decoded(description or ""))

    def _general(self, found: str, depth: int) -> Property:
        values = self._model.attributes(found)
        name = str(plain(values.pop("Name", None)) or "")
        description = str(plain(values.pop("Description", values.pop("Specification", None))) or "")
        unit = self._content.unit(values.pop("Unit", None))
        formula = values.pop("Formula", None)
        if formula:
            description = f"{description} Formula: {formula}".strip()
        inner = references(values.pop("HasProperties", values.pop("HasQuantities", None)))
        if inner and depth < NESTING_MAX:
            nested = self._filled(PropertySet(), inner, depth + 1)
            rest = self._content.described_attributes(values)
            also = {"Units": nested.units, "Descriptions": nested.descriptions}
            rest |= {key: each for key, each in also.items() if each}
            return Property(name, {**nested.values, **rest}, unit, description)
        if len(values) == 1 or _LISTS & values.keys():
            value = next(iter(values.values()), None)
            return Property(name, plain(value), unit or self._measure(values), description)
        return Property(name, self._content.described_attributes(values), unit, description)

    def _measure(self, values: Mapping[str, Value]) -> str:
        for name, value in values.items():
            if name in _QUANTITIES:
                return _QUANTITIES[name]
            if isinstance(value, Typed) and isinstance(value.value, int | float):
                return self._unit("", value.keyword)
        return ""

    def _unit(self, unit: str, measure: str) -> str:
        if unit:
            for each in references(arguments(f"{unit})")):
                return self._content.unit(each)
        if not measure or not measure.endswith("MEASURE") or measure in _WITHOUT_UNIT:
            return ""
        return self._model.schema.type_name(measure)


def free_name(name: str, taken: Mapping[str, object]) -> str:
    """Return the name, or the name with the first number that is free."""
    free, count = name, 1
    while free in taken:
        count += 1
        free = f"{name}~{count}"
    return free
