"""Finds the registered coordinate system in which a source file lies on Earth.

The first file that has one decides where the iModel is.
Source: Bentley's help on the Synchronizer portal, "Spatial root", read 2026-11.
"""

import re
from collections.abc import Mapping, Sequence

from localtwin.connectors.source import Json

_REGISTERED = re.compile(r"[A-Za-z]{2,10}:\d{1,8}")


def coordinate_system_of(properties: Mapping[str, Json] | None) -> str:
    """Return the id of an element's coordinate system, like "EPSG:2056"; "" if it names none.

    Layers of maps and LandXML state it as `coordinate_system`, IFC projects by a map conversion.
    """
    if not properties:
        return ""
    stated = properties.get("coordinate_system")
    if isinstance(stated, Mapping):
        return _registered(stated.get("id"))
    operations = properties.get("CoordinateOperations")
    if isinstance(operations, Sequence) and not isinstance(operations, str):
        found = (_registered(_target(each)) for each in operations)
        return next(filter(None, found), "")
    return ""


def _target(operation: Json) -> Json:
    target = operation.get("TargetCRS") if isinstance(operation, Mapping) else None
    return target.get("Name") if isinstance(target, Mapping) else None


def _registered(value: Json) -> str:
    return value if isinstance(value, str) and _REGISTERED.fullmatch(value) else ""
