"""Every version of an iModel can be checked out exactly."""

from pathlib import Path

import ezdxf.filemanagement
import pytest
from imodel_scene import Row, Scene, plan, source, tables

from localtwin.imodel.history import (
    HistoryError,
    at_version,
    changeset_file,
    checkout,
    version,
    versions,
)
from localtwin.imodel.read import last_changeset

EDITS = 5


@pytest.fixture
def history(tmp_path: Path) -> tuple[Scene, list[dict[str, list[Row]]]]:
    """An iModel with several versions, and the tables as of each."""
    scene, states = Scene(tmp_path), []
    drawing = tmp_path / "plan.dxf"
    plan(drawing)
    for turn in range(EDITS):
        edited = ezdxf.filemanagement.readfile(drawing)
        space = edited.modelspace()
        space.add_point((turn, 1))
        space.delete_entity(space[0])
        edited.saveas(drawing)
        scene.run(source(drawing))
        states.append(tables(scene.imodel))
    return scene, states


@pytest.mark.parametrize("number", range(1, EDITS + 1))
def test_a_checked_out_version_is_the_iModel_as_it_was(  # noqa: N802 (its name)
    history: tuple[Scene, list[dict[str, list[Row]]]], number: int
) -> None:
    """Whether it is reached forward from the start or back from the end."""
    scene, states = history
    target = scene.folder / "copy.imodel"

    found = checkout(scene.imodel, number, target)

    assert tables(target) == states[number - 1]
    assert found.number == number
    assert last_changeset(target) == found.report.id
    assert [each.number for each in versions(target)] == list(range(1, number + 1))


def test_a_version_says_what_led_to_it(history: tuple[Scene, list[dict[str, list[Row]]]]) -> None:
    """A person picks a version by file, time and counts."""
    scene, _ = history

    last = version(scene.imodel, None)

    assert (last.number, last.source) == (EDITS, "plan.dxf")
    assert (last.report.inserted, last.report.updated, last.report.deleted) == (1, 0, 1)
    assert last.written.endswith("+00:00")
    assert changeset_file(scene.imodel, last) == scene.changesets[-1]


def test_a_checkout_never_overwrites(history: tuple[Scene, list[dict[str, list[Row]]]]) -> None:
    """The target may be somebody's only copy."""
    scene, _ = history
    target = scene.folder / "copy.imodel"
    target.write_text("mine")

    with pytest.raises(FileExistsError):
        checkout(scene.imodel, 1, target)

    assert target.read_text() == "mine"
    assert not list(scene.folder.glob("*.new*"))


@pytest.mark.parametrize("number", [0, -1, EDITS + 1])
def test_an_unknown_version_is_refused(
    history: tuple[Scene, list[dict[str, list[Row]]]], number: int
) -> None:
    """The message says which there are."""
    scene, _ = history

    with pytest.raises(HistoryError, match=f"1 to {EDITS}"):
        checkout(scene.imodel, number, scene.folder / "copy.imodel")


def test_an_empty_imodel_has_no_version(tmp_path: Path) -> None:
    """Before the first run there is nothing to check out."""
    with pytest.raises(HistoryError, match="empty"):
        version(Scene(tmp_path).imodel, None)


def test_a_missing_changeset_is_named(history: tuple[Scene, list[dict[str, list[Row]]]]) -> None:
    """A checked-out copy has no changesets; the error must say so."""
    scene, _ = history
    scene.changesets[-1].unlink()

    with pytest.raises(HistoryError, match=scene.changesets[-1].name):
        checkout(scene.imodel, EDITS - 1, scene.folder / "copy.imodel")


def test_a_version_can_be_read_without_leaving_a_file(
    history: tuple[Scene, list[dict[str, list[Row]]]],
) -> None:
    """Drawings and differences need an old version only for a moment."""
    scene, states = history
    files = sorted(scene.folder.iterdir())

    with at_version(scene.imodel, 2) as database:
        rows = list(database.execute("SELECT * FROM bis_Element ORDER BY 1, 2"))

    assert rows == states[1]["bis_Element"]
    assert sorted(scene.folder.iterdir()) == files
