"""Where elements of DWG and DGN lie: polylines in space, from which extent and outline follow.

Curves are flattened; texts count as the box that their letters take by rule of thumb. Inserts draw
their block, dimensions the nameless block that was made for them. cadkit gives points in space, but
angles and bulges in the plane of the element.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

from ezdxf.math import OCS, BSpline, Matrix44, Vec3, fit_points_to_cad_cv

from localtwin.connectors.dxf_curves import CONTROL_POINTS_MAX, face_lines
from localtwin.connectors.dxf_geometry import LETTER_WIDTH, LINE_HEIGHT
from localtwin.connectors.dxf_inserts import BLOCK_ENTITIES_MAX, BLOCK_POINTS_MAX
from localtwin.connectors.polylines import (
    Point,
    Polyline,
    arc_points,
    bulge_points,
    ellipse_points,
    text_box,
    thinned_lines,
)

CadObject: TypeAlias = Mapping[str, Any]  # an object as cadkit gives it

DEPTH_MAX = 32  # of elements in groups
_SEGMENTS_PER_POINT = 4
_ACROSS = {"left": 0.0, "center": 0.5, "middle": 0.5, "right": 1.0}
_UP = {"baseline": 0.0, "bottom": 0.0, "middle": 0.5, "center": 0.5, "top": 1.0}


class CadLines:
    """The lines of elements, with each block worked out once."""

    def __init__(self, blocks: Mapping[str, CadObject]) -> None:
        self._blocks = blocks
        self._drawn: dict[str, list[Polyline]] = {}

    def of(self, entity: CadObject) -> list[Polyline]:
        """Return the lines of an element; none where cadkit can't take it apart."""
        words = (_attribute(each) for each in entity["attributes"])
        return [*self._lines(entity["kind"]), *filter(None, words)]

    def _lines(self, kind: CadObject, depth: int = 0) -> list[Polyline]:
        try:
            match kind["type"]:
                case "insert":
                    return self._insert(kind)
                case "group":
                    return self._group(kind, depth)
                case "dimension" if drawn := self._block(str(kind.get("block") or "")):
                    return drawn
                case name:
                    draw = _DRAWN.get(name)
                    return [] if draw is None else draw(kind)
        except (KeyError, TypeError, ValueError, ArithmeticError, IndexError):
            return []  # an odd value costs the picture of the element, not the element

    def _group(self, kind: CadObject, depth: int) -> list[Polyline]:
        children = kind["children"] if depth < DEPTH_MAX else ()
        return [line for each in children for line in self._lines(each["kind"], depth + 1)]

    def _block(self, name: str) -> list[Polyline]:
        if name not in self._drawn:
            self._drawn[name] = []  # a block that contains itself ends here
            block = self._blocks.get(name)
            found: list[Polyline] = []
            for entity in block["entities"][:BLOCK_ENTITIES_MAX] if block else ():
                found += self.of(entity)
            self._drawn[name] = thinned_lines(found, BLOCK_POINTS_MAX)
        return self._drawn[name]

    def _insert(self, kind: CadObject) -> list[Polyline]:
        name = str(kind["block"])
        at = _point(kind["position"])
        drawn = self._block(name)
        if not drawn:
            return [[at]]
        block = self._blocks[name]
        base, plane = -Vec3(_point(block["base_point"])), _plane(kind)
        matrix = Matrix44.translate(*base) @ Matrix44.scale(*_point(kind["scale"]))
        turn = Matrix44.z_rotate(kind["rotation"])
        if plane.transform:
            turn @= plane.matrix
        places = [
            matrix @ Matrix44.translate(across, up, 0) @ turn @ Matrix44.translate(*at)
            for across in _ends(kind["columns"], kind["column_spacing"])
            for up in _ends(kind["rows"], kind["row_spacing"])
        ]
        return [
            [point.xyz for point in place.transform_vertices(Vec3.generate(line))]
            for place in places
            for line in drawn
        ]


def _attribute(found: CadObject) -> Polyline:
    """Return the box of an attribute's words; nothing if the file does not say where they are."""
    try:
        height, turn = found["display"]["height"], found["display"].get("rotation") or 0.0
        width = len(found["value"]) * height * LETTER_WIDTH
        return text_box(_point(found["position"]), width, height, turn, (0.0, 0.0))
    except (KeyError, TypeError):
        return []


def _ends(count: int, spacing: float) -> set[float]:
    """Return where the first and the last cell of an array lie."""
    return {0.0, (max(1, count) - 1) * spacing}


def _point(value: CadObject) -> Point:
    return float(value["x"]), float(value["y"]), float(value.get("z") or 0.0)


def _points(values: Sequence[CadObject]) -> list[Point]:
    return [_point(each) for each in values]


def _plane(kind: CadObject) -> OCS:
    return OCS(Vec3(_point(kind["normal"]))) if kind.get("normal") else OCS()


def _drawn_in_plane(
    kind: CadObject, points: Sequence[CadObject], draw: Callable[[list[Point]], list[Point]]
) -> list[Polyline]:
    """Return what `draw` makes of points, which it gets in the plane of the element."""
    plane = _plane(kind)
    if not plane.transform:
        return [draw(_points(points))]
    flat = [plane.from_wcs(Vec3(_point(each))).xyz for each in points]
    return [[plane.to_wcs(Vec3(each)).xyz for each in draw(flat)]]


def _named(*names: str) -> Callable[[CadObject], list[Polyline]]:
    return lambda kind: [[_point(kind[name]) for name in names]]


def _listed(name: str) -> Callable[[CadObject], list[Polyline]]:
    return lambda kind: [_points(kind[name])]


