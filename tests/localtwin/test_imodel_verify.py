"""A file and the iModel are compared element by element, without trusting any run's report."""

from pathlib import Path

import ezdxf.filemanagement
import pytest
from imodel_scene import Scene, plan, source, tables

from localtwin.connectors import registry
from localtwin.connectors.source import ConnectorError
from localtwin.imodel.verify import Difference, differences
from localtwin.sample_drive import buildings


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    scene = Scene(tmp_path)
    plan(tmp_path / "plan.dxf")
    buildings.steel("steel", tmp_path / "steel.ifc")
    scene.run(source(tmp_path / "plan.dxf"), source(tmp_path / "steel.ifc"))
    return scene


@pytest.mark.parametrize("name", ["plan.dxf", "steel.ifc"])
def test_after_a_run_file_and_imodel_agree(scene: Scene, name: str) -> None:
    """This is the proof that the whole product promises."""
    assert list(differences(scene.imodel, source(scene.folder / name))) == []


def test_each_kind_of_difference_is_named(scene: Scene) -> None:
    """A manager has to see which element is not what the drawing says."""
    file = scene.folder / "plan.dxf"
    drawing = ezdxf.filemanagement.readfile(file)
    space = drawing.modelspace()
    gone, edited = space[0], space[1]
    edited.dxf.layer = "NOTES"
    added = space.add_point((7, 7))
    space.delete_entity(gone)
    handles = [str(each.dxf.handle) for each in (edited, added)]
    removed = {str(each.dxf.handle) for each in ezdxf.filemanagement.readfile(file).modelspace()}
    drawing.saveas(file)
    (surplus,) = removed - {str(each.dxf.handle) for each in space}
    before = tables(scene.imodel)

    found = list(differences(scene.imodel, source(file)))

    assert found == [
        Difference("id of plan.dxf", handles[0], "stale"),
        Difference("id of plan.dxf", handles[1], "missing"),
        Difference("id of plan.dxf", surplus, "surplus"),
    ]
    assert tables(scene.imodel) == before


def test_a_source_that_was_never_synchronized_is_missing_altogether(scene: Scene) -> None:
    """A file that was never synchronized must not pass as proven."""
    other = scene.folder / "other.dxf"
    plan(other)

    found = list(differences(scene.imodel, source(other)))

    assert {each.kind for each in found} == {"missing"}


def test_a_file_that_cannot_be_read_is_no_proof(scene: Scene) -> None:
    """Silence would be taken for agreement."""
    file = scene.folder / "plan.dxf"
    file.write_bytes(file.read_bytes()[:500])

    with pytest.raises(ConnectorError):
        list(differences(scene.imodel, source(file)))


@pytest.fixture
def related(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with two elements and a relationship, in the iModel."""
    monkeypatch.setitem(registry.EXTENSIONS, "PAIRS", {"pairs"})
    monkeypatch.setitem(registry.READERS, "pairs", "imodel_sources:PairsConnector")
    file = scene.folder / "table.pairs"
    file.write_text("a b 1")
    scene.run(source(file, as_type="PAIRS"))
    return file


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a b 1", []),
        ("b a 1", [("Test:Holds: b -> a", "missing"), ("Test:Holds: a -> b", "surplus")]),
        ("a b 2", [("Test:Holds: a -> b", "stale")]),
        ("a b 1\na unknown 1", []),
    ],
)
def test_relationships_are_compared_as_well(
    scene: Scene, related: Path, content: str, expected: list[tuple[str, str]]
) -> None:
    """A beam that is no longer connected is a difference, too."""
    related.write_text(content)

    found = differences(scene.imodel, source(related, as_type="PAIRS"))

    assert [(each.identifier, each.kind) for each in found] == expected


def test_repeated_identifiers_are_compared_as_they_were_stored(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both name them by the same rule, or a correct iModel would look wrong."""
    monkeypatch.setitem(registry.EXTENSIONS, "LINES", {"lines"})
    monkeypatch.setitem(registry.READERS, "lines", "imodel_sources:LinesConnector")
    file = scene.folder / "table.lines"
    file.write_text("a a~2 a a a~2")
    order = source(file, as_type="LINES")
    scene.run(order)

    assert list(differences(scene.imodel, order)) == []
