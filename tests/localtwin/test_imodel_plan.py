"""Plan views show what an iModel holds and what a changeset changed."""

import io
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from imodel_sources import Model, element
from PIL import Image

from localtwin.connectors.source import Extent, Partition
from localtwin.imodel.database import opened, transaction
from localtwin.imodel.pictures import HEIGHT, WIDTH, png, svg
from localtwin.imodel.plan import (
    BEFORE,
    DELETED,
    INSERTED,
    PLAIN,
    UNCHANGED,
    UPDATED,
    Bounds,
    Layer,
    Plan,
    plan_of_changeset,
    plan_of_imodel,
)

SVG = "{http://www.w3.org/2000/svg}"
LINE = ((0.0, 0.0), (4.0, 3.0))


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return Model(tmp_path)


def whole(model: Model, **choice: str) -> Plan:
    with opened(model.file) as database:
        return plan_of_imodel(database, **choice)  # type: ignore[arg-type]  # source only


def last_change(model: Model, **limits: int) -> Plan:
    with opened(model.file) as database, transaction(database):
        return plan_of_changeset(database, model.changesets[-1], **limits)


def by_colour(plan: Plan) -> dict[str, list[tuple[tuple[float, float], ...]]]:
    return {layer.colour: list(layer.polylines) for layer in plan.layers if layer.polylines}


def box(x: float, y: float, side: float = 1.0) -> Extent:
    return Extent((x, y, 0), (x + side, y + side, 5))


def square(x: float, y: float, side: float = 1.0) -> tuple[tuple[float, float], ...]:
    far_x, far_y = x + side, y + side
    return (x, y), (far_x, y), (far_x, far_y), (x, far_y), (x, y)


def test_an_element_is_drawn_by_its_outline_else_by_its_extent(model: Model) -> None:
    """A box says at least where the thing is."""
    model.sync(element("a", outline=[LINE], extent=box(0, 0)), element("b", extent=box(9, 9)))

    plan = whole(model)

    assert by_colour(plan) == {PLAIN: [LINE, square(9, 9)]}
    assert plan.bounds == Bounds(0, 0, 10, 10)


def test_the_legend_counts_elements_and_not_lines(model: Model) -> None:
    """ "2,962 objects" in the drawing were 1,062 elements everywhere else."""
    model.sync(element("a", outline=[LINE, LINE]), element("b", extent=box(9, 9)), element("c"))

    assert [layer.legend for layer in whole(model).layers] == ["2 elements"]


def test_what_has_no_position_or_an_impossible_one_is_left_out(model: Model) -> None:
    """Definitions have none, and broken files have infinite ones."""
    model.sync(
        element("a"),
        element("b", outline=[[(float("inf"), 0.0)]]),
        element("c", extent=box(float("nan"), 0)),
        element("d", partition=Partition.DEFINITION, extent=box(0, 0)),
    )

    plan = whole(model)

    assert (by_colour(plan), plan.bounds) == ({}, None)
    assert "No object here has a position to draw." in svg(plan, "Nothing")


def test_sheets_are_drawn_only_if_there_is_nothing_else(model: Model) -> None:
    """Paper has other coordinates than the building."""
    sheet = element("s", partition=Partition.SHEET, extent=box(0, 0))
    model.sync(sheet)
    alone = by_colour(whole(model))

    model.sync(sheet, element("a", extent=box(5, 5)))

    assert alone == {PLAIN: [square(0, 0)]}
    assert by_colour(whole(model)) == {PLAIN: [square(5, 5)]}


def test_one_source_can_be_drawn_alone(model: Model) -> None:
    """Two files may be in two units."""
    model.sync(element("a", extent=box(0, 0)), name="one")
    model.sync(element("a", extent=box(9, 9)), name="two")

    assert by_colour(whole(model, source="two")) == {PLAIN: [square(9, 9)]}


def test_a_changeset_is_green_amber_and_red_among_what_stayed(model: Model) -> None:
    """Additions, changes and deletions must be visible at once."""
    model.sync(
        element("gone", extent=box(0, 0)),
        element("moved", extent=box(2, 0)),
        element("renamed", extent=box(4, 0), label="Old"),
        element("same", extent=box(6, 0)),
    )

    model.sync(
        element("moved", extent=box(2, 5)),
        element("renamed", extent=box(4, 0), label="New"),
        element("same", extent=box(6, 0)),
        element("new", extent=box(8, 0)),
    )

    plan = last_change(model)
    assert by_colour(plan) == {
        UNCHANGED: [square(6, 0)],
        BEFORE: [square(2, 0)],
        DELETED: [square(0, 0)],
        UPDATED: [square(2, 5), square(4, 0)],
        INSERTED: [square(8, 0)],
    }
    assert [layer.legend for layer in plan.layers if layer.legend] == [
        "1 deleted",
        "2 updated",
        "1 inserted",
    ]


