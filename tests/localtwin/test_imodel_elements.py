"""What an element brings beside its properties: links to others, geometry, a unique identifier."""

import json
from pathlib import Path

import pytest
from imodel_sources import Model, element

from localtwin.connectors.source import (
    ConnectorError,
    Drawn,
    Extent,
    Json,
    Partition,
    SourceElement,
)
from localtwin.imodel.changeset import revert_changeset
from localtwin.imodel.contents import class_counts
from localtwin.imodel.database import opened
from localtwin.imodel.held_shapes import SourceShapes
from localtwin.imodel.outline import decode_outline, encode_outline
from localtwin.imodel.report import Changes
from localtwin.imodel.tally import Counts

TRIANGLE = ((0.0, 0.0), (500000.125, 0.0), (0.1, 4e6)), ((1.0, 1.0),)


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return Model(tmp_path)


def parents(model: Model) -> dict[object, object]:
    rows = model.rows(
        "SELECT Child.Identifier, Parent.Identifier FROM bis_Element"
        " JOIN bis_ExternalSourceAspect AS Child ON Child.ElementId = Id"
        " LEFT JOIN bis_ExternalSourceAspect AS Parent ON Parent.ElementId = ParentId"
    )
    return {child: parent for child, parent in rows}  # noqa: C416 (rows are tuples of any length)


def test_an_outline_is_stored_exactly() -> None:
    """Map coordinates have seven digits before the point; a shorter number would move walls."""
    data = encode_outline(TRIANGLE)

    assert tuple(decode_outline(data)) == TRIANGLE
    assert encode_outline(()) is None
    assert decode_outline(None) == ()


def test_geometry_is_kept_beside_the_element(model: Model) -> None:
    """Drawing and comparing need shape, placement and outline."""
    model.sync(element("a", outline=TRIANGLE, shape="s", placement=(1.0, 0.0)), element("b"))

    ((shape, placement, outline),) = model.rows(
        "SELECT Shape, Placement, Outline FROM bis_GeometricElement"
    )

    assert (shape, json.loads(str(placement))) == ("s", [1.0, 0.0])
    assert isinstance(outline, bytes)
    assert tuple(decode_outline(outline)) == TRIANGLE


def test_a_moved_element_is_an_updated_element(model: Model) -> None:
    """The placement is content, even if a format keeps it apart from the shape."""
    model.sync(element("a", placement=(1.0, 0.0)))

    tally = model.sync(element("a", placement=(2.0, 0.0)))

    assert tally.elements == Counts(updated=1)


def test_each_sheet_is_a_model_of_its_own(model: Model) -> None:
    """What stands on two sheets of a drawing does not stand beside each other."""
    names = "SELECT Name FROM bis_Model WHERE Name NOT NULL ORDER BY 1"

    def on(sheet: str) -> SourceElement:
        return element("title", partition=Partition.SHEET, sheet=sheet)

    frame = element("frame", partition=Partition.SHEET, sheet="A-101")
    model.sync(on("A-101"), frame, element("wall"))
    assert model.rows(names) == [("A-101",)]

    moved = model.sync(on("A-102"), frame, element("wall"))

    assert moved.elements == Counts(updated=1)
    assert model.rows(names) == [("A-101",), ("A-102",)]
    with opened(model.file) as database:
        counted = {each.model: each.elements for each in class_counts(database)}
    assert counted["BisCore:SheetModel A-101"] == counted["BisCore:SheetModel A-102"] == 1
    model.sync(on("A-102"), element("wall"))
    assert model.rows(names) == [("A-102",)]
    revert_changeset(model.file, model.changesets[-1])
    assert model.rows(names) == [("A-101",), ("A-102",)]


def test_an_outline_alone_is_no_change(model: Model) -> None:
    """It is derived for drawing, and its rounding must not look like an edit."""
    model.sync(element("a", outline=TRIANGLE))

    tally = model.sync(element("a", outline=TRIANGLE[:1]))

    assert (tally.elements, tally.changes) == (Counts(), Changes.NONE)


def test_another_edition_of_the_connector_redraws_what_did_not_change(model: Model) -> None:
    """Otherwise a connector that learns to draw would draw only what is edited later."""
    model.sync(element("a"), version="1")

    tally = model.sync(element("a", outline=TRIANGLE), version="2")

    assert tally.elements == Counts()
    assert model.rows("SELECT count(*) FROM bis_GeometricElement") == [(1,)]


def test_what_is_built_later_is_written_without_counting_as_an_edit(model: Model) -> None:
    """Shape and placement did not change; only now is it known what they look like."""
    model.sync(element("a", shape="s", drawn=Drawn.UNKNOWN))
    box = Extent((0, 0, 0), (1, 2, 3))

    tally = model.sync(element("a", shape="s", drawn=Drawn.BUILT, extent=box, outline=TRIANGLE[:1]))
    again = model.sync(element("a", shape="s", drawn=Drawn.HELD))

    assert (tally.elements, tally.changes) == (Counts(), Changes.SPATIAL_DATA)
    assert model.rows("SELECT MinX, MaxZ FROM bis_Element") == [(0, 3)]
    assert again.changes == Changes.NONE


