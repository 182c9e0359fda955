"""What a DXF drawing means is compared, not how its writer wrote it; odd entities are kept."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import ezdxf.filemanagement
import pytest
from ezdxf.document import Drawing
from ezdxf.math import Vec2
from ezdxf.render import mleader

from localtwin.connectors.dxf import DxfConnector
from localtwin.connectors.remarks import named_counts
from localtwin.connectors.source import (
    ConnectorError,
    Partition,
    SourceElement,
    SourceRelationship,
)

Elements: TypeAlias = dict[str, SourceElement]
Draw: TypeAlias = Callable[[Drawing], object]


class Reading:
    """What the connector yields for a file, and its remarks."""

    def __init__(self, file: Path) -> None:
        connector = DxfConnector()
        items = list(connector.read(file))
        self.remarks = connector.remarks()
        self.relationships = [each for each in items if isinstance(each, SourceRelationship)]
        self.list = [each for each in items if isinstance(each, SourceElement)]
        self.elements = {each.identifier: each for each in self.list}
        self.checksums = {key: each.checksum() for key, each in self.elements.items()}

    def one(self, class_name: str) -> SourceElement:
        """Return the only element of a class."""
        (found,) = (each for each in self.list if each.class_name == class_name)
        return found

    def property(self, class_name: str, name: str) -> object:
        """Return a property of the only element of a class."""
        return (self.one(class_name).properties or {})[name]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "plan.dxf"


def saved(file: Path, draw: Draw, release: str = "R2018", *, fmt: Any = "asc") -> Path:
    drawing = ezdxf.filemanagement.new(release)
    draw(drawing)
    drawing.saveas(file, fmt=fmt)
    return file


def lines(drawing: Drawing) -> None:
    for x in range(20):
        drawing.modelspace().add_line((x, 0), (x, 1))


def rewritten(file: Path, old: str, new: str, count: int = -1) -> Path:
    """Replace text in the file; the text must be there."""
    before = file.read_text("utf-8")
    assert old in before
    file.write_text(before.replace(old, new, count), "utf-8")
    return file


def r12(file: Path, entities: Iterator[str] | list[str]) -> Path:
    """Write a drawing without handles, as small programs do."""
    file.write_text(f"0\nSECTION\n2\nENTITIES\n{''.join(entities)}0\nENDSEC\n0\nEOF\n")
    return file


def r12_line(x: int) -> str:
    return f"0\nLINE\n8\nL{x}\n10\n{x}.0\n20\n0.0\n11\n{x}.0\n21\n5.0\n"


CIVIL = "  0\nAECC_TIN_SURFACE\n  5\nFFF1\n100\nAcDbEntity\n  8\nSURVEY\n"
CIVIL += "100\nAeccDbSurfaceTin\n 90\n1\n  1\nExisting ground\n"


def test_an_entity_of_unknown_type_is_kept_by_its_handle(file: Path) -> None:
    """Civil 3D and Plant 3D write their own; the other 500 entities are still wanted."""
    saved(file, lines)
    rewritten(file, "ENTITIES\n", f"ENTITIES\n{CIVIL}", 1)

    reading = Reading(file)

    surface = reading.elements["FFF1"]
    assert surface.class_name == "DWG:AECC_TIN_SURFACE"
    assert surface.properties == {
        "layer": "SURVEY",
        "text": "Existing ground",
        "raw_tags": ["90 1", "1 Existing ground"],
    }
    assert sum(each.class_name == "DWG:LINE" for each in reading.list) == 20
    assert "1 entity (AECC_TIN_SURFACE) kept as raw tags." in reading.remarks


def test_an_edit_of_an_unknown_entity_shows(file: Path) -> None:
    """What can't be understood can still be compared."""
    saved(file, lines)
    before = Reading(rewritten(file, "ENTITIES\n", f"ENTITIES\n{CIVIL}", 1)).checksums

    after = Reading(rewritten(file, "Existing ground", "Design")).checksums

    assert {key for key in before if before[key] != after.get(key)} == {"FFF1"}
    assert before.keys() == after.keys()


