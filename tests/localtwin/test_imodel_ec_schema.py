"""The EC schema of an iModel follows from what its sources contain, and is exported as XML."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imodel_sources import Model, element, link

from localtwin.connectors.source import Json, Partition
from localtwin.imodel.classes import DEPTH_MAX, PROPERTIES_MAX
from localtwin.imodel.database import opened_to_read
from localtwin.imodel.ec_names import Shape, ec_name, merged, shape_of
from localtwin.imodel.ec_xml import NAMESPACE, schema_versions, schema_xml
from localtwin.imodel.report import Changes


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return Model(tmp_path)


def properties(model: Model, class_name: str = "Test:Beam") -> dict[object, tuple[object, ...]]:
    """Return (EC name, type, is it an array) by name, of one class."""
    rows = model.rows(
        "SELECT Class.Name, Property.Name, Property.ECName, Type, IsArray"
        " FROM ec_Property AS Property JOIN ec_Class AS Class ON Class.Id = ClassId"
    )
    return {row[1]: row[2:] for row in rows if row[0] == class_name}


def version(model: Model) -> tuple[object, ...]:
    (row,) = model.rows("SELECT VersionRead, VersionWrite, VersionMinor FROM ec_Schema")
    return row


def exported(model: Model, name: str = "Test") -> ET.Element:
    with opened_to_read(model.file) as database:
        return ET.fromstring(schema_xml(database, name))  # noqa: S314 (our own)


def names_of(model: Model) -> list[str]:
    with opened_to_read(model.file) as database:
        return [name for name, _ in schema_versions(database)]


def find(root: ET.Element, tag: str, **attributes: str) -> ET.Element:
    (found,) = (
        each
        for each in root.iter(f"{{{NAMESPACE}}}{tag}")
        if attributes.items() <= each.attrib.items()
    )
    return found


def test_each_class_has_the_properties_of_its_elements_with_their_types(model: Model) -> None:
    """A consumer reads the schema to know what it may ask for."""
    model.sync(
        element("a", width=0.3, count=2, name="HEA", loaded=True, tags=["x"], huge=1 << 40),
        element("b", class_name="Test:Slab", height=1.0),
        element("c", note=None),
    )

    assert properties(model) == {
        "width": ("width", "double", 0),
        "count": ("count", "int", 0),
        "name": ("name", "string", 0),
        "loaded": ("loaded", "boolean", 0),
        "tags": ("tags", "string", 1),
        "huge": ("huge", "long", 0),
    }
    assert properties(model, "Test:Slab") == {"height": ("height", "double", 0)}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((1, 2.5), ("double", 0)),
        ((1, 1 << 33), ("long", 0)),
        (("x", 1), ("string", 0)),
        ((True, 1), ("string", 0)),
        ((["x"], [1]), ("string", 1)),
        (([1], [1.5]), ("double", 1)),
        ((["x"], "x"), ("json", 0)),
        (({"a": 1}, 1), ("json", 0)),
        (([[1]], [[2]]), ("json", 0)),
        ((None, 1), ("int", 0)),
    ],
)
def test_a_type_is_widened_until_it_holds_every_value(
    model: Model, values: tuple[Json, Json], expected: tuple[str, int]
) -> None:
    """Elements of one class seldom agree; the schema must be true of all of them."""
    model.sync(*(element(f"e{n}", value=value) for n, value in enumerate(values)))

    assert properties(model)["value"][1:] == expected


def test_nested_properties_become_a_struct_shared_by_classes(model: Model) -> None:
    """A property set means the same on every class, so it is one struct."""
    model.sync(
        element("a", Pset={"Span": 8.0}),
        element("b", class_name="Test:Slab", Pset={"Load": "x"}),
    )

    assert properties(model)["Pset"][1] == properties(model, "Test:Slab")["Pset"][1] == "struct"
    assert sorted(map(str, properties(model, "Test:{Pset}"))) == ["Load", "Span"]


def test_what_has_no_bound_stays_in_the_json(model: Model) -> None:
    """Names made of data, or nested without end, must not make a schema without end."""
    deep: Json = 1
    for _ in range(DEPTH_MAX + 5):
        deep = {"in": deep}
    model.sync(element("a", deep=deep, wide={f"row {n}": n for n in range(PROPERTIES_MAX + 5)}))

    assert len(properties(model, "Test:{wide}")) == PROPERTIES_MAX
    assert properties(model, "Test:{in}")["in"][1] == "json"


def test_a_new_schema_starts_at_version_1(model: Model) -> None:
    """However many classes come with the first file."""
    tally = model.sync(element("a", x=1), element("b", class_name="Test:Slab"))

    assert version(model) == (1, 0, 0)
    assert tally.changes & Changes.SCHEMA


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        ([element("a", x=2)], (1, 0, 0)),
        ([element("a", x=2, y=1, z=1)], (1, 0, 1)),
        ([element("a", x=1), element("b", class_name="Test:Slab")], (1, 0, 1)),
        ([element("a", x=0.5, y=1)], (2, 0, 0)),
        ([element("a", x=1, partition=Partition.DEFINITION)], (2, 0, 0)),
    ],
)
def test_the_version_says_what_kind_of_change_it_was(
    model: Model, edit: list[object], expected: tuple[int, int, int]
) -> None:
    """Additions are a minor change; a changed type or base breaks those who read the old one."""
    model.sync(element("a", x=1))

    model.sync(*edit)  # type: ignore[arg-type]  # elements, from the table above

    assert version(model) == expected


def test_a_schema_never_shrinks(model: Model) -> None:
    """Programs built on the schema must go on working when the last such element is gone."""
    model.sync(element("a", x=1))

    model.sync()

    assert properties(model) == {"x": ("x", "int", 0)}
    assert version(model) == (1, 0, 0)


def test_schemas_of_several_sources_are_merged_by_name(model: Model) -> None:
    """Two DWG files make one DWG schema, a DGN file another one."""
    model.sync(element("a", x=1), name="one")
    model.sync(element("a", y=1), name="two")
    model.sync(element("a", class_name="DGN:Line"), name="three")

    assert names_of(model) == ["DGN", "Test"]
    assert sorted(map(str, properties(model))) == ["x", "y"]


def test_a_schema_that_only_grew_is_a_changeset(model: Model) -> None:
    """The version of the schema has to travel with the element that needs it."""
    model.sync(element("a", x=1))

    tally = model.sync(element("a", x=1, y=2))

    assert tally.changes == Changes.SCHEMA | Changes.SPATIAL_DATA


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("IfcWall", "IfcWall"),
        ("3DFACE", "__x0033__DFACE"),
        ("Höhe (m)", "H__x00F6__he__x0020____x0028__m__x0029__"),
        ("", "_"),
        ("\U0001d6fc", "__xD835____xDEFC__"),
    ],
)
def test_names_are_encoded_as_ec_readers_decode_them(name: str, expected: str) -> None:
    """A viewer shows "3DFACE" again."""
    assert ec_name(name) == expected


@given(st.lists(st.text(max_size=4), max_size=20))
def test_ec_names_are_valid_and_unique_without_regard_to_case(names: list[str]) -> None:
    """One invalid or repeated name makes the whole schema unreadable."""
    taken: set[str] = set()
    for name in names:
        valid = ec_name(name, taken)
        assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", valid)
        assert valid.lower() not in taken
        taken.add(valid.lower())


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 40), 1 << 40)
    | st.floats()
    | st.text(max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=5,
)
SHAPES = VALUES.map(shape_of).filter(bool)


@given(SHAPES, SHAPES, SHAPES)
def test_merging_types_does_not_depend_on_the_order(one: Shape, two: Shape, three: Shape) -> None:
    """The order of elements in a file must not change its schema."""
    assert merged(one, two) == merged(two, one)
    assert merged(merged(one, two), three) == merged(one, merged(two, three))
    assert merged(one, one) == one


def test_names_that_differ_in_case_or_mean_something_in_bis_stay_apart(model: Model) -> None:
    """EC has one "Category", and knows no difference between "Width" and "WIDTH"."""
    model.sync(element("a", Width=1, WIDTH=2, Category="x"))

    assert {name: row[0] for name, row in properties(model).items()} == {
        "Width": "Width",
        "WIDTH": "WIDTH_2",
        "Category": "Category_2",
    }


def test_the_xml_states_classes_properties_structs_and_relationships(model: Model) -> None:
    """It is what other programs of the iTwin Platform import."""
    model.sync(
        element("a", width=0.3, tags=["x"], Pset={"Span": 8.0}, odd=[[1]]),
        element("b", class_name="Test:3DFACE", partition=Partition.SHEET),
        link("a", "b", since=3),
    )

    root = exported(model)

    assert root.attrib == {"schemaName": "Test", "alias": "test", "version": "01.00.00"}
    assert find(root, "ECSchemaReference").get("name") == "BisCore"
    beam = find(root, "ECEntityClass", typeName="Beam")
    assert find(beam, "BaseClass").text == "bis:PhysicalElement"
    assert find(beam, "ECProperty", propertyName="width").get("typeName") == "double"
    assert find(beam, "ECArrayProperty", propertyName="tags").get("maxOccurs") == "unbounded"
    assert find(beam, "ECStructProperty", propertyName="Pset").get("typeName") == "Pset"
    assert find(beam, "ECProperty", propertyName="odd").get("extendedTypeName") == "Json"
    face = find(root, "ECEntityClass", displayLabel="3DFACE")
    assert face.get("typeName") == "__x0033__DFACE"
    holds = find(root, "ECRelationshipClass", typeName="Holds")
    assert find(holds, "BaseClass").text == "bis:ElementRefersToElements"
    assert find(holds, "ECProperty", propertyName="since").get("typeName") == "int"
    order = [each.get("typeName") for each in root if "typeName" in each.attrib]
    assert order.index("Pset") == 0


def test_a_class_in_several_kinds_of_model_has_a_base_they_share(model: Model) -> None:
    """A line may be in the plan and on a sheet; EC allows one base class."""
    model.sync(element("a"), element("b", partition=Partition.SHEET))

    beam = find(exported(model), "ECEntityClass", typeName="Beam")

    assert find(beam, "BaseClass").text == "bis:Element"


def test_classes_of_biscore_are_used_as_they_are(model: Model) -> None:
    """A standard schema must not get additional properties."""
    model.sync(element("a", class_name="BisCore:SpatialCategory", color=3))

    assert names_of(model) == []
    assert model.rows("SELECT * FROM ec_Property") == []


def test_an_unknown_schema_is_an_error(model: Model) -> None:
    """A mistyped name must not give an empty file."""
    with pytest.raises(KeyError):
        exported(model, "Unknown")
