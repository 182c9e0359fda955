"""The IFC connector says what a model says, however the file is written."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import ifcopenshell
import ifcopenshell.guid
import pytest
from imodel_scene import renumbered

from localtwin.connectors.ifc import IfcConnector, IfcZipConnector
from localtwin.connectors.source import ConnectorError, Partition, SourceElement
from localtwin.sample_drive import buildings

Elements: TypeAlias = dict[str, SourceElement]
Model: TypeAlias = Any  # an ifcopenshell.file, which has no static types


@pytest.fixture
def steel(tmp_path: Path) -> Path:
    file = tmp_path / "steel.ifc"
    buildings.steel("steel", file)
    return file


def read(file: Path) -> Elements:
    return {element.identifier: element for element in elements_of(file)}


def elements_of(file: Path) -> list[SourceElement]:
    return [each for each in IfcConnector().read(file) if isinstance(each, SourceElement)]


def checksums(elements: Elements) -> dict[str, str]:
    return {identifier: element.checksum() for identifier, element in elements.items()}


def changed(before: Elements, after: Elements) -> set[str]:
    """Return the labels of the elements that read differently."""
    told = checksums(after)
    return {each.label for key, each in before.items() if told.get(key) != each.checksum()}


def edited(file: Path, edit: Callable[[Model], object]) -> Elements:
    model = ifcopenshell.open(file)
    edit(model)
    model.write(file)
    return read(file)


def named(elements: Elements, label: str) -> SourceElement:
    (found,) = (element for element in elements.values() if element.label == label)
    return found


def find(model: Model, entity: str, name: str) -> Any:
    return next(each for each in model.by_type(entity) if each.Name == name)


def test_an_element_says_where_it_belongs_and_what_it_is(steel: Path) -> None:
    """This is what a person looks for in the iModel."""
    elements = read(steel)
    beam = named(elements, "Beam B-05")

    assert beam.class_name == "IFC4:IfcBeam"
    assert beam.partition is Partition.PHYSICAL
    assert beam.code == "Beam B-05"
    assert elements[beam.parent or ""].label == "Deck"
    assert elements[beam.type_definition or ""].class_name == "IFC4:IfcBeamType"
    assert beam.properties is not None
    assert beam.properties["PropertySets"] == {
        "Pset_BeamCommon": {"Reference": "HEA 600", "LoadBearing": True, "Span": 8.0}
    }
    assert beam.properties["Material"] == ["S355J2"]


def test_the_spatial_structure_leads_up_to_the_project(steel: Path) -> None:
    """Without it nobody finds a storey's elements."""
    elements = read(steel)
    line = []
    element: SourceElement | None = named(elements, "Column C-01")
    while element is not None:
        line.append(element.class_name.removeprefix("IFC4:Ifc"))
        element = elements.get(element.parent or "")

    assert line == ["Column", "BuildingStorey", "Building", "Site", "Project"]


def test_parents_and_types_come_before_those_that_name_them(steel: Path) -> None:
    """The iModel is written in one pass and can only refer to what is there."""
    renumbered(steel, steel)
    seen: set[str | None] = {None}

    for element in elements_of(steel):
        assert element.parent in seen
        assert element.type_definition in seen
        seen.add(element.identifier)


def test_an_export_with_other_step_numbers_says_the_same(steel: Path) -> None:
    """Every export renumbers; if that counted, each save would update the whole iModel."""
    before, text = read(steel), steel.read_text()

    renumbered(steel, steel)

    assert steel.read_text() != text
    assert checksums(read(steel)) == checksums(before)


def move(model: Model) -> None:
    column = find(model, "IfcColumn", "Column C-03")
    point = model.create_entity("IfcCartesianPoint", (1.0, 2.0, 3.0))
    column.ObjectPlacement.RelativePlacement.Location = point


def reshape(model: Model) -> None:
    column = find(model, "IfcColumn", "Column C-03")
    column.Representation.Representations[0].Items[0].Depth = 7.0


def set_property(model: Model) -> None:
    column = find(model, "IfcColumn", "Column C-03")
    (relation,) = column.IsDefinedBy
    relation.RelatingPropertyDefinition.HasProperties[0].NominalValue.wrappedValue = "HEB 500"


def move_to_other_storey(model: Model) -> None:
    column = find(model, "IfcColumn", "Column C-03")
    deck = find(model, "IfcBuildingStorey", "Deck")
    for relation in model.by_type("IfcRelContainedInSpatialStructure"):
        others = [each for each in relation.RelatedElements if each != column]
        inside = relation.RelatingStructure == deck
        relation.RelatedElements = [*others, column] if inside else others


