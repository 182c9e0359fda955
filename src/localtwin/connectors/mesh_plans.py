"""Box and plan of a shape that is given as triangles, or as lines, in space."""

import math
from typing import TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray

from localtwin.connectors.polylines import OUTLINE_POINTS_MAX
from localtwin.connectors.source import Extent, Outline

Numbers: TypeAlias = NDArray[np.float64]
Places: TypeAlias = NDArray[np.int64]

TRIANGLES_MAX = 20_000  # of one outline; the hull of more is found in no time
_ALIKE = 1e-6  # areas that differ by less are one, give or take arithmetic
_FINEST = 1 / 1000  # of the width of a shape: what a drawing of all of it shows
_COARSER = 1.6  # by this the detail is lowered until the points are few enough


def box_of(points: Numbers, decimals: int) -> Extent | None:
    """Return the box around points (n x 3), rounded; None without any or with an infinite one."""
    if not len(points) or not np.isfinite(points).all():
        return None
    low, high = (_rounded(each, decimals) for each in (points.min(axis=0), points.max(axis=0)))
    return Extent((low[0], low[1], low[2]), (high[0], high[1], high[2]))


def plan_of(points: Numbers, triangles: Places, edges: Places, decimals: int) -> Outline:
    """Return what a shape covers, seen from above, as closed lines; rounded.

    `points` are n x 3. `triangles` (m x 3) and `edges` (k x 2) are places of points; edges count
    only without triangles. Small details are left out until few enough points are left.
    """
    plane = points[:, :2]
    if not len(plane) or not np.isfinite(plane).all():
        return ()
    grid = 10.0**-decimals
    covered = _covered(plane, triangles, grid) if len(triangles) else _lines(plane, edges)
    return _simplified(covered, grid, decimals)


def _covered(plane: Numbers, triangles: Places, grid: float) -> shapely.Geometry:
    corners = plane[triangles]
    (ax, ay), (bx, by) = ((corners[:, each] - corners[:, 0]).T for each in (1, 2))
    areas = (ax * by - ay * bx) / 2
    hull = shapely.convex_hull(shapely.multipoints(plane))
    up, down = float(areas[areas > 0].sum()), float(-areas[areas < 0].sum())
    if _is_hull(max(up, down), min(up, down), hull.area):
        return hull
    if math.isclose(up, down, rel_tol=_ALIKE):  # a closed shape, whose upper side is enough
        chosen = corners[areas > grid * grid]
    else:
        chosen = corners[np.abs(areas) > grid * grid]
    if not len(chosen) or len(chosen) > TRIANGLES_MAX:
        return hull
    try:
        return shapely.union_all(shapely.polygons(chosen), grid_size=grid)
    except shapely.GEOSException:  # coordinates that the library can't add up
        return hull


def _is_hull(more: float, less: float, area: float) -> bool:
    """Return whether areas seen from above and below are those of a convex shape."""
    near = _ALIKE * area
    return area > 0 and abs(more - area) <= near and (less <= near or abs(less - area) <= near)


def _lines(plane: Numbers, edges: Places) -> shapely.Geometry:
    ends = plane[edges]
    ends = ends[(ends[:, 0] != ends[:, 1]).any(axis=1)]
    if not len(ends):
        return shapely.convex_hull(shapely.multipoints(plane))
    return shapely.line_merge(shapely.node(shapely.multilinestrings(shapely.linestrings(ends))))


def _simplified(covered: shapely.Geometry, grid: float, decimals: int) -> Outline:
    """Return lines of at most OUTLINE_POINTS_MAX points in all, the longest first."""
    low_x, low_y, high_x, high_y = shapely.bounds(covered)
    tolerance = max(grid, max(high_x - low_x, high_y - low_y) * _FINEST)
    found = shapely.simplify(covered, tolerance / 10)
    while True:
        lines = [line for each in shapely.get_parts(found) for line in _lines_of(each)]
        lines = [each for each in lines if shapely.length(each) > tolerance] or lines[:1]
        if sum(map(shapely.get_num_points, lines)) <= OUTLINE_POINTS_MAX:
            break
        tolerance *= _COARSER
        found = shapely.simplify(found, tolerance)
    rounded = [
        [(x, y) for x, y in (_rounded(point, decimals) for point in shapely.get_coordinates(each))]
        for each in lines
    ]
    return sorted((each for each in rounded if len(each) > 1), key=lambda each: (-len(each), each))


def _lines_of(part: shapely.Geometry) -> list[shapely.Geometry]:
    if isinstance(part, shapely.Polygon):
        return list(shapely.get_rings(part))
    return [part] if isinstance(part, shapely.LineString) else []


def _rounded(values: Numbers, decimals: int) -> tuple[float, ...]:
    return tuple(round(float(each), decimals) + 0.0 for each in values)