def test_an_entity_with_an_odd_value_is_kept_as_raw_tags(file: Path) -> None:
    """One value of the wrong type must not cost the whole drawing."""
    r12(file, [r12_line(1), r12_line(2).replace("10\n2.0", "10\nnowhere")])

    reading = Reading(file)

    assert len(reading.list) == 2
    odd = next(each for each in reading.list if "raw_tags" in (each.properties or {}))
    assert "10 nowhere" in (odd.properties or {})["raw_tags"]  # type: ignore[operator] # a list
    assert any("odd values" in remark for remark in reading.remarks)


@pytest.mark.parametrize("fmt", ["asc", "bin"])
def test_a_text_that_contains_a_line_feed_refuses_nothing(file: Path, fmt: str) -> None:
    """AutoCAD's binary files hold such; as text, the rest of it takes the place of a code."""
    words = "first\nsecond"

    def draw(drawing: Drawing) -> None:
        lines(drawing)
        drawing.modelspace().new_entity("TOLERANCE", {"content": "UNIQUE CONTENT"})

    saved(file, draw, fmt=fmt)
    file.write_bytes(file.read_bytes().replace(b"UNIQUE CONTENT", words.encode()))

    reading = Reading(file)

    assert sum(each.class_name == "DWG:LINE" for each in reading.list) == 20
    expected = words if fmt == "bin" else "first"
    assert reading.property("DWG:TOLERANCE", "content") == expected


def test_nothing_that_is_not_in_the_file_is_content(file: Path) -> None:
    """A layer made up on loading, under the next free handle, would be new with each save."""
    saved(file, lines)
    text = file.read_text()
    at = text.index("LAYER\n  5\n", text.index("Defpoints") - 200)
    handle = text.index("$HANDSEED")
    before = Reading(file)

    file.write_text(text[:handle] + text[handle:].replace("  5\n", "  5\nF", 1))

    assert at > 0
    assert Reading(file).checksums == before.checksums
    assert "Defpoints" not in {each.label for each in before.list}


def test_a_layer_for_dimension_points_counts_once_something_is_on_it(file: Path) -> None:
    """Programs add Defpoints to every file; what is drawn on it makes it a layer of the drawing."""
    on_it = {"layer": "DEFPOINTS"}
    reading = Reading(saved(file, lambda d: d.modelspace().add_point((0, 0), on_it)))

    point = reading.one("DWG:POINT")

    assert reading.elements[point.category or ""].label == "Defpoints"


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"RAY": 1}, "1 entity (RAY)"),
        ({"RAY": 1200, "LIGHT": 3}, "1,203 entities (1,200 RAY, 3 LIGHT)"),
        (dict.fromkeys("ABCDEFGHIJKLMN", 1), None),
    ],
)
def test_each_type_that_is_not_drawn_is_counted(
    found: dict[str, int], expected: str | None
) -> None:
    """Who misses something in the drawing looks for its type in the report."""
    said = named_counts(Counter(found), "entity", "entities")

    if expected is None:
        assert said.startswith("14 entities (1 A, 1 B, 1 C, ")
        assert said.endswith(", 1 L, and 2 more types)")
    else:
        assert expected == said


def test_attributes_with_the_same_tag_are_all_kept(file: Path) -> None:
    """A block may ask twice for the same tag; the second answer must not replace the first."""

    def draw(drawing: Drawing) -> None:
        drawing.blocks.new("VALVE")
        insert = drawing.modelspace().add_blockref("VALVE", (0, 0))
        insert.add_attrib("SIZE", "DN50")
        insert.add_attrib("SIZE", "DN80")

    found = Reading(saved(file, draw)).property("DWG:INSERT", "attributes")

    assert found == {"SIZE": "DN50", "SIZE~2": "DN80"}


def set_units(units: int) -> Draw:
    def draw(drawing: Drawing) -> None:
        lines(drawing)
        drawing.units = units

    return draw


@pytest.mark.parametrize(
    ("variable", "value", "name"),
    [
        ("$INSUNITS", 1, "insert_units"),
        ("$LTSCALE", 5.0, "linetype_scale"),
        ("$INSBASE", (5, 0, 0), "insert_base"),
        ("$PDSIZE", 3.0, "pdsize"),
    ],
)
def test_what_places_or_scales_the_drawing_is_compared(
    file: Path, variable: str, value: object, name: str
) -> None:
    """With inches for millimetres, the drawing is 25.4 times as large."""
    drawing = ezdxf.filemanagement.new("R2018")
    drawing.units = 4
    lines(drawing)
    drawing.saveas(file)
    before = Reading(file)
    drawing.header[variable] = value
    drawing.saveas(file)

    after = Reading(file)

    changed = {key for key in before.checksums if before.checksums[key] != after.checksums.get(key)}
    assert changed == {"header"}
    assert name in (after.elements["header"].properties or {})


