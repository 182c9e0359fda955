"""Changesets bring an iModel forward and back, and fit no other state."""

import hashlib
from pathlib import Path

import ezdxf.filemanagement
import pytest
from imodel_scene import Scene, plan, replayed, reverted, source, tables

from localtwin.imodel.changeset import ConflictError, apply_changeset, changeset_id
from localtwin.imodel.database import create_imodel
from localtwin.imodel.read import content
from localtwin.sample_drive import buildings


@pytest.fixture
def history(tmp_path: Path) -> Scene:
    """An iModel with inserts, updates, deletes, a second source and an unmapped one."""
    scene = Scene(tmp_path)
    drawing, steel = tmp_path / "plan.dxf", tmp_path / "steel.ifc"
    plan(drawing)
    buildings.steel("steel", steel)
    scene.run(source(drawing))
    edited = ezdxf.filemanagement.readfile(drawing)
    space = edited.modelspace()
    space.delete_entity(space[0])
    space[0].dxf.end = (9, 9)
    space.add_point((1, 1))
    edited.saveas(drawing)
    scene.run(source(drawing), source(steel))
    buildings.edit_steel(steel, steel)
    scene.run(source(steel))
    scene.run(source(drawing, action="unmap"))
    assert len(scene.changesets) == 5
    return scene


def test_changesets_replayed_on_an_empty_imodel_give_the_same_content(history: Scene) -> None:
    """The changesets alone must be enough to rebuild the iModel."""
    copy = history.folder / "copy.bim"

    assert replayed(copy, history.changesets) == tables(history.imodel)
    assert list(content(copy)) == list(content(history.imodel))


def test_reverting_all_changesets_gives_the_empty_imodel(history: Scene) -> None:
    """Every change must be undoable, or a bad run could never be rolled back."""
    copy, empty = history.folder / "copy.bim", history.folder / "empty.bim"
    replayed(copy, history.changesets)
    create_imodel(empty)

    assert reverted(copy, history.changesets) == tables(empty)


def test_a_changeset_out_of_order_is_refused_and_changes_nothing(history: Scene) -> None:
    """A copy that missed a changeset must be refused, not become inconsistent."""
    copy = history.folder / "copy.bim"
    before = replayed(copy, history.changesets[:1])

    with pytest.raises(ConflictError):
        apply_changeset(copy, history.changesets[3])

    assert tables(copy) == before


def test_ids_form_a_chain_over_the_bytes(tmp_path: Path) -> None:
    """A client can check a downloaded changeset and its parent by their ids."""
    scene = Scene(tmp_path)
    drawing = tmp_path / "plan.dxf"
    plan(drawing)
    (first,) = scene.run(source(drawing)).changesets
    (second,) = scene.run(source(drawing, name="other.dxf")).changesets

    data = scene.changesets[1].read_bytes()
    expected = hashlib.sha1(first.id.encode() + data, usedforsecurity=False).hexdigest()

    assert (first.parent_id, second.parent_id) == ("", first.id)
    assert second.id == expected == changeset_id(scene.changesets[1], first.id)
    assert second.size_bytes == len(data)


def test_a_small_edit_makes_a_small_changeset(tmp_path: Path) -> None:
    """Incremental means that cost follows the edit, not the model."""
    scene = Scene(tmp_path)
    steel = tmp_path / "steel.ifc"
    buildings.steel("steel", steel)
    (first,) = scene.run(source(steel)).changesets
    buildings.edit_steel(steel, steel)
    (second,) = scene.run(source(steel)).changesets

    assert second.size_bytes * 5 < first.size_bytes
