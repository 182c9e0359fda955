"""What an iModel contains, in the words of its sources: elements and relationships, by identifier.

Rows are read in the order of their ids, one at a time, so a large iModel costs no memory.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import apsw

from localtwin.connectors.source import Extent, Json
from localtwin.imodel.outline import Polyline, decode_outline


@dataclass(frozen=True, slots=True)
class Element:
    """One element; `source` is the name of its source, `source_id` the source's id.

    `parent`, `category` and `type_definition` are identifiers of the same source. `model` is the
    class of the model that it is in, `sheet` the name of that if it is a sheet.
    """

    id: int
    source_id: str
    source: str
    identifier: str
    class_name: str
    model: str
    parent: str | None
    category: str | None
    type_definition: str | None
    code: str
    label: str
    properties: Mapping[str, Json]
    extent: Extent | None
    shape: str
    placement: tuple[float, ...] | None
    outline: Sequence[Polyline]
    sheet: str = ""

    @property
    def model_label(self) -> str:
        """What a person calls the model that the element is in."""
        return f"{self.model} {self.sheet}".rstrip()


class Relationship(NamedTuple):
    """One relationship; `start` and `end` are identifiers of its source."""

    source: str
    class_name: str
    start: str
    end: str
    properties: str


class ClassCount(NamedTuple):
    """How many elements of a class a model has; `source` is the source's name."""

    source: str
    model: str
    class_name: str
    elements: int


_Text = str | None
_Row = tuple[
    int, str, str, str, str, str, _Text, _Text, _Text, _Text, _Text, str,
    float | None, float, float, float, float, float, _Text, _Text, bytes | None, _Text,
]  # fmt: skip
_ELEMENTS = """
SELECT Element.Id, Source.Identifier, Source.Label, Aspect.Identifier, Class.Name, ModelClass.Name,
    Parent.Identifier, Category.Identifier, Type.Identifier, CodeValue, UserLabel, JsonProperties,
    MinX, MinY, MinZ, MaxX, MaxY, MaxZ, Shape, Placement, Outline, Model.Name
FROM bis_Element AS Element
JOIN bis_ExternalSourceAspect AS Aspect ON Aspect.ElementId = Element.Id
JOIN bis_ExternalSource AS Source ON Source.Id = Aspect.SourceId
JOIN ec_Class AS Class ON Class.Id = Element.ClassId
JOIN bis_Model AS Model ON Model.Id = Element.ModelId
JOIN ec_Class AS ModelClass ON ModelClass.Id = Model.ClassId
LEFT JOIN bis_ExternalSourceAspect AS Parent ON Parent.ElementId = Element.ParentId
LEFT JOIN bis_ExternalSourceAspect AS Category ON Category.ElementId = Element.CategoryId
LEFT JOIN bis_ExternalSourceAspect AS Type ON Type.ElementId = Element.TypeDefinitionId
LEFT JOIN bis_GeometricElement AS Geometry ON Geometry.ElementId = Element.Id
"""

_RELATIONSHIPS = """
SELECT Source.Label, Class.Name, Start.Identifier, Finish.Identifier, JsonProperties
FROM bis_ElementRefersToElements AS Link
JOIN bis_ExternalSource AS Source ON Source.Id = Link.ExternalSourceId
JOIN ec_Class AS Class ON Class.Id = Link.ClassId
JOIN bis_ExternalSourceAspect AS Start ON Start.ElementId = Link.SourceId
JOIN bis_ExternalSourceAspect AS Finish ON Finish.ElementId = Link.TargetId
ORDER BY 1, 2, 3, 4
"""

_COUNTS = """
SELECT Source.Label, rtrim(ModelClass.Name || ' ' || ifnull(Model.Name, '')), Class.Name, count(*)
FROM bis_Element AS Element
JOIN ec_Class AS Class ON Class.Id = Element.ClassId
JOIN bis_Model AS Model ON Model.Id = Element.ModelId
JOIN ec_Class AS ModelClass ON ModelClass.Id = Model.ClassId
JOIN bis_ExternalSource AS Source ON Source.Id = Model.SourceId
GROUP BY Source.Id, Model.Id, Class.Name ORDER BY 1, 2, 3
"""


def elements(
    database: apsw.Connection,
    *,
    class_name: str | None = None,
    source: str | None = None,
    source_id: str | None = None,
) -> Iterator[Element]:
    """Yield every element, or those of one class, of the sources of a name, or of one source.

    They come in the order of their ids, those of one source in the order of identifiers.
    """
    given = {
        "Class.Name": class_name,
        "Source.Label": source,
        "Source.Identifier": source_id,
    }
    wanted = {column: value for column, value in given.items() if value is not None}
    where = " AND ".join(f"{column} = ?" for column in wanted) or "1"
    order = "Element.Id" if source_id is None else "Aspect.Identifier"
    query = f"{_ELEMENTS}WHERE {where} ORDER BY {order}"
    for row in database.execute(query, tuple(wanted.values())):
        yield _element(cast("_Row", row))


def element(database: apsw.Connection, element_id: int) -> Element | None:
    """Return one element by its id; None if there is none."""
    row = database.execute(f"{_ELEMENTS}WHERE Element.Id = ?", (element_id,)).fetchone()
    return None if row is None else _element(cast("_Row", row))


def relationships(database: apsw.Connection) -> Iterator[Relationship]:
    """Yield every relationship by source, class and identifiers."""
    yield from map(Relationship._make, database.execute(_RELATIONSHIPS))


def relationship_count(database: apsw.Connection) -> int:
    """Return the number of relationships."""
    return int(database.execute("SELECT count(*) FROM bis_ElementRefersToElements").get)


def class_counts(database: apsw.Connection) -> list[ClassCount]:
    """Return the number of elements by source, model and class."""
    return [ClassCount._make(row) for row in database.execute(_COUNTS)]


def _element(row: _Row) -> Element:
    placement = row[19]
    return Element(
        *row[:9],
        code=row[9] or "",
        label=row[10] or "",
        properties=json.loads(row[11]),
        extent=None if row[12] is None else Extent((row[12], *row[13:15]), row[15:18]),
        shape=row[18] or "",
        placement=None if placement is None else tuple(json.loads(placement)),
        outline=decode_outline(row[20]),
        sheet=row[21] or "",
    )
