"""Writes the elements of an iModel as GeoJSON or CSV, one at a time.

Coordinates are those of the source files, in their units; nothing is reprojected. GeoJSON asks for
longitude and latitude, which only sources in such coordinates have.
Source: RFC 7946, "The GeoJSON Format".
"""

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from typing import TextIO

from localtwin.connectors.source import Extent, Json
from localtwin.imodel.contents import Element
from localtwin.imodel.difference import facts, flattened

PROPERTY_COLUMNS_MAX = 500  # of a CSV file; spreadsheets end at some thousand

_LOW, _HIGH = ("min_x", "min_y", "min_z"), ("max_x", "max_y", "max_z")
_FIXED = ("source", "identifier", "class", "model", "parent", "category", "type", "code", "label")
_REST = "other_properties"
_GEOMETRY = {"extent", "shape", "placement"}


def write_geojson(elements: Iterable[Element], out: TextIO) -> int:
    """Write a FeatureCollection with a feature for each element; returns how many."""
    out.write('{"type": "FeatureCollection", "features": [')
    count = 0
    for count, each in enumerate(elements, 1):
        out.write("\n" if count == 1 else ",\n")
        json.dump(_feature(each), out, ensure_ascii=False)
    out.write("\n]}\n")
    return count


def write_csv(elements: Callable[[], Iterable[Element]], out: TextIO) -> int:
    """Write a row for each element, a column for each property; returns how many rows.

    The elements are read twice: the first time to find the columns. Properties beyond
    PROPERTY_COLUMNS_MAX share the last column, as JSON.
    """
    columns, complete = _property_columns(elements())
    writer = csv.writer(out)
    writer.writerow([*_FIXED, *_LOW, *_HIGH, *columns, *([] if complete else [_REST])])
    count = 0
    for each in elements():
        properties = dict(flattened(each.properties))
        cells = [_text(properties.pop(name, None)) for name in columns]
        rest = [] if complete else [_text(properties or None)]
        writer.writerow([*_fixed(each), *_box(each.extent), *cells, *rest])
        count += 1
    return count


def _property_columns(elements: Iterable[Element]) -> tuple[list[str], bool]:
    """Return the names of property columns, and whether they are all that there are."""
    names: dict[str, None] = {}
    for each in elements:
        for name, _ in flattened(each.properties):
            if name not in names and len(names) == PROPERTY_COLUMNS_MAX:
                return sorted(names), False
            names[name] = None
    return sorted(names), True


def _feature(held: Element) -> dict[str, Json]:
    stated = {name: value for name, value in facts(held).items() if name not in _GEOMETRY}
    return {
        "type": "Feature",
        "id": held.id,
        "geometry": _geometry(held),
        "properties": {"source": held.source, "identifier": held.identifier, **stated},
    }


def _geometry(held: Element) -> dict[str, Json] | None:
    lines = [[list(point) for point in line] for line in held.outline if len(line) > 1]
    if lines:
        return {"type": "MultiLineString", "coordinates": lines}
    if held.extent is None:
        return None
    (x, y, _), (far_x, far_y, _) = held.extent.low, held.extent.high
    if (x, y) == (far_x, far_y):
        return {"type": "Point", "coordinates": [x, y]}
    if x == far_x or y == far_y:
        return {"type": "LineString", "coordinates": [[x, y], [far_x, far_y]]}
    ring = [[x, y], [far_x, y], [far_x, far_y], [x, far_y], [x, y]]
    return {"type": "Polygon", "coordinates": [ring]}


def _fixed(held: Element) -> Iterator[str]:
    yield from (held.source, held.identifier, held.class_name, held.model_label)
    yield from (held.parent or "", held.category or "", held.type_definition or "")
    yield from (held.code, held.label)


def _box(extent: Extent | None) -> tuple[float | str, ...]:
    return ("",) * 6 if extent is None else (*extent.low, *extent.high)


def _text(value: Json) -> str | float:
    if value is None:
        return ""
    return value if isinstance(value, str | int | float) else json.dumps(value, ensure_ascii=False)
