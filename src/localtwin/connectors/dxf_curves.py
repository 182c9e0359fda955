"""Lines of DXF entities that ezdxf interprets: splines, hatches, meshes, leaders, solids."""

from collections.abc import Iterable, Iterator

import ezdxf.path
from ezdxf.entities import factory
from ezdxf.entities.polygon import DXFPolygon
from ezdxf.entities.spline import Spline
from ezdxf.lldxf.extendedtags import ExtendedTags
from ezdxf.lldxf.tagger import tag_compiler
from ezdxf.lldxf.types import DXFTag
from ezdxf.math import Vec3

from localtwin.connectors.dxf_drawing import Entity
from localtwin.connectors.dxf_objects import DxfObject
from localtwin.connectors.dxf_proxies import solid_points
from localtwin.connectors.dxf_tags import Record, number
from localtwin.connectors.polylines import Point, Polyline

CONTROL_POINTS_MAX = 2_000  # beyond, a spline is drawn as the polygon of its control points
_SEGMENTS_PER_POINT = 4


def spline_lines(entity: Entity, _: DxfObject) -> list[Polyline]:
    spline = loaded(entity.record)
    assert isinstance(spline, Spline)  # HELIX is one, too
    controls = [Vec3(point).xyz for point in spline.control_points]
    if not controls or len(controls) > CONTROL_POINTS_MAX:
        return [controls or [Vec3(point).xyz for point in spline.fit_points]]
    curve = spline.construction_tool()
    return [[point.xyz for point in curve.approximate(_SEGMENTS_PER_POINT * len(controls))]]


def hatch_lines(entity: Entity, _: DxfObject) -> list[Polyline]:
    hatch = loaded(entity.record)
    assert isinstance(hatch, DXFPolygon)
    lines: list[Polyline] = []
    for path in ezdxf.path.from_hatch(hatch):
        bounds = ezdxf.path.bbox([path], fast=True)
        distance = max(bounds.size.magnitude / 100, 1e-9) if bounds.has_data else 1.0
        lines += [[point.xyz for point in each.flattening(distance)] for each in path.sub_paths()]
    return lines


def mesh_lines(entity: Entity, _: DxfObject) -> list[Polyline]:
    mesh = loaded(entity.record)
    vertices = [Vec3(point).xyz for point in mesh.vertices]  # type: ignore[attr-defined] # what MESH has
    faces = [[n + 1 for n in face] for face in mesh.faces]  # type: ignore[attr-defined] # as above
    return list(face_lines(vertices, faces))


def multileader_lines(entity: Entity, _: DxfObject) -> list[Polyline]:
    """Return the leader lines and where the text stands, from the entity's own description."""
    depth, inside = 0, []
    for tag in entity.record:
        if tag[0] in {300, 302, 304} and str(tag[1]).strip().endswith("{"):
            depth += 1
        elif tag[0] in {301, 303, 305} and str(tag[1]).strip() == "}":
            depth -= 1
        elif depth:
            inside.append(tag)
    return [points_with(inside, 10), points_with(inside, 12)]


def solid_model_lines(entity: Entity, _: DxfObject) -> list[Polyline]:
    return [solid_points(loaded(entity.record))]


def loaded(record: Record) -> object:
    """Return the record as an object of ezdxf, without a drawing around it."""
    tags = (DXFTag(code, value) for code, value in record)
    return factory.load(ExtendedTags(tag_compiler(tags)))


def points_with(record: Record, *codes: int) -> list[Point]:
    """Return the points with these group codes, in the order of the record."""
    found: list[list[float]] = []
    latest: dict[int, list[float]] = {}
    for code, value in record:
        if code in codes:
            latest[code] = [number(value), 0.0, 0.0]
            found.append(latest[code])
        elif code - 10 in latest:
            latest[code - 10][1] = number(value)
        elif code - 20 in latest:
            latest[code - 20][2] = number(value)
    return [(x, y, z) for x, y, z in found]


def face_lines(vertices: list[Point], faces: Iterable[list[int]]) -> Iterator[Polyline]:
    for face in faces:
        corners = [vertices[n - 1] for n in face if 0 < n <= len(vertices)]
        yield [*corners, *corners[:1]]
