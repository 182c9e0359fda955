"""Lines of entities whose own data is closed: proxies by their picture, solids by their vertices.

Sources: ezdxf documentation, "Proxy Graphic Internals"; SAT format as ezdxf describes it in
"ACIS Tools", read 2026-11.
"""

import math
import re
import struct
from collections.abc import Iterator

import ezdxf.path
from ezdxf.entities.acis import Body
from ezdxf.entities.dxfgfx import DXFGraphic
from ezdxf.entities.polyline import Polyline as DxfPolyline
from ezdxf.lldxf.const import DXFError
from ezdxf.math import Vec3
from ezdxf.proxygraphic import ProxyGraphic, ProxyGraphicError

from localtwin.connectors.dxf_tags import Record
from localtwin.connectors.polylines import Point, Polyline, box_lines, extent_of_points

PICTURE_PARTS_MAX = 5_000
_CHUNK_HEAD = struct.Struct("<II")
_EXTENTS_CHUNK = 1
_EXTENTS = struct.Struct("<6d")

_NUMBER = r"(-?\d[\d.eE+-]*)"
_SAT_POINT = re.compile(rf"\bpoint (?:\$?-?\d+ )*?{_NUMBER} {_NUMBER} {_NUMBER} #")


def proxy_lines(record: Record) -> list[Polyline]:
    """Return the lines of the picture that a proxy or unknown entity carries; maybe none."""
    data = b"".join(_bytes(value) for code, value in record if code == 310)
    if len(data) < _CHUNK_HEAD.size:
        return []
    lines = [line for line in _picture_lines(data) if line]
    if lines:
        return lines
    box = extent_of_points(_picture_extents(data))
    return [] if box is None else box_lines(box)


def solid_points(body: object) -> list[Point]:
    """Return the vertices of a solid whose description is text; none if it is binary."""
    if not isinstance(body, Body) or body.has_binary_data or not body.sat:
        return []
    description = " ".join(body.sat)
    if " transform " in description:
        return []  # the vertices are not where they seem to be
    points: list[Point] = []
    for match in _SAT_POINT.finditer(description):
        x, y, z = map(float, match.groups())
        points.append((x, y, z))
    return points


def _bytes(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    try:
        return bytes.fromhex(str(value))
    except ValueError:
        return b""


def _picture_lines(data: bytes) -> Iterator[Polyline]:
    try:
        for number, entity in enumerate(ProxyGraphic(data).virtual_entities()):
            if number > PICTURE_PARTS_MAX:
                return
            yield from _lines(entity)
    except (ProxyGraphicError, DXFError, struct.error, ValueError, TypeError, IndexError):
        return  # what was drawn so far is better than nothing


def _lines(entity: DXFGraphic) -> Iterator[Polyline]:
    if isinstance(entity, DxfPolyline):
        yield [Vec3(point).xyz for point in entity.points()]
    elif entity.dxf.hasattr("insert"):
        yield [Vec3(entity.dxf.insert).xyz]
    else:
        try:
            path = ezdxf.path.make_path(entity)
        except TypeError:
            return
        yield [point.xyz for point in path.flattening(max(_size(path) / 100, 1e-6))]


def _size(path: ezdxf.path.Path) -> float:
    bounds = ezdxf.path.bbox([path], fast=True)
    return float(bounds.size.magnitude) if bounds.has_data else 1.0


def _picture_extents(data: bytes) -> Iterator[Point]:
    at = _CHUNK_HEAD.size
    while at + _CHUNK_HEAD.size <= len(data):
        size, kind = _CHUNK_HEAD.unpack_from(data, at)
        if size < _CHUNK_HEAD.size:
            return
        if kind == _EXTENTS_CHUNK and size >= _CHUNK_HEAD.size + _EXTENTS.size <= len(data) - at:
            low_high = _EXTENTS.unpack_from(data, at + _CHUNK_HEAD.size)
            if all(map(math.isfinite, low_high)):
                yield low_high[:3]
                yield low_high[3:]
        at += size