def _circle(kind: CadObject) -> list[Polyline]:
    start, end = kind.get("start_angle", 0.0), kind.get("end_angle", math.tau)
    radius = abs(kind["radius"])
    return _drawn_in_plane(
        kind, [kind["center"]], lambda flat: arc_points(flat[0], radius, start, end)
    )


def _ellipse(kind: CadObject) -> list[Polyline]:
    major = Vec3(_point(kind["major_axis"]))
    up = Vec3(_point(kind["normal"])) if kind.get("normal") else Vec3(0, 0, 1)
    minor = up.normalize().cross(major) * kind["ratio"]
    start, end = kind.get("start_param", 0.0), kind.get("end_param", math.tau)
    return [ellipse_points(_point(kind["center"]), major.xyz, minor.xyz, start, end)]


def _polyline(kind: CadObject) -> list[Polyline]:
    vertices = kind["vertices"]
    bulges = [each.get("bulge") or 0.0 for each in vertices]
    is_closed = bool(kind.get("closed"))
    return _drawn_in_plane(
        kind,
        [each["position"] for each in vertices],
        lambda flat: _bulged(flat, bulges, is_closed=is_closed),
    )


def _bulged(points: list[Point], bulges: list[float], *, is_closed: bool) -> list[Point]:
    if is_closed and points:
        points = [*points, points[0]]
    drawn = points[:1]
    for (a, b), bulge in zip(pairwise(points), bulges, strict=False):
        drawn += bulge_points(a, b, bulge)
    return drawn


def _face(kind: CadObject) -> list[Polyline]:
    corners = _points(kind["points"])
    return [[*corners, *corners[:1]]]


def _mesh(kind: CadObject) -> list[Polyline]:
    faces = [[abs(n) + 1 for n in face] for face in kind["faces"]]
    return list(face_lines(_points(kind["vertices"]), faces))


def _spline(kind: CadObject) -> list[Polyline]:
    controls, fits = _points(kind["control_points"]), _points(kind["fit_points"])
    if len(controls) > CONTROL_POINTS_MAX or (not controls and len(fits) > CONTROL_POINTS_MAX):
        return [controls or fits]
    if not controls:
        fitted = fit_points_to_cad_cv(fits) if len(set(fits)) > 1 else None
        segments = _SEGMENTS_PER_POINT * len(fits)
        return [fits if fitted is None else [p.xyz for p in fitted.approximate(segments)]]
    curve = BSpline(
        controls, kind["degree"] + 1, kind["knots"] or None, kind.get("weights") or None
    )
    return [[point.xyz for point in curve.approximate(_SEGMENTS_PER_POINT * len(controls))]]


def _text(kind: CadObject) -> list[Polyline]:
    height = kind["height"]
    width = len(kind["value"]) * height * LETTER_WIDTH * (kind.get("width_factor") or 1.0)
    anchor = _ACROSS.get(kind.get("halign", ""), 0.0), _UP.get(kind.get("valign", ""), 0.0)
    turn = kind.get("rotation") or 0.0
    if kind.get("halign") in {"aligned", "fit"} and kind.get("end_point"):
        anchor = 0.0, 0.0  # between two points
        width = math.dist(_point(kind["position"]), _point(kind["end_point"]))
    return _drawn_in_plane(
        kind, [kind["position"]], lambda flat: text_box(flat[0], width, height, turn, anchor)
    )


def _note(kind: CadObject) -> list[Polyline]:
    height, column = kind["height"], kind.get("width") or 0.0
    widths = [len(line) * height * LETTER_WIDTH for line in kind["plain"].split("\n")]
    rows = sum(max(1, math.ceil(each / column)) if column else 1 for each in widths)
    width = min(max(widths), column) if column else max(widths)
    row = height * LINE_HEIGHT * (kind.get("line_spacing") or 1.0)
    up, _, across = str(kind.get("attachment", "top_left")).partition("_")
    anchor = _ACROSS.get(across, 0.0), _UP.get(up, 1.0)
    size = width, height + row * (rows - 1)
    return [text_box(_point(kind["position"]), *size, kind.get("rotation") or 0.0, anchor)]


def _image(kind: CadObject) -> list[Polyline]:
    at, u, v = (Vec3(_point(kind[name])) for name in ("position", "u_vector", "v_vector"))
    return [[corner.xyz for corner in (at, at + u, at + u + v, at + v, at)]]


def _viewport(kind: CadObject) -> list[Polyline]:
    return [text_box(_point(kind["center"]), kind["width"], kind["height"], 0.0, (0.5, 0.5))]


def _dimension(kind: CadObject) -> list[Polyline]:
    return [[*_points(kind["points"]), _point(kind["text_position"])]]


def _hatch(kind: CadObject) -> list[Polyline]:
    found: list[Polyline] = []
    for edge in (edge for loop in kind["loops"] for edge in loop["edges"]):
        turned = dict(edge, normal=kind.get("normal"))
        if edge["type"] == "arc" and not edge.get("ccw", True):
            turned |= {"start_angle": -edge["end_angle"], "end_angle": -edge["start_angle"]}
        draw = _DRAWN.get(edge["type"])
        found += [] if draw is None else draw(turned)
    return found


_DRAWN: dict[str, Callable[[CadObject], list[Polyline]]] = {
    "line": _named("start", "end"),
    "point": _named("position"),
    "circle": _circle,
    "arc": _circle,
    "ellipse": _ellipse,
    "polyline": _polyline,
    "face": _face,
    "mesh": _mesh,
    "spline": _spline,
    "text": _text,
    "m_text": _note,
    "leader": _listed("vertices"),
    "image": _image,
    "viewport": _viewport,
    "dimension": _dimension,
    "hatch": _hatch,
}
