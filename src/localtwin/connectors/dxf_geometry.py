"""Where DXF entities lie: polylines in space, from which extent and outline follow.

Curves are flattened. Texts count as the box that their letters take by rule of thumb, without
fonts, which differ from machine to machine.
"""

import math
from collections.abc import Callable
from itertools import pairwise

from ezdxf.math import OCS, Vec3

from localtwin.connectors.dxf_curves import (
    face_lines,
    hatch_lines,
    mesh_lines,
    multileader_lines,
    points_with,
    solid_model_lines,
    spline_lines,
)
from localtwin.connectors.dxf_drawing import Entity
from localtwin.connectors.dxf_objects import DxfObject
from localtwin.connectors.dxf_proxies import proxy_lines
from localtwin.connectors.dxf_tags import number
from localtwin.connectors.dxf_text import mtext_of
from localtwin.connectors.polylines import (
    Point,
    Polyline,
    arc_points,
    bulge_points,
    ellipse_points,
    text_box,
)
from localtwin.connectors.source import Json

LETTER_WIDTH = 0.8  # of the height, on average
SOLID_TYPES = {"3DSOLID", "REGION", "BODY", "SURFACE", "EXTRUDEDSURFACE", "LOFTEDSURFACE"}
SOLID_TYPES |= {"REVOLVEDSURFACE", "SWEPTSURFACE", "PLANESURFACE"}
LINE_HEIGHT = 1.66  # of the height of the letters
_UP = [0.0, 0.0, 1.0]


def lines_of(entity: Entity, found: DxfObject) -> list[Polyline]:
    """Return the entity's lines, in the coordinates of the drawing; maybe none.

    What other blocks draw, as inserts and dimensions, is not part of it.
    """
    draw = _DRAWN.get(found.kind) or (_DRAWN["DIMENSION"] if "DIMENSION" in found.kind else None)
    if not found.is_known:
        return proxy_lines(entity.record)
    if draw is None:
        return []
    lines = draw(entity, found)
    extrusion = found.values.get("extrusion")
    if extrusion and found.kind in _IN_OBJECT_COORDINATES:
        ocs = OCS(_vec(extrusion))
        return [[ocs.to_wcs(Vec3(point)).xyz for point in line] for line in lines]
    return lines


def _vec(value: Json) -> Vec3:
    return Vec3(value)


def point_of(found: DxfObject, name: str) -> Point:
    """Return a point among the named attributes; the origin if it is missing."""
    x, y, z = found.values.get(name) or (0.0, 0.0, 0.0)  # type: ignore[misc] # as above
    return x, y, z  # type: ignore[return-value] # as above


def number_of(found: DxfObject, name: str, default: float = 0.0) -> float:
    """Return a number among the named attributes."""
    value = found.values.get(name, default)
    return value if isinstance(value, (int, float)) else default


def _named(*names: str, closed: bool = False) -> Callable[[Entity, DxfObject], list[Polyline]]:
    def draw(_: Entity, found: DxfObject) -> list[Polyline]:
        points = [point_of(found, name) for name in names if name in found.values]
        return [[*points, points[0]] if closed and points else points]

    return draw


def _coded(*codes: int) -> Callable[[Entity, DxfObject], list[Polyline]]:
    return lambda entity, _: [points_with(entity.record, *codes)]


def _solid(_: Entity, found: DxfObject) -> list[Polyline]:
    corners = [point_of(found, f"vtx{n}") for n in (0, 1, 3, 2) if f"vtx{n}" in found.values]
    return [[*corners, *corners[:1]]]


def _face(_: Entity, found: DxfObject) -> list[Polyline]:
    corners = [point_of(found, f"vtx{n}") for n in range(4) if f"vtx{n}" in found.values]
    return [[*corners, *corners[:1]]]


def _circle(_: Entity, found: DxfObject) -> list[Polyline]:
    start, end = 0.0, math.tau
    if found.kind == "ARC":
        start = math.radians(number_of(found, "start_angle"))
        end = math.radians(number_of(found, "end_angle", 360.0))
    return [arc_points(point_of(found, "center"), abs(number_of(found, "radius")), start, end)]


def _ellipse(_: Entity, found: DxfObject) -> list[Polyline]:
    major = _vec(found.values.get("major_axis", [1.0, 0.0, 0.0]))
    up = _vec(found.values.get("extrusion", _UP))
    minor = up.normalize().cross(major) * number_of(found, "ratio", 1.0)
    start, end = number_of(found, "start_param"), number_of(found, "end_param", math.tau)
    return [ellipse_points(point_of(found, "center"), major.xyz, minor.xyz, start, end)]


def _lwpolyline(entity: Entity, found: DxfObject) -> list[Polyline]:
    z = number_of(found, "elevation")
    vertices: list[tuple[float, float]] = []
    bulges: list[float] = []
    for code, value in entity.record:
        if code == 10:
            vertices.append((number(value), 0.0))
            bulges.append(0.0)
        elif code == 20 and vertices:
            vertices[-1] = (vertices[-1][0], number(value))
        elif code == 42 and bulges:
            bulges[-1] = number(value)
    is_closed = bool(int(number_of(found, "flags")) & 1)
    return [_bulged([(x, y, z) for x, y in vertices], bulges, is_closed=is_closed)]


def _bulged(points: list[Point], bulges: list[float], *, is_closed: bool) -> list[Point]:
    if is_closed and points:
        points = [*points, points[0]]
    drawn = points[:1]
    for (a, b), bulge in zip(pairwise(points), bulges, strict=False):
        drawn += bulge_points(a, b, bulge)
    return drawn