def colour(model: Model) -> None:
    column = find(model, "IfcColumn", "Column C-03")
    item = column.Representation.Representations[0].Items[0]
    shade = model.create_entity("IfcColourRgb", None, 1.0, 0.0, 0.0)
    rendering = model.create_entity("IfcSurfaceStyleShading", shade)
    style = model.create_entity("IfcSurfaceStyle", "Red", "BOTH", [rendering])
    model.create_entity("IfcStyledItem", item, [style])


def reclassify(model: Model) -> None:
    column = find(model, "IfcColumn", "Column C-03")
    model.create_entity(
        "IfcRelAssociatesClassification",
        GlobalId=ifcopenshell.guid.new(),
        RelatedObjects=[column],
        RelatingClassification=model.create_entity(
            "IfcClassificationReference", Identification="28.11", Name="Columns"
        ),
    )


EDITS = (move, reshape, set_property, move_to_other_storey, colour, reclassify)


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: str(edit.__name__))
def test_every_kind_of_edit_shows_on_the_element_and_only_there(
    steel: Path, edit: Callable[[Model], object]
) -> None:
    """An edit that does not show would leave the iModel stale for ever."""
    before = read(steel)

    after = edited(steel, edit)

    assert changed(before, after) == {"Column C-03"}


def test_a_changed_profile_shows_on_all_that_share_it(steel: Path) -> None:
    """Shapes refer to shared parts; a change deep inside must not be missed."""
    before = read(steel)

    def widen(model: Model) -> None:
        column = find(model, "IfcColumn", "Column C-03")
        column.Representation.Representations[0].Items[0].SweptArea.XDim = 0.5

    assert changed(before, edited(steel, widen)) == {f"Column C-{n:02}" for n in range(1, 11)}


def test_a_moved_storey_moves_what_stands_in_it(steel: Path) -> None:
    """Positions in the iModel are the project's, so they change with the storey."""
    before = read(steel)

    def lift(model: Model) -> None:
        deck = find(model, "IfcBuildingStorey", "Deck")
        point = model.create_entity("IfcCartesianPoint", (0.0, 0.0, 7.0))
        deck.ObjectPlacement.RelativePlacement.Location = point

    labels = changed(before, edited(steel, lift))

    assert len(labels) == 1 + 12 + 8
    assert not any("Column" in label for label in labels)


def test_a_move_along_an_alignment_shows(tmp_path: Path) -> None:
    """Roads and rails place things along curves, where coordinates take geometry to know."""
    model = ifcopenshell.file(schema="IFC4X3")
    create = model.create_entity
    points = [create("IfcCartesianPoint", (x, 0.0, 0.0)) for x in (0.0, 100.0)]
    curve = create("IfcPolyline", points)
    along = create(
        "IfcPointByDistanceExpression", create("IfcLengthMeasure", 10.0), BasisCurve=curve
    )
    axes = create("IfcAxis2PlacementLinear", along)
    placement = create("IfcLinearPlacement", RelativePlacement=axes)
    new = ifcopenshell.guid.new
    create("IfcSign", GlobalId=new(), Name="Speed limit", ObjectPlacement=placement)
    create("IfcSign", GlobalId=new(), Name="Stop")
    file = tmp_path / "road.ifc"
    model.write(file)
    before = read(file)

    def move_on(model: Model) -> None:
        (point,) = model.by_type("IfcPointByDistanceExpression")
        point.DistanceAlong = model.create_entity("IfcLengthMeasure", 20.0)

    assert changed(before, edited(file, move_on)) == {"Speed limit"}


def test_a_property_may_be_called_id(steel: Path) -> None:
    """It is a common name in practice, and one that libraries like to use for themselves."""

    def rename(model: Model) -> None:
        column = find(model, "IfcColumn", "Column C-03")
        (relation,) = column.IsDefinedBy
        relation.RelatingPropertyDefinition.HasProperties[0].Name = "id"

    column = named(edited(steel, rename), "Column C-03")

    assert column.properties is not None
    assert column.properties["PropertySets"] == {
        "Pset_ColumnCommon": {"id": "HEB 400", "LoadBearing": True, "IsExternal": True}
    }


def test_a_text_that_looks_like_a_reference_is_a_text(steel: Path) -> None:
    """Names such as "#12" occur; taken for step numbers they would change with every export."""
    before = edited(steel, lambda model: setattr(model.by_type("IfcMaterial")[0], "Name", "#7 'x'"))

    renumbered(steel, steel)

    assert checksums(read(steel)) == checksums(before)


def test_the_owner_history_does_not_count(steel: Path) -> None:
    """Some programs stamp every object on every export, edited or not."""
    before = read(steel)

    def stamp(model: Model) -> None:
        person = model.create_entity("IfcPerson", FamilyName="X")
        firm = model.create_entity("IfcOrganization", Name="Y")
        who = model.create_entity("IfcPersonAndOrganization", person, firm)
        tool = model.create_entity("IfcApplication", firm, "1", "Z", "Z")
        history = model.create_entity(
            "IfcOwnerHistory", OwningUser=who, OwningApplication=tool, CreationDate=1
        )
        for rooted in model.by_type("IfcRoot"):
            rooted.OwnerHistory = history

    assert changed(before, edited(steel, stamp)) == set()


