"""Reading an IFC model again: what is as it was is left out, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from imodel_scene import Scene, source, tables

from localtwin.connectors.ifc import IfcConnector
from localtwin.connectors.source import SourceElement, SourceRelationship, Unchanged
from localtwin.imodel.database import opened
from localtwin.sample_drive import buildings

HOUSE = Path(__file__).parent / "models" / "house.ifc"
EDITED = re.compile(r"(?<=[(,'])(\d+\.\d*|[A-Z][a-z]{2,})")


class Reading:
    """What one reading found; `memory` is that of the reading before."""

    def __init__(self, file: Path, before: Reading | None = None) -> None:
        connector = IfcConnector()
        self.memory: bytes
        connector.resume(b"" if before is None else before.memory)
        items = list(connector.read(file))
        kept = [each for each in items if isinstance(each, Unchanged)]
        read = [each for each in items if isinstance(each, SourceElement)]
        self.read = {each.identifier for each in read}
        self.kept = {each for item in kept for each in item.identifiers}
        self.elements = {each.identifier: each.checksum() for each in read}
        self.relationships = {
            (each.class_name, each.source, each.target, repr(each.properties))
            for each in items
            if isinstance(each, SourceRelationship)
        }
        if before is not None:
            self.elements |= {each: before.elements[each] for each in self.kept}
            if any(each.and_relationships for each in kept):
                self.relationships = before.relationships
        self.memory = connector.memory()


@pytest.fixture
def steel(tmp_path: Path) -> Path:
    file = tmp_path / "steel.ifc"
    buildings.steel("steel", file)
    return file


@pytest.fixture
def house(tmp_path: Path) -> Path:
    file = tmp_path / "house.ifc"
    file.write_bytes(HOUSE.read_bytes())
    return file


def rename_a_wall(file: Path) -> None:
    text = file.read_text("utf-8")
    file.write_text(re.sub(r"(IFCWALL\('[^']*',[^,]*,')", r"\1New ", text, count=1), "utf-8")


def edited(line: str) -> str:
    """Return a line with its last number or word changed; the line itself if it has none."""
    found = list(EDITED.finditer(line))
    if not found or line.startswith(("FILE", "ISO")):
        return line
    begin, end = found[-1].span()
    return f"{line[:begin]}{'7.25' if line[begin].isdigit() else 'Edited'}{line[end:]}"


@pytest.mark.parametrize("model", ["house", "steel"])
def test_an_edit_of_any_line_is_found(model: str, steel: Path) -> None:
    """What a reading leaves out must be what a whole reading would find again."""
    text = (HOUSE if model == "house" else steel).read_text("utf-8")
    file = steel.with_name("model.ifc")
    file.write_text(text, "utf-8")
    before = Reading(file)
    lines, shortened = text.splitlines(), 0
    for number in range(0, len(lines), max(1, len(lines) // 60)):
        other = edited(lines[number])
        if other == lines[number]:
            continue
        file.write_text("\n".join([*lines[:number], other, *lines[number + 1 :]]), "utf-8")

        again, whole = Reading(file, before), Reading(file)

        assert again.elements == whole.elements, other
        assert again.relationships == whole.relationships, other
        shortened += bool(again.kept)
    assert (shortened > 5) == (model == "house")  # the other repeats the GlobalIds of its types


def test_only_what_changed_is_read(house: Path) -> None:
    """A changed name must not cost what the whole model costs."""
    before = Reading(house)
    rename_a_wall(house)

    again = Reading(house, before)

    changed = {key for key, value in again.elements.items() if before.elements[key] != value}
    assert len(changed) == 1
    assert again.read > changed
    assert len(again.read) == 2  # the project, too: it places the model


def test_a_changed_name_takes_no_whole_reading(house: Path) -> None:
    """What an edited object says is read from a few lines, and as the whole file says it."""
    before = Reading(house)
    text = house.read_text("utf-8")
    objects = re.findall(r"^#\d+ ?= ?IFC(?!REL|PROPERTYSET)\w+\('[^']{22}'.*;$", text, re.MULTILINE)

    for line in objects[::7]:
        house.write_text(text.replace(line, edited(line)), "utf-8")
        again, whole = Reading(house, before), Reading(house)

        assert again.elements == whole.elements, line
        assert again.memory == whole.memory, line
        assert len(again.read) <= 2, line


@pytest.mark.parametrize("kind", [r"IFCDOOR\('[^']*',[^,]*,'", r"IFCPROPERTYSINGLEVALUE\('"])
def test_lines_are_found_however_they_are_broken(house: Path, kind: str) -> None:
    """Some programs break lines after 80 letters, and a text may look like the end of a line."""
    text = house.read_text("utf-8").replace("IFCBUILDINGSTOREY(", "IFCBUILDINGSTOREY(\r\n")
    text = re.sub(f"({kind})", r"\1Seen;#1 and ;#12=", text)
    text = re.sub(r"(IFCDOOR\('[^']*',[^,]*,')", r"\1First ", text)
    house.write_text(text, "utf-8")
    before = Reading(house)
    house.write_text(text.replace("First ", "Second "), "utf-8")

    again, whole = Reading(house, before), Reading(house)

    assert again.elements == whole.elements
    assert again.elements != before.elements


def test_who_saved_it_when_is_no_edit(house: Path) -> None:
    """Every save writes another time, which must not cost a whole reading."""
    text = house.read_text("utf-8")
    before = Reading(house)
    saved = re.sub(r"(IFCOWNERHISTORY\(.*,)\d+\);", r"\g<1>1700000000);", text)
    assert saved != text
    house.write_text(saved, "utf-8")

    again = Reading(house, before)

    assert again.elements == before.elements
    assert len(again.read) == 1  # the project


def test_what_another_release_left_is_not_used(house: Path) -> None:
    """A downgraded or updated program reads the whole model once."""
    before = Reading(house)
    before.memory = before.memory.replace(b'"format": 3', b'"format": 999')

    assert not Reading(house, before).kept


def test_what_is_left_out_stays_in_the_imodel(tmp_path: Path, house: Path) -> None:
    """Elements, relationships and shapes that did not change are neither deleted nor written."""
    scene = Scene(tmp_path)
    first = scene.run(source(house)).sources[0]
    before = tables(scene.imodel)
    rename_a_wall(house)

    second = scene.run(source(house)).sources[0]

    assert (second.inserted, second.updated, second.deleted) == (0, 1, 0)
    assert (second.before, second.after) == (first.after, first.after)
    after = tables(scene.imodel)
    for kept in ("bis_ElementRefersToElements", "bis_GeometricElement", "ec_Property"):
        assert after[kept] == before[kept]


def test_an_imodel_that_is_not_as_it_was_left_is_written_anew(tmp_path: Path, house: Path) -> None:
    """Somebody may have put an older copy in its place, or changed it with other tools."""
    scene = Scene(tmp_path)
    scene.run(source(house))
    with opened(scene.imodel) as database:
        database.execute("DELETE FROM bis_ExternalSourceAspect WHERE ElementId % 2")
    rename_a_wall(house)

    report = scene.run(source(house))

    assert report.sources[0].after == len(Reading(house).elements)


def test_a_reading_after_a_removed_one_is_whole(tmp_path: Path, house: Path) -> None:
    """Elements that were removed with their source must come back."""
    scene = Scene(tmp_path)
    scene.run(source(house))
    scene.run(source(house, action="unmap"))

    report = scene.run(source(house))

    assert report.sources[0].inserted == len(Reading(house).elements)
