"""`twinsyncd imodel`: what a person types, and what is printed and written."""

import csv
import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import ezdxf.filemanagement
import pytest
from imodel_scene import Scene, plan, source
from PIL import Image
from platform_scene import opened as opened_world

from localtwin.imodel.database import create_imodel
from localtwin.imodel.read import last_changeset
from localtwin.world.imodels.listing import listed_imodels
from twinsyncd.cli import main


@dataclass(frozen=True)
class Printed:
    """How a command ended."""

    code: object
    out: str
    err: str


class Desk:
    """A folder with an iModel of two versions, and a command line."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.folder = folder
        self.scene = Scene(folder)
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        monkeypatch.chdir(folder)
        drawing = folder / "plan.dxf"
        plan(drawing)
        self.scene.run(source(drawing))
        edited = ezdxf.filemanagement.readfile(drawing)
        space = edited.modelspace()
        space.query("TEXT").first.dxf.text = "Archive"
        space.delete_entity(space.query("CIRCLE").first)
        space.add_point((7, 7))
        edited.saveas(drawing)
        self.scene.run(source(drawing))

    def types(self, *words: str) -> Printed:
        self._monkeypatch.setattr(sys, "argv", ["twinsyncd", "imodel", *words])
        code: object = 0
        try:
            main()
        except SystemExit as done:
            code = done.code
        out, err = self._capsys.readouterr()
        return Printed(code, out, err)


@pytest.fixture
def desk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Desk:
    return Desk(tmp_path, monkeypatch, capsys)


@pytest.fixture
def data(desk: Desk) -> Path:
    """A data folder of localtwin with the iModel, one that is empty, and two of one name."""
    folder = desk.folder / "data"
    with opened_world(folder) as world:
        itwin = world.credentials.itwin_id
        other = world.itwins.create("Other", properties={}, number=None, user="u").id
        bridge = world.imodels.create(itwin, "Bridge 12", user="u")
        world.imodels.create(itwin, "Empty", user="u")
        for each in (itwin, other):
            world.imodels.create(each, "Twice", user="u")
        file = world.imodels.file(bridge.id)
    file.parent.mkdir(parents=True)
    desk.scene.imodel.rename(file)
    (desk.folder / "changesets").rename(file.parent / "changesets")
    return folder


def test_list_shows_the_imodels_of_the_data_folder(desk: Desk, data: Path) -> None:
    """People know names, not ids."""
    printed = desk.types("list", "--data", str(data))

    lines = [line.split() for line in printed.out.splitlines()]
    assert printed.code == 0
    (bridge,) = (line for line in lines if line[0] == "Bridge")
    assert "2" in bridge
    assert any(line[0] == "Empty" for line in lines)


def test_an_imodel_is_found_by_name_id_or_file(desk: Desk, data: Path) -> None:
    """Whatever a person has at hand."""
    file = next((data / "imodels").rglob("imodel.sqlite"))

    outputs = {
        desk.types("show", named, "--data", str(data)).out
        for named in ("Bridge 12", "bridge 12", file.parent.name, str(file))
    }

    assert len(outputs) == 1
    assert "plan.dxf" in outputs.pop()


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("Unknown", "no iModel called Unknown\n    there are: Bridge 12, "),
        ("Twice", "several iModels are called Twice\n    name one by its id: "),
        ("Empty", "Empty is empty: no run has written to it yet"),
        ("plan.dxf", "is not a local iModel"),
    ],
)
def test_an_imodel_that_cannot_be_used_is_explained(
    desk: Desk, data: Path, named: str, words: str
) -> None:
    """With what to do next."""
    printed = desk.types("show", named, "--data", str(data))

    assert printed.code == 1
    assert words in printed.err


def test_no_data_folder_is_explained(desk: Desk) -> None:
    """It is usually somewhere else."""
    printed = desk.types("list", "--data", str(desk.folder / "nowhere"))

    assert (printed.code, printed.out) == (1, "")
    assert "name localtwin's data folder with --data" in printed.err


def test_show_lists_versions_and_contents(desk: Desk) -> None:
    """The history, then what is inside, by model and class."""
    newest = desk.types("show", "model.bim")
    first = desk.types("show", "model.bim", "--version", "1")

    assert newest.code == first.code == 0
    assert "1        1        plan.dxf" not in newest.out
    assert [line.split()[0] for line in newest.out.splitlines()[:3]] == ["version", "1", "2"]
    assert "DWG:POINT" in newest.out
    assert "DWG:CIRCLE" not in newest.out
    assert "DWG:CIRCLE" in first.out
    assert "EC schema DWG 01.00.0" in newest.out
    assert "0 relationships" in newest.out


def test_diff_says_which_element_and_which_property(desk: Desk) -> None:
    """The newest change by default, any other by its number."""
    printed = desk.types("diff", "model.bim")

    lines = printed.out.splitlines()
    assert printed.code == 0
    assert "elements: 1 inserted, 1 updated, 1 deleted" in lines
    (updated,) = (number for number, line in enumerate(lines) if line.startswith("~"))
    assert '"Archive"' in lines[updated]
    assert "    label: Office -> Archive" in lines
    assert any(line.startswith("+ DWG:POINT") for line in lines)
    assert any(line.startswith("- DWG:CIRCLE") for line in lines)


def test_diff_is_limited_and_says_so(desk: Desk) -> None:
    """A first run has too much for a screen."""
    printed = desk.types("diff", "model.bim", "1", "--limit", "2")

    assert sum(line.startswith("+") for line in printed.out.splitlines()) == 2
    assert "more; --limit shows more" in printed.out


def test_diff_can_be_read_by_programs(desk: Desk) -> None:
    """Reviews are automated, too."""
    found = json.loads(desk.types("diff", "model.bim", "--json").out)

    assert found["counts"] == {"inserted": 1, "updated": 1, "deleted": 1}
    (updated,) = (each for each in found["elements"] if each["kind"] == "updated")
    assert {"name": "label", "old": "Office", "new": "Archive"} in updated["properties"]


def test_checkout_writes_any_version_to_a_new_file(desk: Desk) -> None:
    """And leaves the iModel as it is."""
    printed = desk.types("checkout", "model.bim", "1", "old.bim")
    again = desk.types("checkout", "model.bim", "1", "old.bim")

    assert (printed.code, printed.out) == (0, "version 1 is in old.bim\n")
    assert last_changeset(desk.folder / "old.bim") == desk.scene.changesets[0].name
    assert again.code == 1
    assert "old.bim exists already" in again.err


def test_export_writes_geojson_csv_and_the_schema(desk: Desk) -> None:
    """The ending of the file's name says which."""
    for name in ("a.geojson", "a.csv", "a.xml"):
        assert desk.types("export", "model.bim", name, "--version", "1").code == 0

    features = json.loads((desk.folder / "a.geojson").read_text("utf-8"))["features"]
    rows = list(csv.DictReader(io.StringIO((desk.folder / "a.csv").read_text("utf-8-sig"))))
    assert len(features) == len(rows) > 4
    assert (desk.folder / "a.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert b'schemaName="DWG"' in (desk.folder / "a.xml").read_bytes()


def test_export_of_one_class(desk: Desk) -> None:
    """A list of the texts, for a start."""
    printed = desk.types("export", "model.bim", "a.csv", "--class", "DWG:TEXT")

    assert printed.out.startswith("1 elements")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["export", "model.bim", "a.dwg"], "a.dwg ends in none of .geojson, .json, .csv, .xml"),
        (["draw", "model.bim", "a.pdf"], "a.pdf ends in none of .svg, .png"),
        (["export", "model.bim", "mine.csv"], "mine.csv exists already"),
        (["draw", "model.bim", "mine.svg"], "mine.svg exists already"),
        (["export", "model.bim", "a.xml", "--schema", "IFC"], "no EC schema IFC"),
        (["draw", "model.bim", "a.svg", "--changeset", "9"], "There is no version 9"),
        (["draw", "model.bim", "a.svg", "--changeset", "1", "--version", "1"], "--changeset goes"),
        (["draw", "model.bim", "a.svg", "--source", "x.ifc"], "no source file x.ifc is in this"),
        (["export", "model.bim", "a.csv", "--source", "x.ifc"], "no source file x.ifc is in this"),
        (["diff", "model.bim", "3"], "There is no version 3; the iModel has 1 to 2."),
        (["diff", "new.bim"], "The iModel is empty"),
        (["checkout", "model.bim", "1", "nowhere/old.bim"], "nowhere"),
    ],
)
def test_what_cannot_be_done_is_explained_and_writes_nothing(
    desk: Desk, words: list[str], message: str
) -> None:
    """A traceback explains nothing to a CAD manager."""
    create_imodel(desk.folder / "new.bim")
    for name in ("mine.csv", "mine.svg"):
        (desk.folder / name).write_text("mine")
    before = sorted(desk.folder.iterdir())

    printed = desk.types(*words)

    assert printed.code == 1
    assert message in printed.err
    assert "Traceback" not in printed.err
    assert sorted(desk.folder.iterdir()) == before
    assert (desk.folder / "mine.csv").read_text() == "mine"


