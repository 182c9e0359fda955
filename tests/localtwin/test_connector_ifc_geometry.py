"""Shapes of an IFC model: where they are, what they look like from above, and what can go wrong."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import ifcopenshell
import psutil
import pytest
from imodel_scene import Scene, renumbered, source

from localtwin.connectors.ifc import IfcConnector
from localtwin.connectors.ifc_content import Content
from localtwin.connectors.ifc_model import IfcModel
from localtwin.connectors.ifc_schema import schema_of
from localtwin.connectors.ifc_shape_models import Shape, ShapeModels
from localtwin.connectors.ifc_shape_process import (
    BUILDER,
    CRASHED,
    NOT_BUILT,
    TOO_LONG,
    ShapeProcesses,
)
from localtwin.connectors.ifc_shape_results import NOT_REACHED
from localtwin.connectors.ifc_step import read_step
from localtwin.connectors.source import Drawn, Extent, HeldShapes, SourceElement
from localtwin.imodel.database import opened
from localtwin.imodel.pictures import svg
from localtwin.imodel.plan import plan_of_imodel
from localtwin.sample_drive import buildings

HOUSE = Path(__file__).parent / "models" / "house.ifc"
CURVE_M = 0.001  # how near lines are to the curves that they stand for
HOSTILE = "hostile_shapes"
Instance: TypeAlias = Any  # of ifcopenshell, which has no static types


class Shapes(HeldShapes):
    """What an iModel holds: every shape, or none."""

    def __init__(self, *, has_extent: bool | None = None) -> None:
        self._has_extent = has_extent

    def has_extent(
        self, identifier: str, shape: str, placement: tuple[float, ...] | None
    ) -> bool | None:
        assert identifier
        assert shape
        return self._has_extent


@pytest.fixture
def steel(tmp_path: Path) -> Path:
    file = tmp_path / "steel.ifc"
    buildings.steel("steel", file)
    return file


def read(file: Path, held: HeldShapes | None) -> tuple[dict[str, SourceElement], list[str]]:
    """Return the elements by label, and the remarks."""
    connector = IfcConnector()
    if held is not None:
        connector.build_shapes(held)
    found = [each for each in connector.read(file) if isinstance(each, SourceElement)]
    return {each.label: each for each in found}, [*connector.remarks()]


def edit(file: Path, change: Callable[[Instance], object]) -> None:
    model = ifcopenshell.open(file)
    change(model)
    model.write(file)


def named(model: Instance, label: str) -> Instance:
    return next(each for each in model.by_type("IfcProduct") if each.Name == label)


def drawn_rows(scene: Scene) -> list[tuple[object, ...]]:
    return scene.rows(
        "SELECT Identifier, MinX, MinY, MinZ, MaxX, MaxY, MaxZ, Outline"
        " FROM bis_ExternalSourceAspect AS Aspect JOIN bis_Element ON Id = Aspect.ElementId"
        " JOIN bis_GeometricElement AS Shape ON Shape.ElementId = Id"
        " WHERE Outline NOT NULL ORDER BY 1"
    )


def test_a_product_has_the_box_and_the_plan_of_its_shape(steel: Path) -> None:
    """Shape, placement and storey together say where it is, in the units of the file."""
    elements, remarks = read(steel, Shapes())

    beam = elements["Beam B-02"]
    assert beam.extent == Extent((-4.0, 2.85, 6.5), (4.0, 3.15, 7.1))
    (line,) = beam.outline
    assert sorted(set(line)) == [(-4.0, 2.85), (-4.0, 3.15), (4.0, 2.85), (4.0, 3.15)]
    shaped = [each for each in elements.values() if each.shape and "Type" not in each.class_name]
    built = [each for each in shaped if each.drawn is Drawn.BUILT and each.extent and each.outline]
    assert len(built) == 30
    assert remarks == []


def test_a_turned_product_is_turned_in_plan(steel: Path) -> None:
    def turn(model: Instance) -> None:
        axes = named(model, "Beam B-01").ObjectPlacement.RelativePlacement
        axes.Axis = model.create_entity("IfcDirection", (0.0, 0.0, 1.0))
        axes.RefDirection = model.create_entity("IfcDirection", (0.0, 1.0, 0.0))

    edit(steel, turn)

    extent = read(steel, Shapes())[0]["Beam B-01"].extent
    assert extent == Extent((-0.15, -4.0, 6.5), (0.15, 4.0, 7.1))


def test_mapped_shapes_in_other_units_are_where_the_file_says() -> None:
    """The house is in millimetres, shares shapes and has openings, spaces and a reference grid."""
    elements, remarks = read(HOUSE, Shapes())

    boxes = [each.extent for each in elements.values() if each.extent]
    assert remarks == []
    assert len(boxes) > 5
    assert max(each.high[0] for each in boxes) > 100  # metres would be less


def test_reading_without_an_imodel_builds_nothing(steel: Path) -> None:
    """A comparison of a file with an iModel needs only what decides whether shapes differ."""
    bare, drawn = read(steel, None)[0], read(steel, Shapes())[0]

    assert {each.drawn for each in bare.values()} <= {Drawn.UNKNOWN, Drawn.STATED}
    assert {key: each.checksum() for key, each in bare.items()} == {
        key: each.checksum() for key, each in drawn.items()
    }


def test_a_shape_that_the_imodel_holds_is_not_built_again(steel: Path) -> None:
    elements, _ = read(steel, Shapes(has_extent=True))

    beam = elements["Beam B-02"]
    assert (beam.drawn, beam.extent, beam.outline) == (Drawn.HELD, None, ())


def test_the_same_model_has_the_same_shapes_in_another_file(tmp_path: Path, steel: Path) -> None:
    """Neither the numbers of lines nor their order may move a shape."""
    other = tmp_path / "other.ifc"
    renumbered(steel, other)

    assert read(steel, Shapes())[0] == read(other, Shapes())[0]


def test_a_shape_that_cannot_be_built_is_reported_and_all_else_kept(steel: Path) -> None:
    """A column of no height is wrong, its name and material are not."""

    def flatten(model: Instance) -> None:
        (body,) = named(model, "Column C-03").Representation.Representations
        body.Items[0].Depth = 0.0

    edit(steel, flatten)

    elements, remarks = read(steel, Shapes())

    column = elements["Column C-03"]
    assert (column.drawn, column.extent) == (Drawn.BUILT, None)
    assert column.properties is not None
    assert "PropertySets" in column.properties
    assert remarks == [f"1 shape {NOT_BUILT} (Column C-03); all else of them is kept."]


def test_what_was_not_built_before_is_reported_again(steel: Path) -> None:
    """It is still missing from the drawing; that nothing changed does not make it good."""
    _, (remark,) = read(steel, Shapes(has_extent=False))

    assert remark.startswith("30 shapes could not be built by an earlier run")


def test_an_imodel_keeps_extents_and_outlines_through_edits(tmp_path: Path, steel: Path) -> None:
    """A new name moves nothing, a new place moves one element."""
    scene = Scene(tmp_path)
    scene.run(source(steel))
    before = drawn_rows(scene)
    edit(steel, lambda model: setattr(named(model, "Beam B-01"), "Name", "Beam B-01 rev A"))

    renamed = scene.run(source(steel))
    same = drawn_rows(scene)

    def move(model: Instance) -> None:
        placement = named(model, "Beam B-02").ObjectPlacement
        at = model.create_entity("IfcCartesianPoint", (1.0, 3.0, 0.0))
        placement.RelativePlacement.Location = at

    edit(steel, move)
    moved = scene.run(source(steel))

    assert len(before) == 30
    assert (renamed.sources[0].updated, same) == (1, before)
    assert moved.sources[0].updated == 1
    changed = [(old, new) for old, new in zip(before, drawn_rows(scene), strict=True) if old != new]
    assert [(old[1], new[1]) for old, new in changed] == [(-4.0, -3.0)]


def test_a_model_saved_by_another_writer_makes_no_changeset(tmp_path: Path, steel: Path) -> None:
    scene = Scene(tmp_path)
    scene.run(source(steel))
    renumbered(steel, steel)

    report = scene.run(source(steel))

    assert (report.sources[0].result, report.changesets) == ("Success", ())


def test_a_model_can_be_drawn(tmp_path: Path, steel: Path) -> None:
    scene = Scene(tmp_path)
    scene.run(source(steel))

    with opened(scene.imodel) as database:
        plan = plan_of_imodel(database)

    assert plan.bounds is not None
    assert (plan.bounds.low_x, plan.bounds.high_x) == (-4.0, 32.2)
    assert "30 elements" in svg(plan, "steel")


def test_only_flat_and_straight_shapes_go_to_the_quick_kernel(steel: Path) -> None:
    """It approximates curves and leaves out what is cut off: their boxes would be wrong."""

    def bend(model: Instance) -> None:
        profile = model.create_entity("IfcCircleProfileDef", ProfileType="AREA", Radius=0.2)
        (body,) = named(model, "Column C-03").Representation.Representations
        body.Items[0].SweptArea = profile

    edit(steel, bend)
    step = read_step(steel)
    models = ShapeModels(Content(IfcModel(step, schema_of(step.schema))))
    numbers = step.by_keyword["IFCSHAPEREPRESENTATION"]

    plane = [models.is_plane(Shape((number,))) for number in numbers]

    assert (plane.count(True), plane.count(False)) == (29, 1)
    extent = read(steel, Shapes())[0]["Column C-03"].extent
    assert extent is not None
    assert extent.low == pytest.approx((7.8, -0.2, 0.0), abs=CURVE_M)
    assert extent.high == pytest.approx((8.2, 0.2, 6.5), abs=CURVE_M)


@contextmanager
def processes(steel: Path, *names: str, **limits: Any) -> Iterator[ShapeProcesses]:
    """Build shapes of these names with the hostile builder."""
    step = read_step(steel)
    content = Content(IfcModel(step, schema_of(step.schema)))
    (first, *_) = step.by_keyword["IFCSHAPEREPRESENTATION"]
    shapes = [Shape((first,), items=[(name, None)]) for name in names]
    limits = {"module": HOSTILE, **limits}
    found = ShapeProcesses(ShapeModels(content), shapes, decimals=3, **limits)
    try:
        yield found
    finally:
        found.close()


def reason(found: ShapeProcesses, name: str) -> str:
    """Return why a shape was not built, "" if it was."""
    result = found.result(name)
    return result if isinstance(result, str) else ""


def test_a_crash_costs_the_shape_that_caused_it(steel: Path) -> None:
    """The shapes before and after it in the same order are built all the same."""
    with processes(steel, "a", "crash", "b", "none", "c") as found:
        reasons = [reason(found, each) for each in ("a", "crash", "b", "none", "c")]

    assert reasons == ["", CRASHED, "", NOT_BUILT, ""]


def test_a_hang_costs_the_shape_that_caused_it(steel: Path) -> None:
    with processes(steel, "a", "hang", "b", silence_s=3.0) as found:
        reasons = [reason(found, each) for each in ("a", "hang", "b")]

    assert reasons == ["", TOO_LONG, ""]


def test_a_stop_of_the_library_costs_the_shape_that_caused_it(steel: Path) -> None:
    with processes(steel, "a", "problem", "b") as found:
        reasons = [reason(found, each) for each in ("a", "problem", "b")]

    assert reasons == ["", NOT_BUILT, ""]


def test_all_shapes_of_a_file_have_a_limit_together(steel: Path) -> None:
    """What was not reached is tried by the next run; it is not known to be impossible."""
    with processes(steel, "a", "b", total_s=-1.0) as found:
        assert [reason(found, each) for each in ("a", "b")] == [NOT_REACHED, NOT_REACHED]


def test_the_limit_of_a_file_holds_in_the_middle_of_an_order(steel: Path) -> None:
    """A hundred shapes, each of them just quick enough, must not take all day."""
    with processes(steel, "a", "hang", "b", total_s=5.0) as found:
        reasons = [reason(found, each) for each in ("a", "hang", "b")]

    assert reasons == ["", NOT_REACHED, NOT_REACHED]


def test_an_order_that_is_too_long_is_given_in_parts(steel: Path) -> None:
    """A few shapes of millions of triangles must not be in memory together."""
    with processes(steel, *"abcde", characters_max=1000) as found:
        results = [found.result(each) for each in "abcde"]

    boxes = [result[0] for result in results if isinstance(result, tuple)]
    assert len(boxes) == 5
    assert max(box.high[0] for box in boxes) < 5


def test_a_library_that_always_crashes_is_given_up(steel: Path) -> None:
    """Thousands of shapes must not start thousands of processes."""
    names = [f"crash {number}" for number in range(40)]

    with processes(steel, *names) as found:
        reasons = [reason(found, each) for each in names]

    assert reasons[0] == CRASHED
    assert reasons[-1] == NOT_REACHED


@pytest.mark.skipif(os.name != "posix", reason="only there a process can be seen by its id")
def test_no_process_is_left_when_reading_ends_early(steel: Path) -> None:
    """A file whose relationships are broken must not leave builders behind."""
    with processes(steel, "a", "hang") as found:
        assert reason(found, "a") == ""
        (child,) = [
            each for each in psutil.Process().children() if HOSTILE in " ".join(each.cmdline())
        ]

    assert not child.is_running()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere its limit of processor time ends it")
def test_a_builder_ends_with_its_reader() -> None:
    """A killed worker closes no pipe that others hold, and a stuck builder would look at none."""
    start = (
        "import subprocess, sys;"
        "child = subprocess.Popen([sys.executable, '-m', sys.argv[1]], stdin=0);"
        "print(child.pid, flush=True); child.wait()"
    )
    command = [sys.executable, "-c", start, BUILDER]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as reader:
        assert reader.stdin is not None
        assert reader.stdout is not None
        builder = psutil.Process(int(reader.stdout.readline()))
        print('{"step": "", "plane": false}', file=reader.stdin, flush=True)
        assert "problem" in reader.stdout.readline()  # it is up

        reader.kill()

        assert psutil.wait_procs([builder], timeout=20) == ([builder], [])
