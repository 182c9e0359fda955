"""What a LandXML file contains: units, alignments, surfaces, parcels, points, pipes.

Source: LandXML 1.0 to 1.2 schemas; what is not listed here is read as any other XML.
"""

from array import array
from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from localtwin.connectors.coordinate_systems import described
from localtwin.connectors.landxml_geometry import (
    boundary_lines,
    coordinate_lines,
    point_of,
    referred_point,
    surface_digest,
)
from localtwin.connectors.landxml_places import LandPlaces
from localtwin.connectors.polylines import (
    Point,
    Polyline,
    extent_of_lines,
    extent_of_points,
    outline_of_lines,
)
from localtwin.connectors.remarks import counted
from localtwin.connectors.source import Json, Partition, SourceElement
from localtwin.connectors.xml_nodes import (
    Node,
    attributes_of,
    content_of,
    digest_of,
    local_name,
    release,
    text_of,
)

ITEMS = ("Alignment", "Surface", "Parcel", "PlanFeature", "CgPoint", "Struct", "Pipe")
HEADINGS = ("Units", "CoordinateSystem", "Project")
# The program that wrote the file, which says nothing about what is in it.
_WRITER = ("Application", "Author")
_CONTAINERS = (
    *("Alignments", "Surfaces", "Parcels", "PlanFeatures", "CgPoints", "PipeNetworks"),
    *("PipeNetwork", "Structs", "Pipes", "LandXML"),
)


class LandXml:
    """One pass over a LandXML file; nodes are freed as soon as they were read."""

    def __init__(self, places: LandPlaces) -> None:
        self._places = places
        self._points: dict[str, Point] = {}
        self._structs: dict[str, Point] = {}
        self._surface = _Triangles()
        self._others: Counter[str] = Counter()
        self._hidden = 0

    def elements(self, events: Iterator[tuple[str, Node]]) -> Iterator[SourceElement]:
        """Yield an element for the heading and for each item, in the order of the file."""
        heading: dict[str, Json] = {}
        path: list[str] = []
        for event, node in events:
            name = local_name(node)
            if event == "start":
                path.append(name)
                continue
            path.pop()
            if name in HEADINGS and len(path) == 1:
                heading |= _heading(name, node)
                self._places.begin(heading)
            elif name in {"P", "F"} and "Surface" in path:
                self._surface.take(name, node)
                release(node)
            elif name in ITEMS:
                yield self._item(name, node)
                release(node)
            elif len(path) == 1 and name not in (*_CONTAINERS, *_WRITER, *HEADINGS):
                self._others[name] += 1
                yield _other(name, node)
                release(node)
        if self._places.system:
            heading["placed_in"] = self._places.system
        yield SourceElement(
            "heading", "LandXML:Heading", Partition.DEFINITION, "Units", properties=heading
        )

    def remarks(self) -> Iterator[str]:
        """Yield where the items lie, and what was reduced or left out."""
        yield from self._places.remarks()
        if self._hidden:
            yield f"{counted(self._hidden, 'triangle')} refer to points that are not in the file."
        for name, count in self._others.items():
            yield f"{counted(count, name + ' section')} kept as content to compare, not drawn."

    def _item(self, name: str, node: Node) -> SourceElement:
        properties = attributes_of(node) | _features(node)
        lines: list[Polyline] = []
        shape = digest_of(content_of(node))
        point: Point | None = None
        if name == "Surface":
            faces = self._surface.faces()
            self._hidden += self._surface.lost
            points = self._surface.points()
            properties |= {"points": len(points), "triangles": len(faces)}
            shape = digest_of([shape, surface_digest(faces if len(faces) else _as_faces(points))])
            lines = boundary_lines(faces) if len(faces) else []
            self._surface = _Triangles()
            if not lines and len(points):
                point = tuple(points[0].tolist())
        elif name == "Pipe":
            lines = self._pipe(node)
            shape = digest_of([shape, [list(map(list, line)) for line in lines]])
        elif name in {"CgPoint", "Struct"}:
            point = self._place(name, node)
        else:
            lines = self._drawn(node)
            shape = digest_of([shape, [list(map(list, line)) for line in lines]])
            if profiles := _profiles(node):
                properties["profiles"] = profiles
        lines = self._places.placed(lines)
        if point is not None:
            point = self._places.placed_point(point)
        label = str(node.get("name") or node.get("oID") or "")
        return SourceElement(
            identifier=f"{name}/{label or shape}",
            class_name=f"LandXML:{name}",
            partition=Partition.PHYSICAL,
            label=label,
            code=str(node.get("oID") or ""),
            properties=properties,
            extent=extent_of_lines(lines) if point is None else extent_of_points([point]),
            shape=shape,
            outline=outline_of_lines(lines),
        )

    def _drawn(self, node: Node) -> list[Polyline]:
        found = (each for each in node if local_name(each) == "CoordGeom")
        return [line for each in found for line in coordinate_lines(each, self._points)]

    def _place(self, name: str, node: Node) -> Point | None:
        """Return where a point or a structure is, and remember it for what refers to it."""
        center = next((each for each in node if local_name(each) == "Center"), node)
        place = referred_point(center, self._points)
        if place is not None:
            known = self._points if name == "CgPoint" else self._structs
            known[str(node.get("name", ""))] = place
        return place

    def _pipe(self, node: Node) -> list[Polyline]:
        ends = [self._structs.get(str(node.get(end, ""))) for end in ("refStart", "refEnd")]
        line = [end for end in ends if end is not None]
        return [line] if len(line) == 2 else []