def test_a_reference_into_nothing_costs_no_element(steel: Path) -> None:
    """Exports with a missing line are common; all else in them is still wanted."""
    whole = read(steel)
    lines = steel.read_text().splitlines(keepends=True)
    gone = next(n for n, line in enumerate(lines) if "IFCPROPERTYSET(" in line)
    steel.write_text("".join(lines[:gone] + lines[gone + 1 :]))

    assert read(steel).keys() == whole.keys()
    assert len(changed(whole, read(steel))) == 1


@pytest.mark.parametrize("name", ["('a','b')", "$", "42"])
def test_a_name_that_is_no_text_costs_no_element(steel: Path, name: str) -> None:
    """One careless attribute must not keep a whole model out."""
    whole = read(steel)
    steel.write_text(
        steel.read_text()
        .replace("'Beam B-01','", f"{name},'")
        .replace("'Beam B-01',$", f"{name},$")
    )

    after = read(steel)

    assert after.keys() == whole.keys()
    assert {each.label for each in whole.values()} - {each.label for each in after.values()} == {
        "Beam B-01"
    }
    assert all(element.checksum() for element in after.values())


def test_groups_are_elements_and_their_members_name_them(tmp_path: Path) -> None:
    """Systems are how building services are read."""
    file = tmp_path / "ducts.ifc"
    buildings.ventilation("ducts", file)
    elements = read(file)

    system = named(elements, "Supply air")
    duct = named(elements, "Duct S-01")

    assert system.class_name == "IFC4:IfcSystem"
    assert duct.properties is not None
    assert duct.properties["Groups"] == [system.identifier]


@pytest.mark.parametrize("schema", ["IFC2X3", "IFC4", "IFC4X3"])
def test_every_schema_in_use_is_read(tmp_path: Path, schema: str) -> None:
    """Offices hold models of twenty years."""
    model = ifcopenshell.file(schema=schema)
    project = model.create_entity("IfcProject", GlobalId=ifcopenshell.guid.new(), Name="P")
    site = model.create_entity("IfcSite", GlobalId=ifcopenshell.guid.new(), Name="S")
    grade = model.create_entity("IfcLabel", "A")
    value = model.create_entity("IfcPropertySingleValue", Name="Grade", NominalValue=grade)
    values = model.create_entity(
        "IfcPropertySet",
        GlobalId=ifcopenshell.guid.new(),
        Name="Survey",
        HasProperties=[value],
    )
    model.create_entity(
        "IfcRelAggregates",
        GlobalId=ifcopenshell.guid.new(),
        RelatingObject=project,
        RelatedObjects=[site],
    )
    model.create_entity(
        "IfcRelDefinesByProperties",
        GlobalId=ifcopenshell.guid.new(),
        RelatedObjects=[site],
        RelatingPropertyDefinition=values,
    )
    file = tmp_path / "site.ifc"
    model.write(file)

    found = named(read(file), "S")

    assert found.class_name.removeprefix(f"{schema}").endswith(":IfcSite")
    assert found.parent == project.GlobalId
    assert found.properties is not None
    assert found.properties["PropertySets"] == {"Survey": {"Grade": "A"}}


def test_a_model_without_instances_is_an_empty_one(tmp_path: Path) -> None:
    """It is whole and valid; the report says that all objects are gone."""
    file = tmp_path / "empty.ifc"
    ifcopenshell.file(schema="IFC4").write(file)

    assert read(file) == {}


def test_what_is_told_can_be_written_as_json(steel: Path) -> None:
    """The iModel keeps properties as JSON; a value that is none would fail the whole run."""
    for element in read(steel).values():
        assert json.loads(json.dumps(element.properties)) == element.properties


def test_an_ifczip_says_what_the_ifc_inside_says(tmp_path: Path, steel: Path) -> None:
    """Large models are often kept zipped."""
    file = tmp_path / "steel.ifczip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.write(steel, "steel.ifc")

    assert list(IfcZipConnector().read(file)) == list(IfcConnector().read(steel))


def test_a_zip_without_a_model_is_named_as_that(tmp_path: Path) -> None:
    """The person who mapped it has to learn what is wrong with it."""
    other, xml = tmp_path / "other.ifczip", tmp_path / "xml.ifczip"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("readme.txt", "nothing here")
    with zipfile.ZipFile(xml, "w") as archive:
        archive.writestr("house.ifcXML", "<ifcXML/>")
    noise = tmp_path / "noise.ifczip"
    noise.write_bytes(b"no archive")

    codes = [refusal_of(each).code for each in (other, xml, noise)]

    assert codes == ["FileUnreadable", "FormatVersionUnsupported", "FileIncomplete"]