def test_an_edit_keeps_the_geometry_that_the_imodel_holds(model: Model) -> None:
    box = Extent((0, 0, 0), (1, 2, 3))
    model.sync(element("a", shape="s", drawn=Drawn.BUILT, extent=box, outline=TRIANGLE[:1]))

    model.sync(element("a", shape="s", drawn=Drawn.HELD, size=2))

    (row,) = model.rows(
        "SELECT MaxZ, Outline, JsonProperties FROM bis_Element"
        " JOIN bis_GeometricElement ON ElementId = Id"
    )
    assert row == (3, encode_outline(TRIANGLE[:1]), '{"size": 2}')


def test_what_was_built_in_vain_is_known(model: Model) -> None:
    """It need not be tried again as long as shape, place and connector are the same."""
    turned = (0.0,) * 12
    model.sync(
        element("failed", shape="s", drawn=Drawn.BUILT),
        element("drawn", shape="s", drawn=Drawn.BUILT, extent=Extent((0, 0, 0), (1, 1, 1))),
        element("unknown", shape="s", drawn=Drawn.UNKNOWN),
    )

    with opened(model.file) as database:
        shapes = SourceShapes(database, "one", "Test", "1")
        others = SourceShapes(database, "one", "Test", "2")
        found = [shapes.has_extent(each, "s", None) for each in ("failed", "drawn", "unknown")]
        otherwise = [
            shapes.has_extent("drawn", "t", None),
            shapes.has_extent("drawn", "s", turned),
            shapes.has_extent("absent", "s", None),
            others.has_extent("drawn", "s", None),
        ]

    assert found == [False, True, None]
    assert otherwise == [None] * 4


def test_geometry_goes_with_the_element_or_with_its_shape(model: Model) -> None:
    """What is drawn must be there."""
    model.sync(element("a", outline=TRIANGLE), element("b", shape="s"), element("c", shape="s"))

    model.sync(element("b"), element("c", shape="t"))

    assert model.rows("SELECT Shape FROM bis_GeometricElement") == [("t",)]


def test_a_link_to_an_element_that_went_away_is_cleared(model: Model) -> None:
    """The child's own text is the same, but an id that leads nowhere breaks viewers."""
    child = element("child", parent="parent")
    model.sync(element("parent"), child)

    tally = model.sync(child)

    assert parents(model) == {"child": None}
    assert tally.elements == Counts(updated=1, deleted=1)


def test_a_link_to_an_element_that_came_later_is_set(model: Model) -> None:
    """The iModel must not depend on which state of the file came first."""
    child = element("child", parent="parent")
    model.sync(child)

    tally = model.sync(element("parent"), child)

    assert parents(model) == {"parent": None, "child": "parent"}
    assert tally.elements == Counts(inserted=1, updated=1)


def test_repeated_identifiers_are_numbered_and_stay_stable(model: Model) -> None:
    """Even where the file itself uses an identifier that looks numbered."""
    copies = [element(name, number=n) for n, name in enumerate(["a", "a~2", "a", "a", "a~2"])]
    model.sync(*copies)

    again = model.sync(*copies)

    names = sorted(
        str(row[0]) for row in model.rows("SELECT Identifier FROM bis_ExternalSourceAspect")
    )
    assert names == ["a", "a~2", "a~2~2", "a~3", "a~4"]
    assert again.elements == Counts()


def test_an_element_may_move_from_model_to_model(model: Model) -> None:
    """A line that is moved from the plan to a sheet stays the same line."""
    model.sync(element("a"))
    before = model.rows("SELECT Id FROM bis_Element")

    tally = model.sync(element("a", partition=Partition.SHEET))

    assert tally.elements == Counts(updated=1)
    assert model.rows("SELECT Id FROM bis_Element") == before
    assert model.rows("SELECT count(*) FROM bis_Model") == [(1,)]


def test_the_tally_counts_the_elements_before_and_after(model: Model) -> None:
    """A file that lost its content is recognised by these two numbers."""
    model.sync(element("a"), element("b"))

    tally = model.sync(element("a"))

    assert (tally.before, tally.after) == (2, 1)


def nested(depth: int) -> Json:
    value: Json = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "odd",
    [
        element("a", value=object()),  # type: ignore[arg-type]  # what a defective connector yields
        element("a", value=nested(100_000)),
        element("a", extent=Extent((1 << 70, 0, 0), (1, 1, 1))),
    ],
    ids=["no JSON", "nested too deep", "too large a number"],
)
def test_a_value_that_cannot_be_stored_is_an_error_of_its_file(
    model: Model, odd: SourceElement
) -> None:
    """Any other error would end the whole run, and every other file would wait."""
    with pytest.raises(ConnectorError, match="Test:Beam a can't be stored"):
        model.sync(odd)
