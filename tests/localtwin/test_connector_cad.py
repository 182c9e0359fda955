"""The connector for DWG and DGN says what a design file says, by its elements' own ids."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from localtwin.connectors.cad import CadConnector
from localtwin.connectors.registry import connector_for
from localtwin.connectors.source import ConnectorError, Extent, Partition, SourceElement

pytest.importorskip("cadkit")
ezdwg = pytest.importorskip("ezdwg")
ezdgn = pytest.importorskip("ezdgn")

Elements: TypeAlias = dict[str, SourceElement]
Draw: TypeAlias = Callable[[Any], object]


def read(file: Path) -> Elements:
    return {element.identifier: element for element in CadConnector().read(file)}


def drawn(file: Path, *steps: Draw) -> Elements:
    drawing = ezdwg.new()
    for step in steps:
        step(drawing.modelspace())
    drawing.save(file)
    return read(file)


def line(space: Any) -> object:
    return space.add_line((0, 0, 0), (4, 2, 0))


def circle(space: Any) -> object:
    return space.add_circle((1, 1, 0), 2)


def changed(before: Elements, after: Elements) -> list[str]:
    """Return the classes of the elements that read differently or are gone."""
    told = {key: element.checksum() for key, element in after.items()}
    return [each.class_name for key, each in before.items() if told.get(key) != each.checksum()]


def test_dwg_and_dgn_have_a_reader() -> None:
    """They are what most offices mean by a drawing."""
    assert connector_for("DWG", "plan.dwg").name == "CAD"
    assert connector_for("MSTN", "plan.dgn").name == "CAD"


def test_a_dwg_entity_is_told_with_its_layer_and_extent(tmp_path: Path) -> None:
    """The same drawing must say the same as DWG and as DXF."""
    elements = drawn(tmp_path / "plan.dwg", line, circle)
    by_class = {each.class_name: each for each in elements.values()}

    found = by_class["DWG:LINE"]

    assert found.partition is Partition.PHYSICAL
    assert found.extent == Extent((0, 0, 0), (4, 2, 0))
    assert elements[found.category or ""].label == "0"
    assert by_class["DWG:CIRCLE"].extent == Extent((-1, -1, 0), (3, 3, 0))


def test_an_edit_of_a_dwg_shows_on_the_element_and_only_there(tmp_path: Path) -> None:
    """An edit that does not show would leave the iModel stale for ever."""
    before = drawn(tmp_path / "plan.dwg", line, circle)

    after = drawn(tmp_path / "plan.dwg", line, lambda space: space.add_circle((1, 1, 0), 3))

    assert changed(before, after) == ["DWG:CIRCLE"]
    assert after.keys() == before.keys()


def test_a_dgn_without_ids_knows_its_elements_by_what_they_are(tmp_path: Path) -> None:
    """DGN V7 names no element; one that did not change must still not be written again."""
    file = tmp_path / "plan.dgn"
    before = dgn(file, [((0, 0), (4, 2)), ((1, 1), (2, 2))])

    after = dgn(file, [((1, 1), (2, 3)), ((0, 0), (4, 2))])

    assert changed(before, after) == ["DGN:LINE"]
    assert len(after) == len(before)


TROUBLES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: data[:0],
    "cut off": lambda data: data[: len(data) // 2],
    "noise": lambda data: bytes(reversed(data)),
}


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("name", ["plan.dwg", "plan.dgn"])
def test_a_file_that_cannot_be_trusted_is_refused(tmp_path: Path, name: str, trouble: str) -> None:
    """Half a drawing read as a whole one would delete the other half from the iModel."""
    file = tmp_path / name
    if name.endswith("dwg"):
        drawn(file, line, circle)
    else:
        dgn(file, [((0, 0), (4, 2)), ((1, 1), (2, 2))])
    file.write_bytes(TROUBLES[trouble](file.read_bytes()))

    with pytest.raises(ConnectorError) as caught:
        read(file)

    assert caught.value.category == "source_file"


def test_an_encrypted_dwg_says_so(tmp_path: Path) -> None:
    """A person must learn that a password is in the way, not that the drawing is broken."""
    file = tmp_path / "plan.dwg"
    file.write_bytes(b"AC1032".ljust(0x18, b"\0") + b"\1".ljust(1000, b"\0"))

    with pytest.raises(ConnectorError) as caught:
        read(file)

    assert caught.value.code == "FileEncrypted"


def test_a_sheet_is_kept_apart_and_a_block_is_named(tmp_path: Path) -> None:
    """A title block of a sheet is nowhere in the model; an insert is of the type of its block."""
    file = tmp_path / "plan.dwg"
    drawing = ezdwg.new()
    door = drawing.blocks.new("DOOR")
    door.add_line((0, 0, 0), (2, 0, 0))
    drawing.modelspace().add_blockref("DOOR", (10, 10, 0), scale=(2, 2, 2))
    drawing.paperspace().add_line((0, 0, 0), (420, 297, 0))
    drawing.save(file)

    elements = read(file)
    by_class = {each.class_name: each for each in elements.values()}

    insert, sheet = by_class["DWG:INSERT"], by_class["DWG:LINE"]
    assert insert.label == "DOOR"
    assert elements[insert.type_definition or ""].class_name == "DWG:BLOCK"
    assert insert.extent == Extent((10, 10, 0), (14, 10, 0))
    assert insert.outline == [[(10, 10), (14, 10)]]
    assert sheet.partition is Partition.SHEET
    assert by_class["DWG:LAYOUT"].label == (sheet.properties or {})["layout"]


def test_the_report_says_what_has_no_identity(tmp_path: Path) -> None:
    """Who sees deleted and inserted elements after an edit must be able to find out why."""
    dgn(tmp_path / "plan.dgn", [((0, 0), (4, 2))])
    connector = CadConnector()

    list(connector.read(tmp_path / "plan.dgn"))

    assert [each for each in connector.remarks() if "DGN V7" in each]


def dgn(file: Path, lines: list[tuple[tuple[float, float], tuple[float, float]]]) -> Elements:
    """Write a DGN V7 with `lines` and return what the connector reads of it."""
    design = ezdgn.new()
    for start, end in lines:
        design.modelspace().add_line(start, end)
    design.saveas(file)
    return read(file)
