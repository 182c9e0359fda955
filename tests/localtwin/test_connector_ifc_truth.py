"""Every edit of an IFC model that means something shows where it belongs, and nowhere else."""

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import ifcopenshell
import pytest
from ifc_owners import owners

from localtwin.connectors.ifc import IfcConnector
from localtwin.connectors.source import Json, SourceElement, SourceRelationship

Model: TypeAlias = Any  # an ifcopenshell.file, which has no static types
Instance: TypeAlias = Any

HOUSE = Path(__file__).parent / "models" / "house.ifc"

# What says who wrote it and when, or repeats what is said elsewhere.
NO_CONTENT = {"GlobalId", "OwnerHistory", "RelatedObjectsType", "Dim", "Dimensions"}
NO_CONTENT |= {"Precision"}  # decides what counts as an edit of any shape
NO_CONTENT |= {"UnitType"}  # follows from the unit
NO_CONTENT_CLASSES = {
    "IfcOwnerHistory",
    "IfcPerson",
    "IfcPersonAndOrganization",
    "IfcApplication",
    "IfcDimensionalExponents",
}


class Reading:
    """What the connector yields for a file."""

    def __init__(self, file: Path) -> None:
        connector = IfcConnector()
        items = list(connector.read(file))
        self.remarks = connector.remarks()
        self.elements = {e.identifier: e for e in items if isinstance(e, SourceElement)}
        self.rows = {
            (row.class_name, row.source, row.target): row.properties
            for row in items
            if isinstance(row, SourceRelationship)
        }
        self.checksums = {key: each.checksum() for key, each in self.elements.items()}

    def named(self, label: str) -> SourceElement:
        (found,) = (each for each in self.elements.values() if each.label == label)
        return found

    def property(self, label: str, *path: str) -> Json:
        found: Any = self.named(label).properties
        for name in path:
            found = found[name]
        return found  # type: ignore[no-any-return] # of JSON

    def changed(self, other: "Reading") -> set[str]:
        keys = self.checksums.keys() | other.checksums.keys()
        return {key for key in keys if self.checksums.get(key) != other.checksums.get(key)}

    def changed_rows(self, other: "Reading") -> set[str]:
        keys = self.rows.keys() | other.rows.keys()
        missing: dict[str, Json] = {"": 0}
        return {
            name
            for name, *ends in keys
            if self.rows.get((name, *ends), missing) != other.rows.get((name, *ends), missing)  # type: ignore[arg-type] # of two ends
        }


@pytest.fixture(scope="module")
def house() -> Reading:
    return Reading(HOUSE)


def edits(model: Model) -> Iterator[tuple[int, int]]:
    """Yield the number and attribute of every value in the model that means something."""
    for instance in model:
        if instance.is_a() in NO_CONTENT_CLASSES:
            continue
        for place in range(len(instance)):
            name = instance.attribute_name(place)
            if name not in NO_CONTENT and _other(model, instance, place) is not None:
                yield instance.id(), place


def _other(model: Model, instance: Instance, place: int) -> Any:
    """Return a value that differs from the attribute's; None if it has none to differ from."""
    value = instance[place]
    kind = instance.attribute_type(place)
    if kind == "ENUMERATION":
        return _other_word(instance, place, value)
    if kind == "DERIVED" or value is None:
        return None
    if isinstance(value, ifcopenshell.entity_instance) and value.id() == 0:
        return model.create_entity(value.is_a(), _changed(value[0]))
    return _changed(value)


def _other_word(instance: Instance, place: int, value: Any) -> str | None:
    declared = instance.declaration.as_entity().attribute_by_index(place)
    words = declared.type_of_attribute().as_named_type().declared_type().enumeration_items()
    return words[(words.index(value) + 1) % len(words)] if value else None


def _changed(value: Any) -> Any:
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case float():
            return value + 0.25
        case str():
            return f"{value} x" if value not in ("UNKNOWN", "TRUE", "FALSE") else None
        case tuple() if value and isinstance(value[0], float):
            return tuple(map(_changed, value))  # a direction that is only longer means the same
        case tuple() if value and isinstance(value[0], int | str):
            return (_changed(value[0]), *value[1:])
        case tuple() if value and isinstance(value[0], tuple):
            return (_changed(value[0]), *value[1:])
        case _:
            return None


def test_every_edit_of_a_value_shows_on_its_owners_and_only_there(
    house: Reading, tmp_path: Path
) -> None:
    """What no edit shows stays stale for ever; what shows too often hides what was edited."""
    file = tmp_path / "edited.ifc"
    wrong: list[str] = []
    tried = 0
    for number, place in edits(ifcopenshell.open(HOUSE)):
        model = ifcopenshell.open(HOUSE)
        instance = model.by_id(number)
        value = _other(model, instance, place)
        expected = owners(model, instance)
        name = f"{instance.is_a()}.{instance.attribute_name(place)}"
        instance[place] = value
        model.write(file)
        after = Reading(file)
        objects = {key for key in house.changed(after) if ":" not in key}
        shown = objects or house.changed_rows(after) or house.changed(after)
        tried += 1
        if objects != expected or not shown:
            wrong.append(f"{name}: {objects - expected} too many, {expected - objects} missing")

    assert "\n".join(wrong) == ""
    assert tried > 400


