"""Elements as cadkit gives them: where they lie, what they are called, and what counts as equal."""

import copy
import math
from typing import Any

import numpy as np
import pytest

from localtwin.connectors.cad_content import (
    CadContent,
    class_of,
    label_of,
    placing_of,
    properties_of,
)
from localtwin.connectors.cad_geometry import CadLines
from localtwin.connectors.cad_words import words_in
from localtwin.connectors.polylines import extent_of_lines
from localtwin.connectors.source import Extent

DOWN = {"x": 0.0, "y": 0.0, "z": -1.0}


def at(x: float, y: float, z: float = 0.0) -> dict[str, float]:
    return {"x": x, "y": y, "z": z}


def vertex(x: float, y: float, bulge: float = 0.0) -> dict[str, object]:
    return {"position": at(x, y), "bulge": bulge}


def entity(kind: str, **values: object) -> dict[str, Any]:
    return {
        "id": 7,
        "layer": "0",
        "kind": {"type": kind, **values},
        "attributes": [],
        "props": {},
        "raw": {"bytes": [1]},
    }


LINE = entity("line", start=at(0, 0), end=at(2, 1))
BLOCKS: dict[str, dict[str, Any]] = {
    "B": {"base_point": at(1, 0), "entities": [LINE]},
    "*D1": {"base_point": at(0, 0), "entities": [LINE]},
    "LOOP": {
        "base_point": at(0, 0),
        "entities": [
            LINE,
            entity("insert", block="LOOP", position=at(0, 0), scale=at(1, 1, 1), rotation=0.0),
        ],
    },
}


def insert(block: str, **values: object) -> dict[str, Any]:
    usual = {"scale": at(1, 1, 1), "rotation": 0.0, "columns": 1, "rows": 1}
    usual |= {"column_spacing": 0.0, "row_spacing": 0.0, "position": at(10, 10)}
    return entity("insert", **{**usual, "block": block, **values})


BOXES = {
    "a line": (LINE, (0, 0, 2, 1)),
    "a quarter": (
        entity("arc", center=at(5, 5), radius=2.0, start_angle=0.0, end_angle=math.pi / 2),
        (5, 5, 7, 7),
    ),
    "a quarter seen from below": (
        entity(
            "arc", center=at(5, 5), radius=2.0, start_angle=0.0, end_angle=math.pi / 2, normal=DOWN
        ),
        (3, 5, 5, 7),
    ),
    "a half circle as a bulge": (
        entity("polyline", vertices=[vertex(0, 0, 1.0), vertex(2, 0)], closed=False),
        (0, -1, 2, 0),
    ),
    "an ellipse": (
        entity("ellipse", center=at(1, 1), major_axis=at(3, 0), ratio=0.5),
        (-2, -0.5, 4, 2.5),
    ),
    "a spline by its points": (
        entity("spline", control_points=[], fit_points=[at(0, 0), at(4, 0)], degree=3, knots=[]),
        (0, 0, 4, 0),
    ),
    "a spline by its control points": (
        entity(
            "spline",
            control_points=[at(0, 0), at(1, 0), at(2, 0), at(4, 0)],
            fit_points=[],
            degree=3,
            knots=[0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0],
            weights=[],
        ),
        (0, 0, 4, 0),
    ),
    "a text between two points": (
        entity("text", position=at(1, 1), end_point=at(5, 1), height=1.0, value="x", halign="fit"),
        (1, 1, 5, 2),
    ),
    "a note": (
        entity("m_text", position=at(0, 0), height=1.0, plain="ab", attachment="bottom_right"),
        (-1.6, 0, 0, 1),
    ),
    "a face": (entity("face", points=[at(0, 0), at(1, 0), at(1, 3)]), (0, 0, 1, 3)),
    "a mesh": (
        entity("mesh", vertices=[at(0, 0), at(1, 0), at(1, 3)], faces=[[0, 1, 2]]),
        (0, 0, 1, 3),
    ),
    "a hatch": (
        entity(
            "hatch",
            loops=[
                {
                    "edges": [
                        {"type": "line", "start": at(0, 0), "end": at(2, 0)},
                        {
                            "type": "arc",
                            "center": at(1, 0),
                            "radius": 1.0,
                            "start_angle": 0.0,
                            "end_angle": math.pi,
                            "ccw": False,
                        },
                    ]
                }
            ],
        ),
        (0, -1, 2, 0),
    ),
    "an image": (
        entity("image", position=at(1, 1), u_vector=at(3, 0), v_vector=at(0, 2)),
        (1, 1, 4, 3),
    ),
    "a cell": (entity("group", children=[LINE, entity("point", position=at(5, 5))]), (0, 0, 5, 5)),
    "a dimension as it is drawn": (entity("dimension", block="*D1", points=[]), (0, 0, 2, 1)),
    "an insert about its base": (insert("B"), (9, 10, 11, 11)),
    "an insert that is turned": (insert("B", rotation=math.pi / 2), (9, 9, 10, 11)),
    "an array": (insert("B", columns=3, column_spacing=5.0), (9, 10, 21, 11)),
    "an insert seen from below": (insert("B", normal=DOWN), (9, 10, 11, 11)),
    "an insert of a block that is not there": (insert("?"), (10, 10, 10, 10)),
}


