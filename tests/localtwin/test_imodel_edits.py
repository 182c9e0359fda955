"""Edits of design files, generated at random, go through connector, job and changesets."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

import ezdxf.filemanagement
import ifcopenshell
import ifcopenshell.api.root
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imodel_scene import Scene, plan, reverted, source, tables

from localtwin.connectors.registry import connector_for
from localtwin.connectors.source import SourceElement
from localtwin.imodel.contents import Element, Relationship, elements, relationships
from localtwin.imodel.database import opened
from localtwin.sample_drive import buildings

Edit = tuple[str, int]  # what to do, and with which of the objects
EDITS = st.lists(
    st.tuples(st.sampled_from(["add", "delete", "rename", "move"]), st.integers(0, 40)), max_size=4
)


@cache
def drawing() -> bytes:
    file = Path(mkdtemp()) / "plan.dxf"
    plan(file)
    return file.read_bytes()


@cache
def steel() -> bytes:
    file = Path(mkdtemp()) / "steel.ifc"
    buildings.steel("steel", file)
    return file.read_bytes()


def edit_drawing(file: Path, edits: Sequence[Edit]) -> None:
    file.write_bytes(drawing())
    opened_drawing = ezdxf.filemanagement.readfile(file)
    space = opened_drawing.modelspace()
    for what, number in edits:
        present = list(space)
        chosen = present[number % len(present)] if present else None
        if what == "add" or chosen is None:
            space.add_line((number, 0), (number, 9), dxfattribs={"layer": "NOTES"})
        elif what == "delete":
            space.delete_entity(chosen)
        elif what == "rename":
            chosen.dxf.layer = f"LAYER {number}"
        else:
            chosen.translate(number + 1, 0, 0)
    opened_drawing.saveas(file)


def edit_steel(file: Path, edits: Sequence[Edit]) -> None:
    file.write_bytes(steel())
    model: Any = ifcopenshell.open(file)
    for what, number in edits:
        beams = model.by_type("IfcBeam")
        beam = beams[number % len(beams)]
        if what == "add":
            ifcopenshell.api.root.create_entity(model, ifc_class="IfcBeam", name=f"New {number}")
        elif what == "delete" and len(beams) > 1:
            ifcopenshell.api.root.remove_product(model, product=beam)
        elif what == "rename":
            beam.Name = f"Renamed {number}"
        else:
            beam.Tag = f"Tag {number}"
    model.write(file)


FAMILIES: dict[str, Callable[[Path, Sequence[Edit]], None]] = {
    "plan.dxf": edit_drawing,
    "steel.ifc": edit_steel,
}


def contents(scene: Scene) -> tuple[list[Element], list[Relationship]]:
    """Return what the iModel holds in the words of its sources, without its own ids."""
    with opened(scene.imodel) as database:
        held = [replace(each, id=0) for each in elements(database)]
        return sorted(held, key=lambda each: each.identifier), list(relationships(database))


def read(file: Path) -> dict[str, str]:
    order = source(file)
    items = connector_for(order.connector_type, order.name).read(file)
    return {each.identifier: each.checksum() for each in items if isinstance(each, SourceElement)}


@pytest.mark.parametrize("name", FAMILIES)
@settings(max_examples=8, deadline=None, derandomize=True)
@given(first=EDITS, second=EDITS)
def test_generated_edits_of_a_file_are_followed_counted_and_undone(
    name: str, first: list[Edit], second: list[Edit]
) -> None:
    """A, then B leaves what B alone leaves; the counts are exact; taking B back gives A again."""
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        scene, fresh, file = Scene(Path(one)), Scene(Path(other)), Path(one) / name
        FAMILIES[name](file, first)
        before = read(file)
        scene.run(source(file))
        rows_before, contents_before = tables(scene.imodel), contents(scene)
        FAMILIES[name](file, second)
        after = read(file)

        report = scene.run(source(file))

        fresh.run(source(file))
        assert contents(scene) == contents(fresh)
        both = before.keys() & after.keys()
        counted = report.sources[0]
        assert (counted.inserted, counted.updated, counted.deleted) == (
            len(after.keys() - both),
            sum(before[key] != after[key] for key in both),
            len(before.keys() - both),
        )
        assert bool(report.changesets) == (contents_before != contents(scene))
        if report.changesets:
            assert reverted(scene.imodel, scene.changesets[-1:]) == rows_before