def test_a_wall_changes_with_its_openings(house: Reading, tmp_path: Path) -> None:
    """A door that is moved leaves another wall; that it is called otherwise does not."""
    file = tmp_path / "edited.ifc"
    model = ifcopenshell.open(HOUSE)
    (opening,) = model.by_type("IfcOpeningElement")
    wall = opening.VoidsElements[0].RelatingBuildingElement
    opening.Name = "Opening 2"
    model.write(file)
    renamed = house.changed(Reading(file))
    opening.Representation.Representations[0].Items[0].Depth += 0.5
    model.write(file)

    deeper = house.changed(Reading(file))

    assert renamed == {opening.GlobalId}
    assert deeper == {opening.GlobalId, wall.GlobalId}


def test_another_writer_changes_nothing(house: Reading, tmp_path: Path) -> None:
    """Each program writes numbers, blanks and letters its way."""
    file = tmp_path / "again.ifc"
    ifcopenshell.open(HOUSE).write(file)
    again = Reading(file)

    file.write_text(file.read_text().replace(",", " ,\n "))
    spread = Reading(file)

    assert house.changed(again) == house.changed(spread) == set()
    assert house.rows == again.rows == spread.rows


def test_other_numbers_and_another_order_change_nothing(house: Reading, tmp_path: Path) -> None:
    """Every export numbers its lines anew, and no program promises an order."""
    head, start, tail = HOUSE.read_text().partition("DATA;\n")
    body, end, rest = tail.rpartition("ENDSEC;")
    order = random.Random(1)  # noqa: S311 (an order, no secret)
    numbers = list(range(1000, 1000 + body.count("\n")))
    order.shuffle(numbers)
    body = re.sub(r"#(\d+)", lambda found: f"#{numbers[int(found[1]) - 1]}", body)
    shuffled = body.splitlines()
    order.shuffle(shuffled)
    file = tmp_path / "shuffled.ifc"
    file.write_text(head + start + "\n".join(shuffled) + "\n" + end + rest)

    again = Reading(file)

    assert house.changed(again) == set()
    assert house.rows == again.rows


def test_noise_below_the_precision_of_the_file_is_no_edit(house: Reading, tmp_path: Path) -> None:
    """Programs compute coordinates anew with each save, to the last digits."""
    noise = random.Random(2)  # noqa: S311 (noise, no secret)
    file = tmp_path / "noisy.ifc"
    coordinates = re.compile(r"(?<=IFCCARTESIANPOINT\(\()[^)]*")

    def noisy(found: re.Match[str]) -> str:
        return ",".join(repr(float(x) + noise.uniform(-1e-4, 1e-4)) for x in found[0].split(","))

    file.write_text(coordinates.sub(noisy, HOUSE.read_text()))

    assert house.changed(Reading(file)) == set()


def test_sets_of_one_name_and_sets_without_a_name_are_all_kept(house: Reading) -> None:
    """Revit writes several sets called "Other" on one object; an edit in any of them counts."""
    assert house.property("Column 1", "PropertySets") == {
        "Other": {"Mark": "M1"},
        "Other~2": {"Phase": "1"},
    }
    assert house.property("Window 1", "PropertySets") == {
        "IfcPropertySet": {"A": "a"},
        "IfcPropertySet~2": {"B": "b"},
    }


def test_units_of_values_are_kept(house: Reading) -> None:
    """0.2 is a wall of paper or of brick, depending on the unit."""
    units = house.property("Wall 1", "PropertyUnits")

    assert units == {
        "Pset_WallCommon": {"Width": "METRE"},
        "Qto_WallBaseQuantities": {"Length": "IfcLengthMeasure", "NetArea": "IfcAreaMeasure"},
    }


def test_the_project_says_where_and_in_which_units_the_model_is(house: Reading) -> None:
    """A bridge moved by 500 km has not changed in any other way."""
    (operation,) = house.property("House", "CoordinateOperations")  # type: ignore[misc] # a list
    assert isinstance(operation, dict)
    assert (operation["Eastings"], operation["TargetCRS"]["Name"]) == (155000.0, "EPSG:28992")
    assert house.property("House", "Units", "LENGTHUNIT") == "MILLIMETRE"


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("IfcRelContainedInSpatialStructure", "Ground floor", "Wall 1"),
        ("IfcRelAggregates", "House", "Plot"),
        ("IfcRelVoidsElement", "Wall 1", "Opening 1"),
        ("IfcRelFillsElement", "Opening 1", "Door 1"),
        ("IfcRelConnectsPathElements", "Wall 1", "Wall 2"),
        ("IfcRelConnectsPorts", "Out", "In"),
        ("IfcRelSpaceBoundary", "01", "Wall 1"),
        ("IfcRelAssignsToGroup", "Cold water", "Pipe 1"),
        ("IfcRelSequence", "Lay bricks", "Hang door"),
        ("IfcRelAssociatesMaterial", "Cavity wall", "Wall 1"),
        ("IfcRelAssociatesClassification", "Outer walls", "Wall 2"),
        ("IfcRelDefinesByType", "Door type A", "Door 1"),
    ],
)
def test_relationships_are_rows_of_their_class(
    house: Reading, name: str, start: str, end: str
) -> None:
    """Who asks what a wall is connected to asks the rows."""
    ends = house.named(start).identifier, house.named(end).identifier

    assert (f"IFC4:{name}", *ends) in house.rows


def test_repeated_relationships_of_two_objects_keep_what_each_says(house: Reading) -> None:
    """A room touches one wall along several faces."""
    ends = house.named("01").identifier, house.named("Wall 1").identifier

    properties = house.rows["IFC4:IfcRelSpaceBoundary", *ends] or {}

    assert len(properties["Occurrences"]) == 2  # type: ignore[arg-type] # a list