def test_draw_makes_pictures_of_an_imodel_and_of_a_changeset(desk: Desk) -> None:
    """As SVG for the browser and as PNG for a message."""
    assert desk.types("draw", "model.bim", "all.svg").code == 0
    assert desk.types("draw", "model.bim", "one.svg", "--source", "cad/plan.dxf").code == 0
    assert desk.types("draw", "model.bim", "change.png", "--changeset", "2").code == 0
    assert desk.types("draw", "model.bim", "change.png", "--changeset", "1", "--force").code == 0

    assert "<path" in (desk.folder / "all.svg").read_text("utf-8")
    with Image.open(desk.folder / "change.png") as image:
        assert image.format == "PNG"


@pytest.mark.parametrize(
    ("named", "nameless"),
    [
        (["show", "Bridge 12"], ["show"]),
        (["diff", "Bridge 12"], ["diff"]),
        (["diff", "Bridge 12", "1"], ["diff", "1"]),
        (["export", "Bridge 12", "a.csv"], ["export", "a.csv", "--force"]),
        (["checkout", "Bridge 12", "1", "a.bim"], ["checkout", "1", "b.bim"]),
    ],
)
def test_the_only_imodel_needs_no_name(
    desk: Desk, data: Path, named: list[str], nameless: list[str]
) -> None:
    """Who tries localtwin has one with anything in it, and its name is long."""
    place = ["--data", str(data)]

    expected, found = desk.types(*named, *place), desk.types(*nameless, *place)

    assert (expected.code, found.code) == (0, 0)
    assert found.out.replace("b.bim", "a.bim") == expected.out