@pytest.mark.parametrize("name", BOXES)
def test_the_extent_follows_from_what_is_drawn(name: str) -> None:
    """Whoever looks for what lies at a place finds it by the extents."""
    found, (low_x, low_y, high_x, high_y) = BOXES[name]

    extent = extent_of_lines(CadLines(BLOCKS).of(found))

    assert isinstance(extent, Extent)
    expected = pytest.approx((low_x, low_y, 0, high_x, high_y, 0), abs=1e-9)
    assert expected == (*extent.low, *extent.high)


def test_a_block_that_contains_itself_ends() -> None:
    """A damaged drawing must not hold up the run."""
    assert extent_of_lines(CadLines(BLOCKS).of(insert("LOOP"))) == Extent((10, 10, 0), (12, 11, 0))
    assert CadContent(BLOCKS).of_block("LOOP")


def test_an_odd_value_costs_the_picture_only() -> None:
    """An element that can't be drawn is an element all the same."""
    odd = entity("line", start=None, end=at(1, 1))

    assert CadLines(BLOCKS).of(odd) == []
    assert CadContent(BLOCKS).of(odd)


def test_what_programs_renumber_is_no_content() -> None:
    """A drawing that another program saved again must make no changeset."""
    blocks = {**BLOCKS, "*D44": copy.deepcopy(BLOCKS["*D1"])}
    first = entity("dimension", block="*D1", points=[at(0.1 + 0.2, -0.0)])
    again = entity("dimension", block="*D44", points=[at(0.3, 0.0)])
    again["id"], again["raw"] = 9, {"bytes": [2, 3]}
    content = CadContent(blocks)

    assert content.of(first) == content.of(again)
    assert "block" not in properties_of(again)


def test_an_edit_in_a_nameless_block_shows_on_what_it_draws() -> None:
    """Such a block is no element; what it draws would change unseen."""
    edited = copy.deepcopy(BLOCKS)
    edited["*D1"]["entities"][0]["kind"]["end"]["x"] = 3.0
    dimension = entity("dimension", block="*D1", points=[])

    assert CadContent(BLOCKS).of(dimension) != CadContent(edited).of(dimension)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (entity("unknown", type_name="dwg.MULTILEADER"), ("MULTILEADER", "")),
        (entity("unknown", type_name="dgn.type_36"), ("TYPE_36", "")),
        (entity("m_text", plain="two\nlines"), ("MTEXT", "two lines")),
        (entity("group", group_kind="cell", name="D30L", children=[]), ("CELL", "D30L")),
        (entity("group", group_kind="other", name=None, children=None), ("GROUP", "")),
        (
            entity("group", group_kind="text_node", children=[entity("text", value="Room 1")]),
            ("TEXT_NODE", "Room 1"),
        ),
        (entity("dimension", measurement=2.5, text="<> m", block="*D1"), ("DIMENSION", "2.5 m")),
        (insert("B"), ("INSERT", "B")),
    ],
)
def test_class_and_label_are_what_a_person_sees(
    found: dict[str, Any], expected: tuple[str, str]
) -> None:
    """An element called UNKNOWN helps nobody."""
    assert (class_of(found), label_of(found["kind"])) == expected


def test_attributes_are_drawn_where_the_file_says_where_they_are() -> None:
    """Tags of a DGN have a value, but no height; they must not refuse the file."""
    door = insert("B")
    shown = {"height": 1.0, "rotation": 0.0}
    door["attributes"] = [
        {"tag": "NO", "value": "12345", "position": at(20, 10), "display": shown},
        {"tag": "URL", "value": "x", "position": at(90, 90)},
        {"tag": "HIDDEN", "value": "x", "position": None, "display": None},
    ]

    assert extent_of_lines(CadLines(BLOCKS).of(door)) == Extent((9, 10, 0), (24, 11, 0))


def test_attributes_of_one_tag_are_all_kept() -> None:
    """The second of two would overwrite the first."""
    door = insert("B")
    door["attributes"] = [{"tag": "NO", "value": "1"}, {"tag": "NO", "value": "2"}]

    assert properties_of(door)["attributes"] == {"NO": "1", "NO~2": "2"}


def test_units_place_the_drawing() -> None:
    """The same numbers in millimetres and in inches are two different buildings."""
    units = {"unit": "millimeter", "meters_per_unit": 0.001}
    header = {"dwg.header.INSUNITS": 4, "dwg.header.LTSCALE": 1.0, "dwg.header.PSLTSCALE": True}

    assert placing_of({"units": units, "props": header}) == {
        "unit": "millimeter",
        "metres": 0.001,
        "insert_units": 4,
    }


@pytest.mark.parametrize("shift", range(8))
def test_words_are_found_at_any_bit(shift: int) -> None:
    """The notes of leaders and the cells of tables are what people look for."""
    texts = ["Fire door T30", "Größe 900 x 2100", "txt.shx", "0.000000", "ACAD_X1", "ab"]
    content = b"\x07\x00".join(each.encode("utf-16-le") for each in texts)
    raw = bytes(range(200, 256)) + content + bytes(range(130, 180))
    bits = int.from_bytes(raw, "big") << shift

    found = words_in(bits.to_bytes(len(raw) + 1, "big"))

    assert found == ["Fire door T30", "Größe 900 x 2100", "0.000000"]


def test_numbers_are_no_words() -> None:
    """A mesh must not get a label of chance."""
    numbers = np.random.Generator(np.random.PCG64(1)).normal(size=20_000)

    assert words_in(numbers.tobytes()) == []
