"""The DXF connector says what a drawing says, and mends what can be mended."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import ezdxf.filemanagement
import pytest
from ezdxf.document import Drawing
from ezdxf.render.forms import cube
from imodel_scene import plan

from localtwin.connectors.dxf import DxfConnector
from localtwin.connectors.source import ConnectorError, Extent, Partition, SourceElement
from localtwin.sample_drive import drawings

Elements: TypeAlias = dict[str, SourceElement]
Edit: TypeAlias = Callable[[Drawing], object]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "plan.dxf"


def read(file: Path) -> Elements:
    items = DxfConnector().read(file)
    return {each.identifier: each for each in items if isinstance(each, SourceElement)}


def drawn(file: Path, draw: Edit, release: str = "R2013") -> Elements:
    """Return what the connector reads of a new drawing after `draw`."""
    drawing = ezdxf.filemanagement.new(release)
    draw(drawing)
    drawing.saveas(file)
    return read(file)


def edited(file: Path, edit: Edit) -> Elements:
    drawing = ezdxf.filemanagement.readfile(file)
    edit(drawing)
    drawing.saveas(file)
    return read(file)


def changed(before: Elements, after: Elements) -> list[str]:
    """Return the classes of the elements that read differently or are gone."""
    told = {key: element.checksum() for key, element in after.items()}
    return [each.class_name for key, each in before.items() if told.get(key) != each.checksum()]


def of_class(elements: Elements, class_name: str) -> SourceElement:
    return next(each for each in elements.values() if each.class_name == class_name)


def first(drawing: Drawing, kind: str) -> Any:
    return next(each for each in drawing.modelspace() if each.dxftype() == kind)


def test_an_entity_is_known_by_its_handle_and_its_layer(file: Path) -> None:
    """The handle is what a person finds in AutoCAD; the layer is how drawings are ordered."""
    drawing = plan(file)
    elements = read(file)

    line = elements[str(first(drawing, "LINE").dxf.handle)]

    assert line.class_name == "DWG:LINE"
    assert line.partition is Partition.PHYSICAL
    assert line.properties == {"layer": "WALLS", "start": [0.0, 0.0, 0.0], "end": [4.0, 0.0, 0.0]}
    assert elements[line.category or ""].label == "WALLS"


def test_layers_differ_in_case_only_by_how_they_are_written(file: Path) -> None:
    """AutoCAD ignores case; an entity must not lose its category over it."""

    def draw(drawing: Drawing) -> None:
        drawing.layers.add("Walls")
        drawing.modelspace().add_line((0, 0), (1, 0), dxfattribs={"layer": "WALLS"})

    elements = drawn(file, draw)

    assert elements[of_class(elements, "DWG:LINE").category or ""].label == "Walls"


def test_saving_again_changes_nothing(file: Path) -> None:
    """Programs rewrite the whole file, time stamps included, on every save."""
    drawings.site_plan("site", file)
    before, data = read(file), file.read_bytes()

    after = edited(file, lambda drawing: drawing.header.custom_vars.append("Plotted", "today"))

    assert file.read_bytes() != data
    assert changed(before, after) == []
    assert after.keys() == before.keys()


EDITS: dict[str, tuple[Edit, str]] = {
    "move": (lambda d: first(d, "LINE").translate(1, 0, 0), "DWG:LINE"),
    "layer": (lambda d: first(d, "CIRCLE").dxf.set("layer", "NOTES"), "DWG:CIRCLE"),
    "colour": (lambda d: first(d, "CIRCLE").dxf.set("color", 3), "DWG:CIRCLE"),
    "text": (lambda d: first(d, "TEXT").dxf.set("text", "Store"), "DWG:TEXT"),
    "vertex": (lambda d: first(d, "LWPOLYLINE").append((5, 5)), "DWG:LWPOLYLINE"),
    "hatch": (lambda d: first(d, "HATCH").paths.clear(), "DWG:HATCH"),
    "note": (lambda d: setattr(first(d, "MTEXT"), "text", "New"), "DWG:MTEXT"),
    "attribute": (lambda d: first(d, "INSERT").attribs[0].dxf.set("text", "D2"), "DWG:INSERT"),
    "block": (lambda d: d.blocks.get("DOOR").add_line((0, 0), (0.5, 0.5)), "DWG:BLOCK"),
    "layer colour": (
        lambda d: d.layers.get("WALLS").dxf.set("color", 5),
        "BisCore:SpatialCategory",
    ),
    "application data": (
        lambda d: first(d, "LINE").set_xdata("OFFICE", [(1000, "checked")]),
        "DWG:LINE",
    ),
}


@pytest.mark.parametrize("edit", EDITS)
def test_every_kind_of_edit_shows_on_the_element_and_only_there(file: Path, edit: str) -> None:
    """An edit that does not show would leave the iModel stale for ever."""
    change, class_name = EDITS[edit]
    plan(file)

    def furnish(drawing: Drawing) -> None:
        drawing.appids.add("OFFICE")
        door = drawing.blocks.new("DOOR")
        door.add_arc((0, 0), 1, 0, 90)
        door.add_attdef("NUMBER", (0, 0))
        space = drawing.modelspace()
        space.add_blockref("DOOR", (1, 0)).add_auto_attribs({"NUMBER": "D1"})
        space.add_lwpolyline([(0, 0), (1, 1)])
        space.add_hatch().paths.add_polyline_path([(0, 0), (1, 0), (1, 1)])
        space.add_mtext("Old")

    before = edited(file, furnish)

    after = edited(file, change)

    assert changed(before, after) == [class_name]
    assert after.keys() == before.keys()


def test_attributes_of_an_insert_are_its_properties(file: Path) -> None:
    """Door numbers and room names live there; they are what people search for."""

    def draw(drawing: Drawing) -> None:
        drawing.blocks.new("ROOM").add_attdef("NAME", (0, 0))
        drawing.modelspace().add_blockref("ROOM", (0, 0)).add_auto_attribs({"NAME": "Archive"})

    room = of_class(drawn(file, draw), "DWG:INSERT")

    assert room.label == "ROOM"
    assert room.properties is not None
    assert room.properties["attributes"] == {"NAME": "Archive"}


def test_an_attached_drawing_is_named(file: Path) -> None:
    """Whoever misses content has to see which reference it would have come from."""

    def draw(drawing: Drawing) -> None:
        drawing.add_xref_def("../base/survey.dwg", "SURVEY")

    block = of_class(drawn(file, draw), "DWG:BLOCK")

    assert block.properties is not None
    assert block.properties["xref_path"] == "../base/survey.dwg"


def test_an_external_reference_beside_the_drawing_is_read(file: Path) -> None:
    """What it shows is part of the drawing, wherever its author had it and however it is spelt."""

    def draw(drawing: Drawing) -> None:
        drawing.add_xref_def("Q:\\\\base\\survey.DWG", "SURVEY")

    survey = file.with_name("Survey.dwg")
    survey.write_bytes(b"points")
    before = drawn(file, draw)
    same = changed(before, read(file))
    survey.write_bytes(b"other points")

    assert (same, changed(before, read(file))) == ([], ["DWG:BLOCK"])


def test_a_dimension_shows_a_change_of_what_it_is_drawn_by(file: Path) -> None:
    """Dimensions keep their lines and texts in a nameless block."""

    def draw(drawing: Drawing) -> None:
        drawing.modelspace().add_linear_dim(base=(0, 2), p1=(0, 0), p2=(3, 0)).render()

    before = drawn(file, draw)

    def redraw(drawing: Drawing) -> None:
        drawing.blocks.get(first(drawing, "DIMENSION").dxf.geometry).add_line((0, 0), (9, 9))

    assert changed(before, edited(file, redraw)) == ["DWG:DIMENSION"]


def test_what_stands_on_a_sheet_is_kept_apart_from_the_model(file: Path) -> None:
    """A title block is not a thing in the world."""
    elements = drawn(file, lambda drawing: drawing.layout("Layout1").add_text("Title"))

    title = next(each for each in elements.values() if each.label == "Title")

    assert title.partition is Partition.SHEET
    assert title.properties is not None
    assert title.properties["layout"] == "Layout1"


def test_a_georeference_is_taken_along(file: Path) -> None:
    """Without it nobody knows where on earth the drawing lies."""

    def draw(drawing: Drawing) -> None:
        geodata = drawing.modelspace().new_geodata()
        geodata.coordinate_system_definition = "<Dictionary>EPSG 28992</Dictionary>"
        geodata.dxf.design_point = (120_000, 480_000, 0)

    found = of_class(drawn(file, draw), "DWG:GEODATA").properties

    assert found is not None
    assert found["coordinate_system_definition"] == "<Dictionary>EPSG 28992</Dictionary>"
    assert found["design_point"] == [120_000.0, 480_000.0, 0.0]


EXTENTS: dict[str, tuple[Edit, Extent | None]] = {
    "line": (
        lambda d: d.modelspace().add_line((3, 1, 2), (0, 5, 0)),
        Extent((0, 1, 0), (3, 5, 2)),
    ),
    "circle": (lambda d: d.modelspace().add_circle((1, 1), 2), Extent((-1, -1, 0), (3, 3, 0))),
    "polyline": (
        lambda d: d.modelspace().add_lwpolyline([(0, 0), (4, 1), (2, -3)]),
        Extent((0, -3, 0), (4, 1, 0)),
    ),
    "polyline 3d": (
        lambda d: d.modelspace().add_polyline3d([(0, 0, 0), (4, 1, 7)]),
        Extent((0, 0, 0), (4, 1, 7)),
    ),
    "spline": (
        lambda d: d.modelspace().add_open_spline([(0, 0), (1, 2), (2, 2), (3, 0)]),
        Extent((0, 0, 0), (3, 1.5, 0)),
    ),
    "arc": (
        lambda d: d.modelspace().add_arc((0, 0), 2, 350, 100),
        Extent((-0.3472963553, -0.3472963553, 0), (2, 2, 0)),
    ),
    "ellipse": (
        lambda d: d.modelspace().add_ellipse((1, 1), (2, 0), 0.5),
        Extent((-1, 0, 0), (3, 2, 0)),
    ),
    "bulge": (
        lambda d: d.modelspace().add_lwpolyline([(0, 0, 1), (2, 0, 0)], format="xyb"),
        Extent((0, -1, 0), (2, 0, 0)),
    ),
    "hatch": (
        lambda d: d.modelspace().add_hatch().paths.add_polyline_path([(0, 0), (3, 0), (3, 1)]),
        Extent((0, 0, 0), (3, 1, 0)),
    ),
    "face": (
        lambda d: d.modelspace().add_3dface([(0, 0, 1), (1, 0, 2), (1, 1, 3)]),
        Extent((0, 0, 1), (1, 1, 3)),
    ),
    "mesh": (
        lambda d: _mesh(d.modelspace().add_mesh()),
        Extent((0, 0, 0), (1, 1, 5)),
    ),
    "leader": (
        lambda d: d.modelspace().add_leader([(0, 0), (4, 4), (6, 4)]),
        Extent((0, 0, 0), (6, 4, 0)),
    ),
    "mline": (
        lambda d: d.modelspace().add_mline([(0, 0), (4, 0), (4, 3)]),
        Extent((0, 0, 0), (4, 3, 0)),
    ),
    "image": (
        lambda d: d.modelspace().add_image(
            d.add_image_def("a.png", (10, 20)), (1, 1), (5, 10), rotation=90
        ),
        Extent((-9, 1, 0), (1, 6, 0)),
    ),
    "insert": (
        lambda d: _wall_block(d).add_blockref("WALL", (10, 0), {"rotation": 90, "xscale": 2}),
        Extent((9, 0, 0), (10, 8, 0)),
    ),
    "insert of an insert": (
        lambda d: _nested_blocks(d).add_blockref("ROOM", (100, 0)),
        Extent((110, 5, 0), (114, 6, 0)),
    ),
    "array": (
        lambda d: _wall_block(d).add_blockref(
            "WALL", (0, 0), {"column_count": 3, "column_spacing": 10}
        ),
        Extent((0, 0, 0), (24, 1, 0)),
    ),
    "mirrored": (
        lambda d: _wall_block(d).add_blockref("WALL", (0, 0), {"extrusion": (0, 0, -1)}),
        Extent((-4, 0, 0), (0, 1, 0)),
    ),
    "text": (
        lambda d: d.modelspace().add_text("ABCDE", height=1, dxfattribs={"insert": (1, 1)}),
        Extent((1, 1, 0), (5, 2, 0)),
    ),
    "note": (
        lambda d: d.modelspace().add_mtext("AB\\PCDE", {"char_height": 1, "insert": (1, 1)}),
        Extent((1, -1.66, 0), (3.4, 1, 0)),
    ),
    "solid": (
        lambda d: d.modelspace().add_solid([(0, 0), (2, 0), (0, 3)]),
        Extent((0, 0, 0), (2, 3, 0)),
    ),
    "polyface": (
        lambda d: cube().render_polyface(d.modelspace()),
        Extent((-0.5, -0.5, -0.5), (0.5, 0.5, 0.5)),
    ),
}


def _mesh(mesh: Any) -> None:
    with mesh.edit_data() as data:
        data.vertices = [(0, 0, 0), (1, 0, 0), (1, 1, 5)]
        data.faces = [(0, 1, 2)]


def _wall_block(drawing: Drawing) -> Any:
    """Define a block of 4 by 1 and return the model space."""
    drawing.blocks.new("WALL").add_lwpolyline([(0, 0), (4, 0), (4, 1), (0, 1)], close=True)
    return drawing.modelspace()


def _nested_blocks(drawing: Drawing) -> Any:
    space = _wall_block(drawing)
    drawing.blocks.new("ROOM", base_point=(0, 5)).add_blockref("WALL", (10, 10))
    return space


@pytest.mark.parametrize("kind", EXTENTS)
def test_the_extent_follows_from_the_entitys_own_numbers(file: Path, kind: str) -> None:
    """Extents are how a viewer finds what to load."""
    draw, expected = EXTENTS[kind]
    elements = drawn(file, draw)

    (entity,) = (each for each in elements.values() if each.partition is Partition.PHYSICAL)

    assert entity.extent == expected


@pytest.mark.parametrize("release", ["R12", "R2000", "R2007", "R2018"])
def test_every_release_is_read_alike(file: Path, release: str) -> None:
    """Offices hold drawings of thirty years."""

    def draw(drawing: Drawing) -> None:
        drawing.layers.add("WALLS")
        drawing.modelspace().add_line((0, 0), (1, 0), dxfattribs={"layer": "WALLS"})

    elements = drawn(file, draw, release)

    assert elements[of_class(elements, "DWG:LINE").category or ""].label == "WALLS"


def test_an_r12_layer_stays_itself_when_an_entity_is_added(file: Path) -> None:
    """R12 gives layers no handle; one made up on loading would move with the content."""
    before = drawn(file, lambda drawing: drawing.layers.add("WALLS"), "R12")

    after = edited(
        file,
        lambda drawing: drawing.modelspace().add_line((0, 0), (1, 0), {"layer": "WALLS"}),
    )

    assert changed(before, after) == []
    assert len(after) == len(before) + 1


def test_a_binary_drawing_says_what_the_text_one_says(file: Path) -> None:
    """Both are DXF; only size differs."""
    drawing = plan(file)
    binary = file.with_name("binary.dxf")
    drawing.saveas(binary, fmt="bin")

    assert changed(read(file), read(binary)) == []


def test_any_number_of_comments_may_come_first(file: Path) -> None:
    """Programs write what made the drawing there; 64 KiB of it were "not a DXF drawing"."""
    before = drawn(file, lambda drawing: drawing.modelspace().add_line((0, 0), (5, 5)))
    text = file.read_bytes()

    file.write_bytes(b"999\r\nwritten by a program\r\n" * 4_000 + text)

    assert read(file) == before


def test_a_drawing_with_a_flaw_is_mended(file: Path) -> None:
    """Files of careless exporters are common, and their content is still wanted."""
    lines = ["0", "SECTION", "2", "ENTITIES", "0", "LINE", "8", "WALLS", "10", "0.0", "20", "0,0"]
    lines += ["20", "1.0", "30", "0.0", "11", "4.0", "21", "0.0", "31", "0.0", "0", "ENDSEC"]
    lines += ["0", "EOF"]
    file.write_text("\n".join(lines) + "\n")

    line = of_class(read(file), "DWG:LINE")

    assert line.properties is not None
    assert line.properties["end"] == [4.0, 0.0, 0.0]


TROUBLES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda data: data[:0], "FileEmpty"),
    "cut off": (lambda data: data[: len(data) // 2], "FileIncomplete"),
    "end mark missing": (lambda data: data.replace(b"EOF", b""), "FileIncomplete"),
    "noise": (lambda data: bytes(range(128, 256)) * 9 + b"\n0\nEOF\n" + data[:0], "FileUnreadable"),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_file_that_cannot_be_trusted_is_refused(file: Path, trouble: str) -> None:
    """Half a drawing read as a whole one would delete the other half from the iModel."""
    damage, code = TROUBLES[trouble]
    plan(file)
    file.write_bytes(damage(file.read_bytes()))

    with pytest.raises(ConnectorError) as caught:
        list(DxfConnector().read(file))

    assert caught.value.code == code
