"""Points, lines and surfaces of LandXML, which writes northing before easting.

Source: LandXML 1.2 schema, CoordGeom and Surface.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from localtwin.connectors.polylines import Point, Polyline, arc_points
from localtwin.connectors.xml_nodes import DECIMALS, DIGEST_BYTES, Node, local_name, text_of

SPIRAL_STEPS = 8  # for a picture; the digest has the spiral's own numbers
Points = Mapping[str, Point]  # points that lines refer to, by name


def point_of(text: str) -> Point | None:
    """Return the point that "northing easting [elevation]" is; None if it is not one."""
    numbers = _numbers(text)
    if len(numbers) < 2:
        return None
    return numbers[1], numbers[0], numbers[2] if len(numbers) > 2 else 0.0


def referred_point(node: Node | None, points: Points) -> Point | None:
    """Return the point that a node states or refers to."""
    if node is None:
        return None
    return point_of(text_of(node)) or points.get(str(node.get("pntRef", "")))


def coordinate_lines(geometry: Node, points: Points) -> list[Polyline]:
    """Return the lines of a CoordGeom; consecutive pieces that meet are one line."""
    joined: list[list[Point]] = []
    for piece in geometry:
        line = _piece(piece, points)
        if joined and line and joined[-1][-1] == line[0]:
            joined[-1].extend(line[1:])
        elif line:
            joined.append(line)
    return [line for line in joined if len(line) > 1]


def boundary_lines(faces: NDArray[np.float64]) -> list[Polyline]:
    """Return the edges of triangles, n by 3 by 3, that only one triangle has, joined to lines."""
    corners, numbers = np.unique(faces.reshape(-1, 3), axis=0, return_inverse=True)
    triangles = numbers.reshape(-1, 3)
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    sides, counts = np.unique(np.sort(edges, axis=1), axis=0, return_counts=True)
    chains = _chained(sides[counts == 1].tolist())
    return [[tuple(corners[at].tolist()) for at in chain] for chain in chains]


def surface_digest(faces: NDArray[np.float64]) -> str:
    """Return a digest of triangles, the same however they and their points are numbered."""
    rounded = np.round(faces, DECIMALS) + 0.0
    order = np.lexsort((rounded[:, :, 2], rounded[:, :, 1], rounded[:, :, 0]), axis=1)
    turned = np.take_along_axis(rounded, order[:, :, None], axis=1).reshape(len(faces), 9)
    turned = turned[np.lexsort(turned.T[::-1])]
    return blake2b(turned.tobytes(), digest_size=DIGEST_BYTES).hexdigest()


def _piece(piece: Node, points: Points) -> list[Point]:
    named = {local_name(each): each for each in piece}
    start = referred_point(named.get("Start"), points)
    end = referred_point(named.get("End"), points)
    match local_name(piece):
        case "Curve":
            center = referred_point(named.get("Center"), points)
            if start and end and center:
                return _arc(start, center, end, is_clockwise=piece.get("rot") == "cw")
        case "Spiral":
            middle = referred_point(named.get("PI"), points)
            if start and end and middle:
                return _bent(start, middle, end)
        case "IrregularLine" | "Chain":
            listed = next((each for name, each in named.items() if "PntList" in name), None)
            between = [] if listed is None else _listed(listed)
            ends = ([start] if start else []), ([end] if end else [])
            return _without_repeats([*ends[0], *between, *ends[1]])
    return [start, end] if start and end else []


def _arc(start: Point, center: Point, end: Point, *, is_clockwise: bool) -> list[Point]:
    radius = math.hypot(start[0] - center[0], start[1] - center[1])
    first = math.atan2(start[1] - center[1], start[0] - center[0])
    last = math.atan2(end[1] - center[1], end[0] - center[0])
    flat = (center[0], center[1], start[2])
    if is_clockwise:
        return [start, *arc_points(flat, radius, last, first)[-2:0:-1], end]
    return [start, *arc_points(flat, radius, first, last)[1:-1], end]


def _bent(start: Point, middle: Point, end: Point) -> list[Point]:
    steps = (n / SPIRAL_STEPS for n in range(SPIRAL_STEPS + 1))
    weights = (((1 - t) ** 2, 2 * t * (1 - t), t**2) for t in steps)
    return [
        (
            a * start[0] + b * middle[0] + c * end[0],
            a * start[1] + b * middle[1] + c * end[1],
            a * start[2] + b * middle[2] + c * end[2],
        )
        for a, b, c in weights
    ]


def _listed(node: Node) -> list[Point]:
    numbers = _numbers(text_of(node))
    size = 3 if "3D" in local_name(node) else 2
    groups = (numbers[at : at + size] for at in range(0, len(numbers) - size + 1, size))
    return [(each[1], each[0], each[2] if size == 3 else 0.0) for each in groups]


def _without_repeats(points: Sequence[Point]) -> list[Point]:
    return [point for at, point in enumerate(points) if at == 0 or point != points[at - 1]]


def _numbers(text: str) -> list[float]:
    try:
        found = [float(word) for word in text.split()]
    except ValueError:
        return []
    return found if all(map(math.isfinite, found)) else []


def _chained(edges: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Yield the corners along edges, each edge once."""
    beside: dict[int, list[int]] = {}
    for a, b in edges:
        beside.setdefault(a, []).append(b)
        beside.setdefault(b, []).append(a)
    for first, others in beside.items():
        while others:
            chain, at = [first], first
            while beside[at]:
                following = beside[at].pop()
                beside[following].remove(at)
                chain.append(following)
                at = following
            yield chain