def refusal_of(file: Path) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        list(IfcZipConnector().read(file))
    return caught.value


def test_a_zip_behind_a_password_or_made_to_fill_the_disk_is_refused(tmp_path: Path) -> None:
    """Each has another fix, and neither may be unpacked first."""
    locked, bomb = tmp_path / "locked.ifczip", tmp_path / "bomb.ifczip"
    with zipfile.ZipFile(locked, "w") as archive:
        archive.writestr("house.ifc", "ISO-10303-21;")
    data = bytearray(locked.read_bytes())
    data[6] |= 1  # the flag of the entry itself, then that in the list of entries
    data[data.index(b"PK\1\2") + 8] |= 1
    locked.write_bytes(data)
    with (
        zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("house.ifc", "w", force_zip64=True) as entry,
    ):
        for _ in range(101):
            entry.write(bytes(1 << 20))

    assert [refusal_of(each).code for each in (locked, bomb)] == ["FileEncrypted", "FileTooLarge"]


def test_a_zip_with_two_models_names_them(tmp_path: Path, steel: Path) -> None:
    """Which of them is meant is for its author to say."""
    file = tmp_path / "both.ifczip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.write(steel, "new.ifc")
        archive.write(steel, "old.ifc")

    with pytest.raises(ConnectorError, match=r"2 models .*new\.ifc, old\.ifc"):
        list(IfcZipConnector().read(file))


def test_two_different_lines_of_one_number_are_refused(steel: Path) -> None:
    """A file merged by hand says two things at once; guessing would lose one of them."""
    text = steel.read_text()
    steel.write_text(text.replace("DATA;", "DATA;\n#1=IFCPERSON('x',$,$,$,$,$,$,$);", 1))

    with pytest.raises(ConnectorError, match="Two instances have one number") as caught:
        list(IfcConnector().read(steel))

    assert caught.value.code == "FileUnreadable"


def test_a_number_that_is_none_refuses_nothing(steel: Path) -> None:
    """Programs write 1.#IND where they divided by zero; one such point is not the model."""
    before = read(steel)
    text = steel.read_text()
    steel.write_text(text.replace("DATA;", "DATA;\n#99999=IFCCARTESIANPOINT((-1.#IND,1.#INF));", 1))

    assert read(steel).keys() == before.keys()


def test_what_is_no_step_is_named(steel: Path) -> None:
    """The author finds the place by the words that stand there."""
    steel.write_text(steel.read_text().replace("DATA;", "DATA;\nhello world;", 1))

    with pytest.raises(ConnectorError, match="hello world"):
        list(IfcConnector().read(steel))


TROUBLES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda data: data[:0], "FileEmpty"),
    "cut off in the data": (lambda data: data[: len(data) // 2], "FileIncomplete"),
    "last line missing": (lambda data: data.replace(b"END-ISO", b""), "FileIncomplete"),
    "no header": (lambda data: b"x" + data[40:], "FileUnreadable"),
    "unknown schema": (lambda data: data.replace(b"'IFC4'", b"'IFC9'"), "FormatVersionUnsupported"),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_file_that_cannot_be_trusted_is_refused(steel: Path, trouble: str) -> None:
    """Half a model read as a whole one would delete the other half from the iModel."""
    damage, code = TROUBLES[trouble]
    steel.write_bytes(damage(steel.read_bytes()))

    with pytest.raises(ConnectorError) as caught:
        list(IfcConnector().read(steel))

    assert caught.value.code == code
    assert caught.value.can_user_fix


def test_a_wrong_escape_in_a_text_costs_nothing_else(steel: Path) -> None:
    """One badly encoded name must not keep thousands of objects out of the iModel."""
    text = steel.read_text().replace("'Beam B-01'", "'Beam \\X\\xx \\X2\\00FC\\X0\\'", 1)
    steel.write_text(text)

    labels = {each.label for each in IfcConnector().read(steel) if isinstance(each, SourceElement)}

    assert "Beam \\X\\xx \\X2\\00FC\\X0\\" in labels
    assert "Beam B-02" in labels


@pytest.mark.parametrize(
    ("written", "label"),
    [("\\S\\' 5 (x)", "\xa7 5 (x)"), ("by \\S\\'", "by \xa7"), ("C:\\S\\", "Beam B-03")],
)
def test_a_paragraph_sign_ends_no_text(steel: Path, written: str, label: str) -> None:
    """Old programs write it with an apostrophe, which once seemed to end the text."""
    steel.write_text(steel.read_text().replace("'Beam B-01'", f"'{written}'", 1))

    labels = {each.label for each in elements_of(steel)}

    assert label in labels
    assert "Beam B-02" in labels