@pytest.mark.parametrize(
    ("written", "replacement"),
    [
        ("AcDbEntity\n  8\n0\n", "AcDbEntity\n  8\n0\n 62\n256\n"),
        ("AcDbEntity\n  8\n0\n", "AcDbEntity\n  8\n0\n  6\nByLayer\n370\n-1\n 48\n1.0\n 60\n0\n"),
        ("AcDbLine\n", "AcDbLine\n 39\n0.0\n210\n0.0\n220\n0.0\n230\n1.0\n"),
        ("AcDbLine\n", "AcDbLine\n999\nwritten by somebody\n"),
        ("\n 10\n3.0\n", "\n 10\n3.0000000000000004\n"),
        ("\n 10\n3.0\n", "\n 10\n2.99999999999999956\n"),
        ("\n 21\n1.0\n", "\n 21\n1\n"),
        ("\n 31\n0.0\n", "\n 31\n-0.0\n"),
        ("\n", "\r\n"),
    ],
)
def test_the_same_meaning_written_otherwise_is_no_change(
    file: Path, written: str, replacement: str
) -> None:
    """Writers differ in defaults and in how they round; neither is an edit."""
    before = Reading(saved(file, lines)).checksums

    text = file.read_text("utf-8")
    at = text.index("ENTITIES\n")
    assert written in text[at:]
    file.write_bytes((text[:at] + text[at:].replace(written, replacement)).encode())

    assert Reading(file).checksums == before


@pytest.mark.parametrize(
    ("kind", "first", "second"),
    [
        ("TOLERANCE", "  1\nx\n", " 11\n1.0\n 21\n0.0\n 31\n0.0\n  1\nx\n"),
        ("LEADER", " 71\n1\n", " 71\n1\n 73\n3\n"),
        ("DIMENSION", " 70\n37\n", " 70\n37\n 71\n5\n"),
        ("3DSOLID", " 70\n1\n  1\nkoo n \n  1\nll\n", " 70\n1\n  1\nkoo n\n  1\nll\n"),
    ],
)
def test_what_one_program_writes_and_another_omits_is_no_change(
    file: Path, kind: str, first: str, second: str
) -> None:
    """Half of the drawings that were saved again had elements that nobody had edited."""
    saved(file, lines)
    text = file.read_text("utf-8")
    checksums = []
    for written in (first, second):
        entity = f"ENTITIES\n  0\n{kind}\n  5\nFFF0\n100\nAcDbEntity\n  8\n0\n{written}"
        file.write_text(text.replace("ENTITIES\n", entity, 1), "utf-8")
        checksums.append(Reading(file).checksums)

    assert "FFF0" in checksums[0]
    assert checksums[0] == checksums[1]


@pytest.mark.parametrize("release", ["R2013", "R2010", "R2007"])
def test_a_drawing_saved_for_an_older_release_is_no_change(file: Path, release: str) -> None:
    """Later releases write more attributes of blocks and leaders, all of them with usual values."""

    def draw(drawing: Drawing) -> None:
        block = drawing.blocks.new("DOOR")
        block.add_attdef("NUMBER", (0, 0))
        drawing.modelspace().add_blockref("DOOR", (1, 1)).add_attrib("NUMBER", "12", (1, 1))
        leader = drawing.modelspace().add_multileader_mtext()
        leader.set_content("fire door")
        leader.build(Vec2(3, 3))

    before = Reading(saved(file, draw)).checksums
    drawing = ezdxf.filemanagement.readfile(file)
    drawing.dxfversion = release
    drawing.saveas(file)

    after = Reading(file).checksums

    assert after == before