class _Triangles:
    """The triangles of one surface, as they are read: points by id, faces by three ids.

    LandXML states the points of a surface before its faces.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._points = array("d")
        self._corners = array("q")
        self.lost = 0

    def take(self, name: str, node: Node) -> None:
        """Add a point (P) or a triangle (F); one with unknown points is counted as lost."""
        if name == "P":
            if (point := point_of(text_of(node))) is not None:
                number = len(self._points) // 3
                self._numbers[str(node.get("id", number + 1))] = number
                self._points.extend(point)
        elif node.get("i") != "1":  # which hides a triangle outside of the surface
            corners = [self._numbers.get(each, -1) for each in text_of(node).split()[:3]]
            if len(corners) == 3 and -1 not in corners:
                self._corners.extend(corners)
            else:
                self.lost += 1

    def points(self) -> NDArray[np.float64]:
        """Return the points, n by 3."""
        return np.frombuffer(self._points, dtype=np.float64).reshape(-1, 3)

    def faces(self) -> NDArray[np.float64]:
        """Return the triangles, n by 3 by 3."""
        return self.points()[np.frombuffer(self._corners, dtype=np.int64).reshape(-1, 3)]


def _as_faces(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points as triangles without area, for a surface that has points only."""
    return np.repeat(points[:, None, :], 3, axis=1)


def _heading(name: str, node: Node) -> dict[str, Json]:
    if name == "Units":
        system = next(iter(node), None)
        known = {} if system is None else attributes_of(system)
        return {"units": {"system": "" if system is None else local_name(system), **known}}
    if name == "CoordinateSystem":
        code = str(node.get("epsgCode") or "")
        found = described(f"EPSG:{code}") or described(str(node.get("ogcWktCode") or ""))
        return {"coordinate_system": {**attributes_of(node), **found}}
    return {"project": attributes_of(node)}


def _features(node: Node) -> dict[str, Json]:
    """Return the labelled values that programs attach to items."""
    found = (each for each in node if local_name(each) == "Feature")
    pairs = (each for feature in found for each in feature if local_name(each) == "Property")
    values = {str(each.get("label", "")): str(each.get("value", "")) for each in pairs}
    return {label: value for label, value in values.items() if label}


def _profiles(node: Node) -> list[Json]:
    names = (each for each in node.iter() if local_name(each) in {"ProfAlign", "ProfSurf"})
    return [str(each.get("name", "")) for each in names]


def _other(name: str, node: Node) -> SourceElement:
    label = str(node.get("name") or "")
    return SourceElement(
        identifier=f"{name}/{label}" if label else name,
        class_name=f"LandXML:{name}",
        partition=Partition.PHYSICAL,
        label=label or name,
        properties=attributes_of(node),
        shape=digest_of(content_of(node)),
    )