def test_of_several_imodels_one_must_be_named(desk: Desk, data: Path) -> None:
    """A command that takes any of them shows the wrong one."""
    bridge = next((data / "imodels").rglob("imodel.sqlite"))
    (other,) = (each for each in listed_imodels(data) if each.name == "Empty")
    other.file.parent.mkdir(parents=True)
    other.file.write_bytes(bridge.read_bytes())

    several = desk.types("draw", "a.svg", "--data", str(data))
    odd = desk.types("diff", "Bridge", "12b", "--data", str(data))
    torn = desk.types("draw", "Bridge", "12", "a.svg", "--data", str(data))

    assert [each.code for each in (several, odd, torn)] == [1, 1, 1]
    assert several.err == "twinsyncd: which iModel?\n    name one of: Bridge 12, Empty\n"
    assert "12b is no version" in odd.err
    assert "put a name in quotes" in torn.err


def test_sites_that_a_drawing_shows_as_specks_are_named(desk: Desk) -> None:
    """Two plans in different systems of coordinates made a white picture with two dots."""
    far = desk.folder / "far.dxf"
    moved = plan(far)
    for each in moved.modelspace():
        each.translate(1e6, 2e6, 0)
    moved.saveas(far)
    desk.scene.run(source(far))

    both = desk.types("draw", "model.bim", "both.svg")
    one = desk.types("draw", "model.bim", "one.svg", "--source", "far.dxf")

    assert "draw one with --source: far.dxf, plan.dxf" in both.out
    assert "--source" not in one.out
