"""What shapes look like from above."""

import math
from itertools import pairwise

import numpy as np

from localtwin.connectors.mesh_plans import Numbers, Places, box_of, plan_of
from localtwin.connectors.polylines import OUTLINE_POINTS_MAX
from localtwin.connectors.source import Extent, Outline

NO_EDGES: Places = np.empty((0, 2), np.int64)
NO_TRIANGLES: Places = np.empty((0, 3), np.int64)


def block(x: float, y: float, width: float, depth: float, height: float) -> tuple[Numbers, Places]:
    """Return a box as points and triangles that look outwards."""
    corners = [
        (x + i * width, y + j * depth, k * height) for k in (0, 1) for j in (0, 1) for i in (0, 1)
    ]
    sides = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)]
    triangles = [each for a, b, c, d in sides for each in ((a, b, c), (a, c, d))]
    return np.asarray(corners, float), np.asarray(triangles, np.int64)


def together(*blocks: tuple[Numbers, Places]) -> tuple[Numbers, Places]:
    points = np.concatenate([each for each, _ in blocks])
    triangles = np.concatenate([each + 8 * number for number, (_, each) in enumerate(blocks)])
    return points, triangles


def area(line: list[tuple[float, float]]) -> float:
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairwise(line))) / 2


def sorted_corners(outline: Outline) -> list[tuple[float, float]]:
    (line,) = outline
    assert line[0] == line[-1]
    return sorted(set(line))


def test_a_box_is_a_rectangle() -> None:
    points, triangles = block(1, 2, 3, 4, 5)

    assert sorted_corners(plan_of(points, triangles, NO_EDGES, 3)) == [
        (1, 2),
        (1, 6),
        (4, 2),
        (4, 6),
    ]
    assert box_of(points, 3) == Extent((1, 2, 0), (4, 6, 5))


def test_an_angle_keeps_its_inner_corner() -> None:
    """The hull of an angle would hide the yard that a building stands around."""
    points, triangles = together(block(0, 0, 4, 1, 3), block(0, 1, 1, 3, 3))

    corners = sorted_corners(plan_of(points, triangles, NO_EDGES, 3))

    assert corners == [(0, 0), (0, 4), (1, 1), (1, 4), (4, 0), (4, 1)]


def test_a_hole_is_an_outline_of_its_own() -> None:
    """A slab with a shaft in it is no full slab."""
    frame = [(0, 0, 4, 1), (0, 3, 4, 1), (0, 1, 1, 2), (3, 1, 1, 2)]
    points, triangles = together(*(block(*each, 0.2) for each in frame))

    outline = plan_of(points, triangles, NO_EDGES, 3)

    assert sorted(area([*line]) for line in outline) == [4, 16]


def test_half_of_the_hull_is_not_the_hull() -> None:
    """A shape whose two sides add up to the area of its hull is still not convex."""
    points, triangles = together(block(0, 0, 4, 1, 1), block(0, 1, 1, 4 / 3, 1))

    (line,) = plan_of(points, triangles, NO_EDGES, 6)

    assert math.isclose(area([*line]), 4 + 4 / 3, abs_tol=1e-5)


def test_a_wall_without_thickness_is_a_line() -> None:
    points = np.asarray([(0, 0, 0), (5, 0, 0), (5, 0, 3), (0, 0, 3)], float)
    triangles = np.asarray([(0, 1, 2), (0, 2, 3)], np.int64)

    assert plan_of(points, triangles, NO_EDGES, 3) == [[(0, 0), (5, 0)]]


def test_lines_are_joined() -> None:
    points = np.asarray([(0, 0, 0), (1, 0, 1), (1, 1, 2)], float)
    edges = np.asarray([(1, 2), (0, 1)], np.int64)

    (line,) = plan_of(points, NO_TRIANGLES, edges, 3)

    assert sorted(line) == [(0, 0), (1, 0), (1, 1)]


def test_many_points_become_few() -> None:
    """A picture of a whole model shows no more of one element."""
    turns = np.linspace(0, 2 * math.pi, 3000)
    radius = 5 + np.sin(turns * 20)
    ring = np.column_stack([radius * np.cos(turns), radius * np.sin(turns), np.zeros(3000)])
    points = np.concatenate([ring, [[0.0, 0.0, 0.0]]])
    triangles = np.asarray([(n, n + 1, 3000) for n in range(2999)], np.int64)

    outline = plan_of(points, triangles, NO_EDGES, 3)

    assert 20 < sum(map(len, outline)) <= OUTLINE_POINTS_MAX


def test_infinite_points_have_no_plan() -> None:
    points, triangles = block(0, 0, math.inf, 1, 1)

    assert plan_of(points, triangles, NO_EDGES, 3) == ()
    assert box_of(points, 3) is None
