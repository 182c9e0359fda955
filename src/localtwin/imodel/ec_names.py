"""Valid EC names for the names that sources use, and the types of their values.

An EC name starts with a letter or an underscore, then has letters, digits and underscores. Other
characters are written as "__x", four hexadecimal digits and "__", which EC readers decode.
Source: iTwin.js, core/ecschema-metadata, ECName, read 2026-11.
"""

import re
from collections.abc import Container, Mapping, Sequence
from typing import Literal

from localtwin.connectors.source import Json

ValueType = Literal["boolean", "int", "long", "double", "string", "json", "struct"]
Shape = tuple[ValueType, bool]  # the type of a value or of an array's entries; is it an array

_INVALID = re.compile(r"^[^A-Za-z_]|[^A-Za-z0-9_]")
_INT_BITS = 31

# Properties of the BIS base classes; a derived class may not give them another meaning.
RESERVED = frozenset(
    {
        "bboxhigh",
        "bboxlow",
        "category",
        "codescope",
        "codespec",
        "codevalue",
        "federationguid",
        "geometrystream",
        "id",
        "inspatialindex",
        "isprivate",
        "jsonproperties",
        "lastmod",
        "model",
        "origin",
        "parent",
        "pitch",
        "physicalmaterial",
        "roll",
        "rotation",
        "typedefinition",
        "userlabel",
        "yaw",
        "sourceecinstanceid",
        "targetecinstanceid",
    }
)
_SHAPES: dict[type, Shape] = {  # the types of nearly all values; a look-up is the quickest
    bool: ("boolean", False),
    dict: ("struct", False),
    float: ("double", False),
    str: ("string", False),
}
_NUMBERS: dict[ValueType, int] = {"int": 0, "long": 1, "double": 2}


def ec_name(name: str, taken: Container[str] = ()) -> str:
    """Return a valid EC name for `name` that is not in `taken`, which is in lower case.

    EC compares names without regard to case, so "Width" and "WIDTH" become two names.
    """
    valid = _INVALID.sub(_encoded, name) or "_"
    wanted, number = valid, 1
    while wanted.lower() in taken:
        number += 1
        wanted = f"{valid}_{number}"
    return wanted


def _encoded(match: re.Match[str]) -> str:
    units = match.group().encode("utf-16-be", "surrogatepass")
    pairs = (units[at : at + 2] for at in range(0, len(units), 2))
    return "".join(f"__x{pair.hex().upper()}__" for pair in pairs)


def shape_of(value: Json) -> Shape | None:
    """Return the EC type of a value; None if it has none yet: null, or an empty array."""
    quick = _SHAPES.get(type(value))
    if quick is not None or value is None:
        return quick
    match value:
        case str():
            return "string", False
        case Mapping():
            return "struct", False
        case Sequence():
            return _array_shape(value)
        case _:
            return _number_type(value), False


def merged(first: Shape, second: Shape) -> Shape:
    """Return the narrowest type that holds the values of both."""
    if first == second:
        return first
    (one, is_array), (other, other_is_array) = first, second
    if is_array != other_is_array or "struct" in (one, other) or "json" in (one, other):
        return "json", False
    if one in _NUMBERS and other in _NUMBERS:
        return max(one, other, key=lambda kind: _NUMBERS[kind]), is_array
    return "string", is_array


def _number_type(value: float) -> ValueType:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, float):
        return "double"
    return "int" if -(1 << _INT_BITS) <= value < (1 << _INT_BITS) else "long"


def _array_shape(values: Sequence[Json]) -> Shape | None:
    found: Shape | None = None
    for value in values:
        shape = shape_of(value)
        if shape is None:
            continue
        if shape[1] or shape[0] == "struct":
            return "json", False  # EC has no arrays of arrays, and structs in arrays vary
        found = shape if found is None else merged(found, shape)
    return None if found is None else (found[0], True)
