"""The extent of a DXF entity, where its own numbers give it, without drawing it."""

from collections.abc import Iterable

from ezdxf.entities.dxfgfx import DXFGraphic
from ezdxf.entities.lwpolyline import LWPolyline
from ezdxf.entities.polyline import Polyline
from ezdxf.math import Vec3

from localtwin.connectors.source import Extent

_CORNERS = {
    "LINE": ("start", "end"),
    "POINT": ("location",),
    "TEXT": ("insert", "align_point"),
    "MTEXT": ("insert",),
    "INSERT": ("insert",),
    "SOLID": ("vtx0", "vtx1", "vtx2", "vtx3"),
    "TRACE": ("vtx0", "vtx1", "vtx2", "vtx3"),
    "3DFACE": ("vtx0", "vtx1", "vtx2", "vtx3"),
}


def extent_of(entity: DXFGraphic) -> Extent | None:
    """Return a box around `entity`, or None if that would take more than reading its numbers.

    Curves count as the whole circle or ellipse they lie on; texts and inserts as where they are.
    """
    kind = entity.dxftype()
    if kind in _CORNERS:
        return _box(
            Vec3(entity.dxf.get(name)) for name in _CORNERS[kind] if entity.dxf.hasattr(name)
        )
    if kind in {"CIRCLE", "ARC"}:
        return _around(entity.ocs().to_wcs(entity.dxf.center), abs(entity.dxf.radius))
    if kind == "ELLIPSE":
        return _around(entity.dxf.center, Vec3(entity.dxf.major_axis).magnitude)
    if isinstance(entity, LWPolyline):
        return _box(entity.vertices_in_wcs())
    if isinstance(entity, Polyline):
        return _box(entity.points_in_wcs())
    return None


def _around(center: Vec3, radius: float) -> Extent:
    reach = Vec3(radius, radius, radius)
    return Extent((center - reach).xyz, (center + reach).xyz)


def _box(points: Iterable[Vec3]) -> Extent | None:
    found = list(points)
    if not found:
        return None
    axes = list(zip(*(point.xyz for point in found), strict=True))
    x, y, z = axes
    return Extent((min(x), min(y), min(z)), (max(x), max(y), max(z)))
