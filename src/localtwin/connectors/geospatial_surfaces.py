"""Surfaces of triangles and patches as polygons, which shapely knows in place of them.

Shapefiles of buildings and terrain (MultiPatch) and GeoPackages have them.
Source: OGC 06-103r4, "Simple feature access", 8.2.9, well-known binary, read 2026-11.
"""

import struct

_POLYGON, _MULTI_POLYGON = 3, 6
_AS_POLYGONS = {15: _MULTI_POLYGON, 16: _MULTI_POLYGON, 17: _POLYGON}
_SURFACES = _AS_POLYGONS.keys()
_COLLECTIONS = {4, 5, 6, 7, 15, 16}
_WITH_Z, _WITH_M = 0x80000000, 0x40000000  # as GEOS marks them; the standard adds thousands
_HEAD_BYTES, _COUNT_BYTES, _NUMBER_BYTES = 5, 4, 8
_DEPTH_MAX = 32


def as_polygons(wkb: bytes) -> bytes:
    """Return well-known binary without surfaces; raises struct.error if it is cut off."""
    if _kind(wkb, 0)[1] in {1, 2, _POLYGON, 4, 5, _MULTI_POLYGON}:  # nearly all are
        return wkb
    found = bytearray(wkb)
    _rewrite(found, 0, 0)
    return bytes(found)


def _kind(wkb: bytes | bytearray, at: int) -> tuple[str, int, int, int]:
    """Return byte order, type, what the code has beside the type, and numbers of a point."""
    order = "<" if wkb[at : at + 1] == b"\x01" else ">"
    code = struct.unpack_from(f"{order}I", wkb, at + 1)[0]
    marks = code & (_WITH_Z | _WITH_M)
    thousands, kind = divmod(code ^ marks, 1000)
    has_z = bool(marks & _WITH_Z) or thousands in {1, 3}
    has_m = bool(marks & _WITH_M) or thousands in {2, 3}
    return order, kind, marks | thousands * 1000, 2 + has_z + has_m


def _rewrite(wkb: bytearray, at: int, depth: int) -> int:
    """Change the types of the geometry at a place; returns where it ends."""
    order, kind, rest, numbers = _kind(wkb, at)
    if kind in _SURFACES:
        struct.pack_into(f"{order}I", wkb, at + 1, rest + _AS_POLYGONS[kind])
    at += _HEAD_BYTES
    point_bytes = numbers * _NUMBER_BYTES
    if kind == 1:
        return at + point_bytes
    count = struct.unpack_from(f"{order}I", wkb, at)[0]
    at += _COUNT_BYTES
    if kind in _COLLECTIONS:
        for _ in range(count if depth < _DEPTH_MAX else 0):
            at = _rewrite(wkb, at, depth + 1)
        return at
    if kind == 2:
        return int(at + count * point_bytes)
    for _ in range(count):  # the rings of a polygon or triangle
        at += _COUNT_BYTES + struct.unpack_from(f"{order}I", wkb, at)[0] * point_bytes
    return at