def test_only_the_changed_source_is_context(model: Model) -> None:
    """Another file's content says nothing about this change."""
    model.sync(element("a", extent=box(0, 0)), name="one")
    model.sync(element("b", extent=box(9, 9)), name="two")

    assert by_colour(last_change(model)) == {INSERTED: [square(9, 9)]}


def test_a_drawing_of_a_changeset_is_bounded(model: Model) -> None:
    """It is made at the end of every run, also of the first one of a large file."""
    model.sync(*(element(f"s{n}", extent=box(n, 0)) for n in range(9)))
    model.sync(*(element(f"s{n}", extent=box(n, n // 5)) for n in range(9)))

    plan = last_change(model, limit=2, context=3)

    drawn = {colour: len(lines) for colour, lines in by_colour(plan).items()}
    assert drawn[UPDATED] == 2
    assert drawn[UNCHANGED] <= 3
    assert plan.layers[-2].legend == "4 updated"


def test_a_few_strays_do_not_shrink_the_rest(model: Model) -> None:
    """Nearly every drawing has a forgotten line a million units away."""
    model.sync(
        *(element(f"e{n}", extent=box(n % 10, n // 10)) for n in range(100)),
        element("stray", extent=box(1e7, -1e7)),
    )

    assert whole(model).bounds == Bounds(0, 0, 10, 10)


def test_a_changed_stray_is_in_the_picture(model: Model) -> None:
    """A change outside the picture would be overlooked."""
    rest = [element(f"e{n}", extent=box(n % 10, n // 10)) for n in range(100)]
    model.sync(*rest)

    model.sync(*rest, element("stray", extent=box(1e7, 0)))

    bounds = last_change(model).bounds
    assert bounds is not None
    assert bounds.high_x == 1e7 + 1


def picture(*lines: tuple[tuple[float, float], ...], colour: str = INSERTED) -> Plan:
    return Plan((Layer(colour, lines, "some"),), Bounds.of(lines))


SHAPES = {
    "a line": ((0.0, 0.0), (4.0, 3.0)),
    "a point": ((5e6, 4e6),),
    "a level line": ((0.0, 1.0), (9.0, 1.0)),
    "an upright line": ((1.0, 0.0), (1.0, 9.0)),
    "a closed line of no size": ((1.0, 1.0), (1.0, 1.0)),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("draw", [lambda plan: svg(plan, "Any"), png], ids=["svg", "png"])
def test_whatever_the_shape_it_can_be_drawn(draw: Callable[[Plan], object], shape: str) -> None:
    """Lines have no width, points no size, and both are drawings."""
    assert draw(picture(SHAPES[shape]))


def test_an_svg_is_xml_of_paths_in_their_colours() -> None:
    """Titles come from file names, so they are escaped."""
    root = ET.fromstring(svg(picture(LINE), 'a <b> & "c"\x07'))  # noqa: S314 (our own)

    assert root.findtext(f"{SVG}title") == 'a <b> & "c"'
    (path,) = root.iter(f"{SVG}path")
    assert path.get("stroke") == INSERTED
    assert str(path.get("d")).startswith("M")


def test_north_is_up() -> None:
    """A picture's rows count downwards, a plan's coordinates upwards."""
    image = Image.open(io.BytesIO(png(picture(((0.0, 0.0), (4.0, 0.0)), ((0.0, 3.0), (2.0, 3.0))))))

    assert image.width == WIDTH
    assert image.height <= HEIGHT
    row_of_top = next(
        y for y in range(image.height) if image.getpixel((image.width // 4, y)) != (255, 255, 255)
    )
    assert row_of_top < image.height / 8
    assert image.getpixel((image.width - 200, row_of_top)) == (255, 255, 255)


def test_points_that_nobody_would_see_are_left_out() -> None:
    """A curve of a survey may have a hundred thousand points."""
    curve = tuple((n / 1000, (n % 7) / 1e5) for n in range(100_000))

    assert len(svg(picture(curve), "A curve")) < 30_000