def test_an_attribute_of_several_lines_is_not_taken_for_one_that_is_mirrored(file: Path) -> None:
    """Group code 71 states both, in different parts of the attribute."""

    def draw(drawing: Drawing) -> None:
        drawing.blocks.new("DOOR").add_attdef("NUMBER", (0, 0))

    before = Reading(saved(file, draw)).checksums
    own, two_lines = " 71\n1\n 72\n0\n", " 71\n4\n 72\n0\n"
    marker = "\n100\nAcDbAttributeDef"

    several = Reading(rewritten(file, own, two_lines)).checksums
    omitted = Reading(rewritten(file, two_lines, "")).checksums
    mirrored = Reading(rewritten(file, marker, f"\n 71\n4{marker}")).checksums

    assert omitted == before
    assert several != before != mirrored != several


def test_names_that_differ_in_case_only_are_the_same(file: Path) -> None:
    """AutoCAD ignores case; other writers change it."""

    def draw(drawing: Drawing) -> None:
        drawing.layers.add("Walls")
        drawing.modelspace().add_line((0, 0), (1, 0), dxfattribs={"layer": "Walls"})

    before = Reading(saved(file, draw)).checksums

    after = Reading(rewritten(file, "AcDbEntity\n  8\nWalls", "AcDbEntity\n  8\nWALLS")).checksums

    assert after == before


def test_continuous_is_one_linetype_however_it_is_spelled(file: Path) -> None:
    """The table of some programs has it in capitals; a drawing of 22 lines had 22 edits by that."""

    def draw(drawing: Drawing) -> None:
        drawing.modelspace().add_line((0, 0), (1, 0), dxfattribs={"linetype": "Continuous"})

    before = Reading(saved(file, draw)).checksums

    entry = "AcDbLinetypeTableRecord\n  2\n"
    after = Reading(rewritten(file, f"{entry}Continuous", f"{entry}CONTINUOUS")).checksums

    assert after == before


def test_a_small_edit_is_not_taken_for_noise(file: Path) -> None:
    """A micrometre in a drawing in metres is an edit, even far from the origin."""
    before = Reading(saved(file, lambda d: d.modelspace().add_line((543_210.123456, 0), (0, 0))))

    after = Reading(saved(file, lambda d: d.modelspace().add_line((543_210.123457, 0), (0, 0))))

    assert before.one("DWG:LINE").checksum() != after.one("DWG:LINE").checksum()


def test_a_drawing_without_handles_knows_its_entities_by_what_they_are(file: Path) -> None:
    """Counted by position, one deletion at the top would change all that follow."""
    before = Reading(r12(file, [r12_line(x) for x in range(20)])).checksums

    after = Reading(r12(file, [r12_line(x) for x in reversed(range(1, 20))])).checksums

    assert before.keys() - after.keys() == {key for key in before if key not in after}
    assert (len(before), len(after)) == (20, 19)
    assert all(before[key] == after[key] for key in after)


def test_order_of_tags_in_an_entity_does_not_matter(file: Path) -> None:
    """Only where a code repeats does its place say something."""
    line = "0\nLINE\n8\nA\n62\n1\n10\n1.0\n20\n2.0\n11\n3.0\n21\n4.0\n"
    moved = "0\nLINE\n10\n1.0\n11\n3.0\n20\n2.0\n21\n4.0\n62\n1\n8\nA\n"

    assert Reading(r12(file, [line])).checksums == Reading(r12(file, [moved])).checksums


def multileader(drawing: Drawing) -> None:
    builder = drawing.modelspace().add_multileader_mtext("Standard")
    builder.set_content("Fire door\\PEI30")
    builder.add_leader_line(mleader.ConnectionSide.left, [Vec2(-20, 15)])
    builder.build(insert=Vec2(5, 0))


def dimension(drawing: Drawing) -> None:
    text = "<> (clear)"
    drawn = drawing.modelspace().add_linear_dim(base=(0, 2), p1=(0, 0), p2=(3, 0), text=text)
    drawn.render()
    drawn.dimension.dxf.actual_measurement = 3.0


def multiline_attribute(drawing: Drawing) -> None:
    drawing.blocks.new("ROOM")
    insert = drawing.modelspace().add_blockref("ROOM", (0, 0))
    note = drawing.modelspace().add_mtext("Line one\\PLine two")
    insert.add_attrib("NOTE", "").embed_mtext(note)
    drawing.modelspace().delete_entity(note)


