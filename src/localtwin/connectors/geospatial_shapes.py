"""What a feature's geometry is: a digest that writers agree on, a box, and lines to draw."""

import struct
from collections.abc import Iterator
from hashlib import blake2b
from typing import TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from localtwin.connectors.geospatial_surfaces import as_polygons
from localtwin.connectors.polylines import Polyline
from localtwin.connectors.source import Extent

Geometry: TypeAlias = BaseGeometry

DIGEST_BYTES = 16
DECIMALS = 7  # of degrees a centimetre, as RFC 7946 advises; of metres far below any survey
_POLYGONS = ("Polygon", "MultiPolygon")


def shape_of(wkb: bytes | None) -> tuple[Geometry | None, str]:
    """Return a geometry with its digest; no geometry, but a digest, for what is none.

    Such is a line of one point. Rings without an end are closed; a collection of one is that one.
    """
    if wkb is None:
        return None, ""
    try:
        found = shapely.from_wkb(as_polygons(wkb), on_invalid="fix")
    except (shapely.GEOSException, struct.error):
        found = None
    if found is None:
        return None, blake2b(wkb, digest_size=DIGEST_BYTES).hexdigest()
    if found.is_empty:
        return None, ""
    if found.geom_type.startswith("Multi") and shapely.get_num_geometries(found) == 1:
        # Shapefiles know no difference between one part and several.
        found = shapely.get_geometry(found, 0)
    return found, shape_digest(found)


def shape_digest(geometry: Geometry) -> str:
    """Return a digest of rounded coordinates.

    Rings count whatever their direction and first point, which each format has its own rule for;
    the direction of a line is content.
    """
    if geometry.geom_type in _POLYGONS:
        geometry = shapely.normalize(geometry)
    digest = blake2b(digest_size=DIGEST_BYTES)
    digest.update(geometry.geom_type.encode())
    for part in _simple_parts(geometry):
        points = _points(part)
        digest.update(f"{part.geom_type} {points.shape}".encode())
        digest.update((np.round(points, DECIMALS) + 0.0).tobytes())
    return digest.hexdigest()


def extent_of(geometry: Geometry) -> Extent:
    """Return the box around the geometry; at height 0 if it has no heights."""
    points = np.round(_points(geometry), DECIMALS) + 0.0
    low, high = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return Extent((low[0], low[1], low[2]), (high[0], high[1], high[2]))


def lines_of(geometry: Geometry) -> list[Polyline]:
    """Return the lines and the boundaries of areas; nothing for points."""
    parts = (part for part in _simple_parts(geometry) if part.geom_type != "Point")
    return [[(x, y, z) for x, y, z in _points(part).tolist()] for part in parts]


def _simple_parts(geometry: Geometry) -> Iterator[Geometry]:
    """Yield the points, lines and rings that the geometry consists of, in its order."""
    for part in shapely.get_parts(geometry).tolist():
        if part.geom_type == "Polygon":
            yield from shapely.get_rings(part).tolist()
        elif shapely.get_num_geometries(part) > 1:
            yield from _simple_parts(part)
        else:
            yield part


def _points(geometry: Geometry) -> NDArray[np.float64]:
    """Return the coordinates, n by 3; unknown heights are 0."""
    points: NDArray[np.float64] = shapely.get_coordinates(geometry, include_z=True)
    return np.nan_to_num(points)
