"""Small IFC models of the shapes that are to be built, taken from a large one as text.

A shape depends on its representation and on units alone, so that is all the builder gets: it
reads little, and neither names nor properties of a hostile file reach it.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from localtwin.connectors.ifc_content import Content
from localtwin.connectors.ifc_model import IfcModel
from localtwin.connectors.ifc_values import Value, references

Placement = tuple[float, ...]

_REFERENCE = re.compile(r"#\d+")
_TEXT = re.compile(r"'(?:[^']|'')*+'")
_LEFT_OUT = {"IFCOWNERHISTORY"}

# Representations by what they are for; the first of these that a product has is built.
_SOLID = {"Body", "Facetation", "Tessellation", "Body-FallBack", "Mesh"}
_NO_PLAN = {"CoG", "Box", "Clearance", "Lighting", "Profile"}
_PLAIN = {"FootPrint", "Axis", "Plan", "Annotation"}
# What flat faces and straight lines are made of: the builder needs no kernel of curves for it.
_PLANE = {"IFCCARTESIANPOINT", "IFCDIRECTION", "IFCAXIS2PLACEMENT2D", "IFCAXIS2PLACEMENT3D"}
_PLANE |= {"IFCCARTESIANPOINTLIST2D", "IFCCARTESIANPOINTLIST3D", "IFCPOLYLINE", "IFCPOLYLOOP"}
_PLANE |= {"IFCRECTANGLEPROFILEDEF", "IFCARBITRARYCLOSEDPROFILEDEF", "IFCEXTRUDEDAREASOLID"}
_PLANE |= {"IFCFACETEDBREP", "IFCCLOSEDSHELL", "IFCOPENSHELL", "IFCCONNECTEDFACESET", "IFCFACE"}
_PLANE |= {"IFCFACEBOUND", "IFCFACEOUTERBOUND", "IFCFACEBASEDSURFACEMODEL"}
_PLANE |= {"IFCSHELLBASEDSURFACEMODEL", "IFCTRIANGULATEDFACESET", "IFCPOLYGONALFACESET"}
_PLANE |= {"IFCINDEXEDPOLYGONALFACE", "IFCMAPPEDITEM", "IFCREPRESENTATIONMAP"}
_PLANE |= {"IFCSHAPEREPRESENTATION", "IFCCARTESIANTRANSFORMATIONOPERATOR3D"}
_PLANE |= {"IFCGEOMETRICREPRESENTATIONCONTEXT", "IFCGEOMETRICREPRESENTATIONSUBCONTEXT"}
_UNITS = {"LENGTHUNIT", "PLANEANGLEUNIT"}
# What a plan of lines does not show.
_NOT_SHOWN = ("IFCTEXTLITERAL", "IFCPOINT", "IFCVERTEX", "IFCLIGHTSOURCE", "IFCPLACEMENT")


@dataclass(slots=True)
class Shape:
    """A shape to build: numbers of representations, and whose shape it is, where.

    `items` are numbers of products with their placements. A placement of None is one that only
    the builder can find out: it is then that of `placed`, the number of an object placement.
    """

    representations: tuple[str, ...]
    placed: str = ""
    items: list[tuple[str, Placement | None]] = field(default_factory=list)


def representations_of(model: IfcModel, definition: Value) -> tuple[str, ...]:
    """Return the representations of a product that show it best in a plan; none if it has none."""
    found: list[tuple[int, str]] = []
    for shape in references(definition):
        for each in references(model.attributes(shape).get("Representations")):
            values = model.attributes(each)
            if any(not model.is_a(item, *_NOT_SHOWN) for item in references(values.get("Items"))):
                found.append((_rank(str(values.get("RepresentationIdentifier") or "")), str(each)))
    best = min((rank for rank, _ in found), default=0)
    return tuple(dict.fromkeys(each for rank, each in found if rank == best))


def _rank(identifier: str) -> int:
    if identifier in _SOLID:
        return 0
    if identifier in _NO_PLAN:
        return 3
    return 2 if identifier in _PLAIN else 1


class ShapeModels:
    """Writes models of shapes of one file."""

    def __init__(self, content: Content) -> None:
        self._step = content.model.step
        self._schema = content.model.schema.parser_name
        self._precision = content.precision
        self._units = _units_of(content.model)
        self._plane: set[str] = set()

    def is_plane(self, shape: Shape) -> bool:
        """Return whether all of a shape is flat faces and straight lines, as most shapes are."""
        keywords, arguments = self._step.keywords, self._step.arguments
        waiting, seen = self._items(shape), set[str]()
        while waiting:
            number = waiting.pop()
            if number in self._plane or number in seen or number not in keywords:
                continue
            if keywords[number] not in _PLANE:
                return False
            seen.add(number)
            waiting.extend(_REFERENCE.findall(_without_texts(arguments[number])))
        self._plane |= seen
        return not shape.placed

    def text(self, shapes: Sequence[Shape]) -> tuple[str, dict[str, Shape]]:
        """Return a model in the STEP encoding, and the shapes by the number of their product."""
        needed = self._needed(
            each for shape in shapes for each in (*self._items(shape), shape.placed, *self._units)
        )
        lines = [
            f"{each}={self._step.keywords[each]}({self._step.arguments[each]};"
            for each in sorted(needed, key=_place)
        ]
        first = max(map(_place, needed), default=0) + 1
        lines += self._frame(first)
        products: dict[str, Shape] = {}
        for number, shape in enumerate(shapes):
            at = first + 6 + 3 * number
            lines += self._product(at, first, shape)
            products[str(at + 2)] = shape
        return _file(self._schema, lines), products

    def _items(self, shape: Shape) -> list[str]:
        """Return what is drawn, each once; a representation's first argument is its context."""
        found: dict[str, None] = {}
        for each in shape.representations:
            rest = _without_texts(self._step.arguments[each]).partition(",")[2]
            found |= dict.fromkeys(_REFERENCE.findall(rest))
        return [each for each in found if each in self._step.keywords]

    def _needed(self, starts: Iterable[str]) -> set[str]:
        """Return all that is referred to, with the starts themselves."""
        keywords, arguments = self._step.keywords, self._step.arguments
        waiting, needed = list(starts), set[str]()
        while waiting:
            number = waiting.pop()
            keyword = keywords.get(number)
            if number in needed or keyword is None or keyword in _LEFT_OUT:
                continue
            needed.add(number)
            waiting.extend(_REFERENCE.findall(_without_texts(arguments[number])))
        return needed

    def _frame(self, first: int) -> list[str]:
        """Return what every model has: a project, its units, and one context for all shapes."""
        units = self._units or [f"#{first + 5}"]
        return [
            f"#{first}=IFCGEOMETRICREPRESENTATIONCONTEXT($,'Model',3,{self._precision!r},"
            f"#{first + 1},$);",
            f"#{first + 1}=IFCAXIS2PLACEMENT3D(#{first + 2},$,$);",
            f"#{first + 2}=IFCCARTESIANPOINT((0.,0.,0.));",
            f"#{first + 3}=IFCPROJECT('{0:022d}',$,'',$,$,$,$,(#{first}),#{first + 4});",
            f"#{first + 4}=IFCUNITASSIGNMENT(({','.join(units)}));",
            f"#{first + 5}=IFCSIUNIT(*,.LENGTHUNIT.,$,.METRE.);",
        ]

    def _product(self, at: int, context: int, shape: Shape) -> list[str]:
        items = ",".join(self._items(shape))
        return [
            f"#{at}=IFCSHAPEREPRESENTATION(#{context},'Body',$,({items}));",
            f"#{at + 1}=IFCPRODUCTDEFINITIONSHAPE($,$,(#{at}));",
            f"#{at + 2}=IFCBUILDINGELEMENTPROXY('{at:022d}',$,$,$,$,{shape.placed or '$'},"
            f"#{at + 1},$,$);",
        ]


def _units_of(model: IfcModel) -> list[str]:
    """Return the units that a shape depends on; none if the file has none."""
    return [
        str(unit)
        for assignment in islice(model.of_kind("IFCUNITASSIGNMENT"), 1)
        for unit in references(model.attributes(assignment).get("Units"))
        if model.attributes(unit).get("UnitType") in _UNITS
    ]


def _without_texts(arguments: str) -> str:
    return _TEXT.sub("''", arguments) if "'" in arguments else arguments


def _place(number: str) -> int:
    return int(number[1:])


def _file(schema: str, lines: Sequence[str]) -> str:
    return "\n".join(
        [
            "ISO-10303-21;\nHEADER;\nFILE_DESCRIPTION((''),'2;1');",
            "FILE_NAME('','',(''),(''),'','','');",
            f"FILE_SCHEMA(('{schema}'));\nENDSEC;\nDATA;",
            *lines,
            "ENDSEC;\nEND-ISO-10303-21;\n",
        ]
    )