WORDS: dict[str, tuple[Draw, str, str, object]] = {
    "leader": (multileader, "DWG:MULTILEADER", "text", "Fire door\nEI30"),
    "dimension": (dimension, "DWG:DIMENSION", "text", "<> (clear)"),
    "attribute of several lines": (
        multiline_attribute,
        "DWG:INSERT",
        "attributes",
        {"NOTE": "Line one\nLine two"},
    ),
    "note": (
        lambda d: d.modelspace().add_mtext("{\\fArial|b0;Kitchen}\\P12 m\\U+00B2"),
        "DWG:MTEXT",
        "text",
        "Kitchen\n12 m²",
    ),
}


@pytest.mark.parametrize("kind", WORDS)
def test_words_are_read_from_every_entity_that_has_them(file: Path, kind: str) -> None:
    """People search the iModel for what they read on the drawing."""
    draw, class_name, name, expected = WORDS[kind]

    assert Reading(saved(file, draw)).property(class_name, name) == expected


@pytest.mark.parametrize(
    ("draw", "class_name", "label"),
    [
        (multileader, "DWG:MULTILEADER", "Fire door EI30"),
        (dimension, "DWG:DIMENSION", "3 (clear)"),
        (lambda d: d.modelspace().add_text("%%c20 H%%d"), "DWG:TEXT", "Ø20 H°"),
    ],
)
def test_the_label_is_what_the_drawing_shows(
    file: Path, draw: Draw, class_name: str, label: str
) -> None:
    """A list of elements has to be readable."""
    assert Reading(saved(file, draw)).one(class_name).label == label


TABLE = """  0
ACAD_TABLE
  5
FFF2
100
AcDbEntity
  8
0
100
AcDbBlockReference
  2
*T1
 10
5.0
 20
5.0
 30
0.0
100
AcDbTable
 90
0
171
1
301
CELL_VALUE
  1
Door list
304
ACVALUE_END
171
1
301
CELL_VALUE
  1
D-101
302
D-101
304
ACVALUE_END
"""


def test_cells_of_a_table_are_read(file: Path) -> None:
    """Door and window lists are tables."""
    saved(file, lines)
    rewritten(file, "ENTITIES\n", f"ENTITIES\n{TABLE}", 1)

    assert Reading(file).property("DWG:ACAD_TABLE", "cells") == ["Door list", "D-101"]


def test_a_leader_is_drawn_with_its_lines(file: Path) -> None:
    """Its extent is what its lines and its text reach."""
    leader = Reading(saved(file, multileader)).one("DWG:MULTILEADER")

    assert leader.extent is not None
    assert leader.extent.low[0] == -20.0
    assert leader.outline


def test_outlines_are_plans_of_what_is_drawn(file: Path) -> None:
    """The picture of a changeset is made of them."""
    reading = Reading(saved(file, lambda d: d.modelspace().add_lwpolyline([(0, 0), (1, 2)])))

    assert reading.one("DWG:LWPOLYLINE").outline == [[(0.0, 0.0), (1.0, 2.0)]]


def test_line_types_text_styles_and_dimension_styles_are_elements(file: Path) -> None:
    """An edit of a style changes how all that use it looks."""

    def draw(drawing: Drawing) -> None:
        drawing.linetypes.add("HEDGE", [2.0, 1.0, -1.0], description="Hedge")
        drawing.styles.add("NOTES", font="arial.ttf")
        drawing.dimstyles.new("M50", {"dimscale": 50})

    reading = Reading(saved(file, draw))

    found = {(each.class_name, each.label) for each in reading.list}
    assert {("DWG:LTYPE", "HEDGE"), ("DWG:STYLE", "NOTES"), ("DWG:DIMSTYLE", "M50")} <= found


def test_a_layout_with_content_is_an_element(file: Path) -> None:
    """Sheets are what an office issues; the empty one in every new file is none."""

    def draw(drawing: Drawing) -> None:
        drawing.layouts.new("A101").add_text("Ground floor")

    reading = Reading(saved(file, draw))

    assert reading.one("DWG:LAYOUT").label == "A101"
    text = reading.one("DWG:TEXT")
    assert (text.partition, (text.properties or {})["layout"]) == (Partition.SHEET, "A101")