def _polyline(entity: Entity, found: DxfObject) -> list[Polyline]:
    flags = int(number_of(found, "flags"))
    vertices: list[Point] = []
    bulges: list[float] = []
    faces: list[list[int]] = []
    for part in entity.parts:
        numbers = {code: value for code, value in part if code in _VERTEX_CODES}
        kind = int(number(numbers.get(70, 0)))
        if kind & 128 and not kind & 64:
            faces.append([abs(int(number(numbers[code]))) for code in _FACE_CODES & numbers.keys()])
        elif 10 in numbers and not kind & 16:  # 16: a control point of a fitted curve
            x, y, z = (number(numbers.get(code, 0)) for code in (10, 20, 30))
            vertices.append((x, y, z))
            bulges.append(number(numbers.get(42, 0)))
    if faces:
        return list(face_lines(vertices, faces))
    if not flags & 8 | flags & 16:
        z = point_of(found, "elevation")[2]
        vertices = [(x, y, z) for x, y, _ in vertices]
    return [_bulged(vertices, bulges, is_closed=bool(flags & 1) and not flags & 16)]


_VERTEX_CODES = {10, 20, 30, 42, 70, 71, 72, 73, 74}
_FACE_CODES = {71, 72, 73, 74}


def _text(_: Entity, found: DxfObject) -> list[Polyline]:
    halign, valign = int(number_of(found, "halign")), int(number_of(found, "valign"))
    at = point_of(found, "align_point" if (halign or valign) else "insert")
    if "align_point" not in found.values:
        at = point_of(found, "insert")
    height = number_of(found, "height", 2.5)
    letters = len(str(found.values.get("text", "")))
    width = letters * height * LETTER_WIDTH * number_of(found, "width", 1.0)
    anchor = ({1: 0.5, 2: 1.0, 4: 0.5}.get(halign, 0.0), {2: 0.5, 3: 1.0}.get(valign, 0.0))
    if halign in {3, 5}:  # between two points
        at = point_of(found, "insert")
        width = Vec3(at).distance(Vec3(point_of(found, "align_point"))) or width
    turn = math.radians(number_of(found, "rotation"))
    return [text_box(at, width, height, turn, anchor)]


def _mtext(entity: Entity, found: DxfObject) -> list[Polyline]:
    height = number_of(found, "char_height", 2.5)
    lines = str(found.values.get("text") or mtext_of(entity.record)).split("\n")
    letters = max(map(len, lines)) * height * LETTER_WIDTH
    column = number_of(found, "width")
    width = min(letters, column) if column else letters
    rows = sum(
        math.ceil(len(line) * height * LETTER_WIDTH / column) if column and line else 1
        for line in lines
    )
    row = height * LINE_HEIGHT * number_of(found, "line_spacing_factor", 1.0)
    place = int(number_of(found, "attachment_point", 1)) - 1
    anchor = ((place % 3) / 2, 1 - (place // 3) / 2)
    turn = math.radians(number_of(found, "rotation"))
    if "text_direction" in found.values:
        x, y, _ = point_of(found, "text_direction")
        turn = math.atan2(y, x)
    return [text_box(point_of(found, "insert"), width, height + row * (rows - 1), turn, anchor)]


def _image(_: Entity, found: DxfObject) -> list[Polyline]:
    at, u, v = (Vec3(point_of(found, name)) for name in ("insert", "u_pixel", "v_pixel"))
    across, up = point_of(found, "image_size")[:2]
    corners = [at, at + u * across, at + u * across + v * up, at + v * up, at]
    return [[corner.xyz for corner in corners]]


def _viewport(_: Entity, found: DxfObject) -> list[Polyline]:
    width, height = number_of(found, "width"), number_of(found, "height")
    return [text_box(point_of(found, "center"), width, height, 0.0, (0.5, 0.5))]


_IN_OBJECT_COORDINATES = {"CIRCLE", "ARC", "LWPOLYLINE", "SOLID", "TRACE", "TEXT", "ATTRIB"}
_IN_OBJECT_COORDINATES |= {"ATTDEF", "POLYLINE", "SHAPE"}

_DRAWN: dict[str, Callable[[Entity, DxfObject], list[Polyline]]] = {
    "LINE": _named("start", "end"),
    "POINT": _named("location"),
    "RAY": _named("start"),
    "XLINE": _named("start"),
    "SHAPE": _named("insert"),
    "TOLERANCE": _named("insert"),
    "LIGHT": _named("location", "target"),
    "PDFUNDERLAY": _named("insert"),
    "DWFUNDERLAY": _named("insert"),
    "DGNUNDERLAY": _named("insert"),
    "DIMENSION": _named(*(f"defpoint{n or ''}" for n in (0, 2, 3, 4, 5)), "text_midpoint"),
    "SOLID": _solid,
    "TRACE": _solid,
    "3DFACE": _face,
    "CIRCLE": _circle,
    "ARC": _circle,
    "ELLIPSE": _ellipse,
    "LWPOLYLINE": _lwpolyline,
    "POLYLINE": _polyline,
    "TEXT": _text,
    "ATTRIB": _text,
    "ATTDEF": _text,
    "MTEXT": _mtext,
    "IMAGE": _image,
    "WIPEOUT": _image,
    "VIEWPORT": _viewport,
    "SPLINE": spline_lines,
    "HELIX": spline_lines,
    "HATCH": hatch_lines,
    "MPOLYGON": hatch_lines,
    "MESH": mesh_lines,
    "MULTILEADER": multileader_lines,
    "MLEADER": multileader_lines,
    "LEADER": _coded(10),
    "MLINE": _coded(11),
    "OLE2FRAME": _coded(10, 11),
    "INSERT": _named("insert"),
    "ACAD_TABLE": _named("insert"),
    **dict.fromkeys(SOLID_TYPES, solid_model_lines),
}
