"""Boxes and plan outlines from polylines in space; what CAD connectors share."""

import math
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from localtwin.connectors.source import Extent, Outline

Point: TypeAlias = tuple[float, float, float]
Polyline: TypeAlias = Sequence[Point]

OUTLINE_POINTS_MAX = 200  # per element; a picture of a whole drawing shows no more
TURN_STEPS = 32  # per full circle; the quarters are among them, so boxes of circles are exact


def extent_of_points(points: Iterable[Point]) -> Extent | None:
    """Return the box around points, rounded as coordinates are compared; None without any."""
    found = list(points)
    if not found:
        return None
    xs, ys, zs = zip(*found, strict=True)
    if not math.isfinite(sum(xs) + sum(ys) + sum(zs)):
        return extent_of_points(point for point in found if all(map(math.isfinite, point)))
    return Extent(
        (_rounded(min(xs)), _rounded(min(ys)), _rounded(min(zs))),
        (_rounded(max(xs)), _rounded(max(ys)), _rounded(max(zs))),
    )


def extent_of_lines(lines: Sequence[Polyline]) -> Extent | None:
    """Return the box around polylines."""
    return extent_of_points(point for line in lines for point in line)


def outline_of_lines(lines: Sequence[Polyline], points_max: int = OUTLINE_POINTS_MAX) -> Outline:
    """Return the polylines in plan; every so many points where there would be too many."""
    total = sum(map(len, lines))
    step = max(1, math.ceil(total / points_max))
    outline: list[list[tuple[float, float]]] = []
    for line in lines if step == 1 else _longest(lines, points_max):
        chosen = [(x, y) for x, y, _ in line] if step == 1 else _thinned(line, step)
        if len(chosen) > 1 and math.isfinite(sum(map(sum, chosen))):
            outline.append(chosen)
    return outline


def thinned_lines(lines: Sequence[Polyline], points_max: int) -> list[Polyline]:
    """Return the polylines, or only the box around them if they have too many points."""
    if sum(map(len, lines)) <= points_max:
        return list(lines)
    box = extent_of_lines(lines)
    return [] if box is None else box_lines(box)


def box_lines(box: Extent) -> list[Polyline]:
    """Return a box as two rectangles, which have its corners."""
    (x1, y1, z1), (x2, y2, z2) = box.low, box.high
    return [
        [(x1, y1, z), (x2, y1, z), (x2, y2, z), (x1, y2, z), (x1, y1, z)]
        for z in ([z1] if z1 == z2 else [z1, z2])
    ]


def turn_angles(start: float, end: float) -> list[float]:
    """Return angles in radians from start to end, counter-clockwise, with all quarters between."""
    step = math.tau / TURN_STEPS
    while end <= start:
        end += math.tau
    first = math.floor(start / step) + 1
    between = [n * step for n in range(first, math.ceil(end / step)) if n * step > start]
    return [start, *between, end]


def arc_points(
    center: Point, radius: float, start: float = 0.0, end: float = math.tau
) -> list[Point]:
    """Return points on a level arc; angles are in radians."""
    x, y, z = center
    return [
        (x + radius * math.cos(angle), y + radius * math.sin(angle), z)
        for angle in turn_angles(start, end)
    ]


def bulge_points(a: Point, b: Point, bulge: float) -> list[Point]:
    """Return the points of an arc from a to b, without a; the bulge is tan of a quarter angle."""
    chord = math.hypot(b[0] - a[0], b[1] - a[1])
    if not bulge or not chord or not math.isfinite(bulge):
        return [b]
    angle = 4 * math.atan(bulge)
    radius = chord / 2 / math.sin(angle / 2)
    middle = math.atan2(b[1] - a[1], b[0] - a[0]) + math.pi / 2 - angle / 2
    x, y = a[0] + radius * math.cos(middle), a[1] + radius * math.sin(middle)
    start, end = math.atan2(a[1] - y, a[0] - x), math.atan2(b[1] - y, b[0] - x)
    arc = arc_points((x, y, a[2]), abs(radius), *((start, end) if bulge > 0 else (end, start)))
    return [*(arc if bulge > 0 else arc[::-1])[1:-1], b]


def ellipse_points(
    center: Point, major: Point, minor: Point, start: float = 0.0, end: float = math.tau
) -> list[Point]:
    """Return points on an ellipse with its extreme ones; major and minor are half axes."""
    extremes = [math.atan2(minor[axis], major[axis]) for axis in range(3)]
    angles = turn_angles(start, end)
    last = angles[-1]
    for each in extremes:
        turned = [each + n * math.pi for n in range(-4, 5)]
        angles += [angle for angle in turned if angles[0] < angle < last]
    return [
        (
            center[0] + major[0] * math.cos(t) + minor[0] * math.sin(t),
            center[1] + major[1] * math.cos(t) + minor[1] * math.sin(t),
            center[2] + major[2] * math.cos(t) + minor[2] * math.sin(t),
        )
        for t in sorted(angles)
    ]


def text_box(
    at: Point, width: float, height: float, turn: float, anchor: tuple[float, float]
) -> list[Point]:
    """Return the rectangle of a text; the anchor is the part of it left of and below `at`."""
    cos, sin = math.cos(turn), math.sin(turn)
    left, low = -anchor[0] * width, -anchor[1] * height
    corners = [(left, low), (left + width, low), (left + width, low + height), (left, low + height)]
    return [
        (at[0] + x * cos - y * sin, at[1] + x * sin + y * cos, at[2])
        for x, y in [*corners, corners[0]]
    ]


def _thinned(line: Polyline, step: int) -> list[tuple[float, float]]:
    chosen = [(x, y) for x, y, _ in line[::step]]
    last = (line[-1][0], line[-1][1]) if line else None
    return chosen if last is None or chosen[-1] == last else [*chosen, last]


def _longest(lines: Sequence[Polyline], count_max: int) -> Sequence[Polyline]:
    """Return the polylines that reach furthest, if there are more than fit."""
    if 2 * len(lines) <= count_max:
        return lines
    return sorted(lines, key=_reach, reverse=True)[: count_max // 4]


def _reach(line: Polyline) -> float:
    if not line:
        return 0.0
    xs, ys, _ = zip(*line, strict=True)
    return float((max(xs) - min(xs)) + (max(ys) - min(ys)))


def _rounded(value: float) -> float:
    return round(value, 10) + 0.0 if -1e3 < value < 1e3 else float(f"{value:.13g}")