def test_a_group_names_its_members(file: Path) -> None:
    """A group is a relationship that the designer made."""

    def draw(drawing: Drawing) -> None:
        space = drawing.modelspace()
        ends = [(1, 0), (1, 1)]
        drawing.groups.new("STAIR").extend([space.add_line((0, 0), end) for end in ends])

    reading = Reading(saved(file, draw))

    group = reading.one("DWG:GROUP")
    assert group.label == "STAIR"
    assert {(each.source, each.class_name) for each in reading.relationships} == {
        (group.identifier, "BisCore:ElementGroupsMembers")
    }
    assert len(reading.relationships) == 2


def test_the_file_that_an_image_shows_is_named(file: Path) -> None:
    """The entity only holds a handle; a changed picture would go unseen."""

    def draw(drawing: Drawing) -> None:
        definition = drawing.add_image_def("survey.tif", (100, 100))
        drawing.modelspace().add_image(definition, (0, 0), (10, 10))

    assert Reading(saved(file, draw)).property("DWG:IMAGE", "file") == "survey.tif"


def test_an_insert_is_of_the_type_of_its_block(file: Path) -> None:
    """All doors of one block are found by it."""

    def draw(drawing: Drawing) -> None:
        drawing.blocks.new("DOOR")
        drawing.modelspace().add_blockref("door", (0, 0))

    reading = Reading(saved(file, draw))

    assert reading.elements[reading.one("DWG:INSERT").type_definition or ""].label == "DOOR"


def test_a_missing_reference_is_reported(file: Path) -> None:
    """Whoever misses content has to see where it would have come from."""
    reading = Reading(saved(file, lambda d: d.add_xref_def("../base/survey.dwg", "SURVEY")))

    assert any("../base/survey.dwg" in remark for remark in reading.remarks)


def test_blocks_that_insert_each_other_end(file: Path) -> None:
    """A hostile or damaged file must not keep the worker busy for ever."""

    def draw(drawing: Drawing) -> None:
        a, b = drawing.blocks.new("A"), drawing.blocks.new("B")
        a.add_blockref("B", (1, 0))
        b.add_blockref("A", (1, 0))
        drawing.modelspace().add_blockref("A", (0, 0))

    assert Reading(saved(file, draw)).one("DWG:INSERT").extent is not None


def test_blocks_that_multiply_stay_small(file: Path) -> None:
    """Twelve blocks that each insert the one before ten times would draw 10^12 lines."""

    def draw(drawing: Drawing) -> None:
        drawing.blocks.new("B0").add_line((0, 0), (1, 1))
        for n in range(12):
            block = drawing.blocks.new(f"B{n + 1}")
            for x in range(10):
                block.add_blockref(f"B{n}", (x, 0))
        drawing.modelspace().add_blockref("B12", (0, 0))

    insert = Reading(saved(file, draw)).one("DWG:INSERT")

    assert insert.extent is not None
    assert insert.extent.high == (109.0, 1.0, 0.0)
    assert sum(map(len, insert.outline)) <= 200


@pytest.mark.parametrize(
    ("head", "expected"),
    [(b"AC1032" + bytes(100), "DWG"), (b"PK\x03\x04", "ZIP"), (b"%PDF-1.7", "PDF")],
)
def test_a_file_of_another_format_is_named(file: Path, head: bytes, expected: str) -> None:
    """A wrong extension is quickly mended once it is known."""
    file.write_bytes(head)

    with pytest.raises(ConnectorError) as caught:
        list(DxfConnector().read(file))

    assert caught.value.code == "FileTypeMismatch"
    assert expected in caught.value.message


@pytest.mark.parametrize("release", ["R2000", "R2007"])
def test_letters_beyond_english_are_read_in_every_release(file: Path, release: str) -> None:
    """Older releases write code pages or escapes, newer ones UTF-8."""
    reading = Reading(saved(file, lambda d: d.modelspace().add_text("Küche Łódź"), release))

    assert reading.property("DWG:TEXT", "text") == "Küche Łódź"


def test_objects_that_are_not_read_are_reported(file: Path) -> None:
    """Plant and civil programs keep their data there; what is in every drawing is no news."""

    def draw(drawing: Drawing) -> None:
        drawing.rootdict.add_xrecord("OFFICE").reset([(1, "data")])

    before = Reading(saved(file, lines)).remarks

    after = Reading(saved(file, draw)).remarks

    assert before == ()
    assert after == ("Not read: 1 object (XRECORD) in which programs keep data of their own.",)
