"""XML: LandXML by its items, other XML as a tree; what is unsafe is refused."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imodel_scene import Scene, source
from lxml import etree

from localtwin.connectors.registry import connector_for
from localtwin.connectors.source import ConnectorError, Extent, SourceElement

NAMESPACE = "http://www.landxml.org/schema/LandXML-1.2"
ROAD = """
<CoordGeom>
  <Line><Start>0 0</Start><End>0 10</End></Line>
  <Curve rot="ccw" radius="5"><Start>0 10</Start><Center>5 10</Center><End>5 15</End></Curve>
</CoordGeom>
<Profile><ProfAlign name="design"><PVI>0 100</PVI><PVI>10 101.5</PVI></ProfAlign></Profile>
"""
SQUARE = [(0, 0, 1), (0, 4, 1), (4, 4, 2), (4, 0, 2), (2, 2, 3)]
FACES = [(0, 1, 4), (1, 2, 4), (2, 3, 4), (3, 0, 4)]


def surface(points: Sequence[Sequence[float]], first: int = 1, *, backwards: bool = False) -> str:
    """Return a surface of four triangles, with its points numbered from `first`."""
    faces = FACES[::-1] if backwards else FACES
    turned = [(c, a, b) if backwards else (a, b, c) for a, b, c in faces]
    texts = [f"<P id='{first + n}'>{p[1]} {p[0]} {p[2]}</P>" for n, p in enumerate(points)]
    triangles = [f"<F>{a + first} {b + first} {c + first}</F>" for a, b, c in turned]
    return (
        "<Surface name='ground'><Definition surfType='TIN'>"
        f"<Pnts>{''.join(texts)}</Pnts><Faces>{''.join(triangles)}</Faces></Definition></Surface>"
    )


def land(file: Path, *, road: str = ROAD, ground: str = "", points: Sequence[str] = ()) -> Path:
    marks = "".join(f"<CgPoint name='{n}'>{text}</CgPoint>" for n, text in enumerate(points))
    file.write_text(
        f"""<?xml version="1.0"?>
<LandXML xmlns="{NAMESPACE}" version="1.2" date="2026-01-01" time="10:00:00">
<Units><Metric linearUnit="meter" areaUnit="squareMeter"/></Units>
<CoordinateSystem epsgCode="2056" desc="Swiss"/>
<Application name="one" version="1"/>
<CgPoints>{marks}</CgPoints>
<Alignments name="all">
  <Alignment name="road" length="17.85" staStart="0">{road}</Alignment>
</Alignments>
<Surfaces>{ground or surface(SQUARE)}</Surfaces>
<Parcels><Parcel name="plot" area="12.50"><CoordGeom>
  <Line><Start pntRef="0"/><End>3 4</End></Line></CoordGeom></Parcel></Parcels>
</LandXML>""",
        "utf-8",
    )
    return file


def read(file: Path) -> dict[str, SourceElement]:
    kind = {".otxml": "OPENTOWER"}.get(file.suffix, "MSTN")
    items = connector_for(kind, file.name).read(file)
    return {each.identifier: each for each in items if isinstance(each, SourceElement)}


def checksums(file: Path) -> dict[str, str]:
    return {identifier: each.checksum() for identifier, each in read(file).items()}


def refusal(file: Path) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        read(file)
    return caught.value


def test_land_xml_has_alignments_surfaces_parcels_and_points(tmp_path: Path) -> None:
    """Northing comes first there; a road drawn the other way round lies in another country."""
    found = read(land(tmp_path / "a.land.xml", points=["1 2 3"]))

    road, ground = found["Alignment/road"], found["Surface/ground"]
    assert road.extent == Extent((0.0, 0.0, 0.0), (15.0, 5.0, 0.0))
    assert len(road.outline) == 1
    assert road.properties == {
        "name": "road",
        "length": 17.85,
        "staStart": 0,
        "profiles": ["design"],
    }
    assert ground.properties == {"name": "ground", "points": 5, "triangles": 4}
    assert ground.extent == Extent((0.0, 0.0, 1.0), (4.0, 4.0, 2.0))
    assert [len(line) for line in ground.outline] == [5]
    assert found["Parcel/plot"].outline == [[(2.0, 1.0), (4.0, 3.0)]]
    assert found["CgPoint/0"].extent == Extent((2.0, 1.0, 3.0), (2.0, 1.0, 3.0))


def test_a_surface_of_points_only_is_compared_by_them(tmp_path: Path) -> None:
    """Surveys come without triangles; an edit of a height must still be seen."""
    points = [surface(each).partition("<Faces>")[0] for each in (SQUARE, [*SQUARE[:4], (2, 2, 9)])]
    files = [f"{each}</Definition></Surface>" for each in points]

    before, after = (read(land(tmp_path / "a.xml", ground=each)) for each in files)

    assert (before["Surface/ground"].properties or {})["triangles"] == 0
    assert before["Surface/ground"].shape != after["Surface/ground"].shape


def test_units_and_coordinate_system_are_kept(tmp_path: Path) -> None:
    """Feet read as metres are the dearest mistake of a survey."""
    heading = read(land(tmp_path / "a.land.xml"))["heading"].properties or {}

    system = heading["coordinate_system"]
    assert isinstance(system, dict)
    assert heading["units"] == {
        "system": "Metric",
        "linearUnit": "meter",
        "areaUnit": "squareMeter",
    }
    assert system["id"] == "EPSG:2056"


def placed(file: Path, system: str) -> tuple[dict[str, SourceElement], str]:
    """Return what a file holds for an iModel that lies in `system`, and the remarks."""
    connector = connector_for("MSTN", file.name)
    connector.place_in(system)
    items = [each for each in connector.read(file) if isinstance(each, SourceElement)]
    return {each.identifier: each for each in items}, " ".join(connector.remarks())


def test_land_xml_is_placed_where_the_imodel_lies(tmp_path: Path) -> None:
    """A survey in the old Swiss system and a plan in the new one must lie upon each other."""
    file = land(tmp_path / "a.land.xml", points=["200000 600000 540"])
    text = file.read_text("utf-8").replace('epsgCode="2056"', 'epsgCode="21781"')
    file.write_text(text.replace("3 4</End>", "200004 600003</End>"), "utf-8")
    before = read(file)

    found, remarks = placed(file, "EPSG:2056")

    point = found["CgPoint/0"].extent
    assert point is not None
    assert point.low == pytest.approx((2_600_000, 1_200_000, 540), abs=2)
    plot = found["Parcel/plot"]
    assert plot.extent is not None
    assert plot.extent.high == pytest.approx((2_600_003, 1_200_004, 540), abs=2)
    assert plot.outline[0][0] == pytest.approx((2_600_000, 1_200_000), abs=2)
    assert plot.shape == before["Parcel/plot"].shape
    assert (found["heading"].properties or {})["placed_in"] == "EPSG:2056"
    assert "placed in EPSG:2056" in remarks


@pytest.mark.parametrize(
    ("written", "replacement", "system", "words"),
    [
        ('epsgCode="2056"', 'epsgCode=""', "EPSG:21781", ""),
        ('epsgCode="2056"', 'epsgCode="2056"', "EPSG:2056", ""),
        ('epsgCode="2056"', 'epsgCode="2056"', "EPSG:4326", ""),
        ('"meter"', '"foot"', "EPSG:21781", "unit of lengths"),
    ],
    ids=["without system", "the same", "degrees", "another unit"],
)
def test_what_cannot_be_placed_stays_as_it_is(
    tmp_path: Path, written: str, replacement: str, system: str, words: str
) -> None:
    """A guess would put a survey where it is not."""
    file = land(tmp_path / "a.land.xml")
    file.write_text(file.read_text("utf-8").replace(written, replacement), "utf-8")

    found, remarks = placed(file, system)

    assert found == read(file)
    assert words in remarks
    assert bool(words) == bool(remarks)


@pytest.mark.parametrize(
    ("change", "changed"),
    [
        ({"road": ROAD.replace("101.5", "102")}, {"Alignment/road"}),
        ({"road": ROAD.replace('radius="5"', 'radius="6"')}, {"Alignment/road"}),
        ({"ground": surface([*SQUARE[:4], (2, 2, 9)])}, {"Surface/ground"}),
        ({"points": ["9 9"]}, {"CgPoint/0", "Parcel/plot"}),
        ({"ground": surface(SQUARE, first=70, backwards=True)}, set()),
        ({"road": ROAD.replace("101.5", "101.5000000004").replace("\n", " ")}, set()),
    ],
    ids=["profile", "curve", "height", "point referred to", "renumbered", "noise"],
)
def test_an_edit_changes_what_it_is_about_and_nothing_else(
    tmp_path: Path, change: dict[str, str], changed: set[str]
) -> None:
    """Programs renumber the points of surfaces with each export; that is no edit."""
    before = checksums(land(tmp_path / "a.land.xml", points=["1 2"]))
    after = checksums(land(tmp_path / "a.land.xml", **({"points": ["1 2"]} | change)))  # type: ignore[arg-type] # a mix of values

    assert before.keys() == after.keys()
    assert {each for each in before if before[each] != after[each]} == changed


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    st.dictionaries(st.integers(0, 9), st.integers(0, 3), max_size=8),
    st.dictionaries(st.integers(0, 9), st.integers(0, 3), max_size=8),
)
def test_generated_edits_of_a_tree_are_counted_exactly(
    first: dict[int, int], second: dict[int, int]
) -> None:
    """Nodes are told apart by what names them, in any order."""

    def tower(file: Path, members: dict[int, int]) -> Path:
        root = etree.Element("OpenTowerModel")
        group = etree.SubElement(root, "Members", guid="all")
        for guid in sorted(members, key=lambda each: (members[each], each)):
            member = etree.SubElement(group, "Member", guid=f"g-{guid}")
            etree.SubElement(member, "Size").text = str(members[guid])
        etree.ElementTree(root).write(str(file), pretty_print=bool(members))
        return file

    with TemporaryDirectory() as folder:
        scene, file = Scene(Path(folder)), Path(folder) / "mast.otxml"
        scene.run(source(tower(file, first), as_type="OPENTOWER"))

        report = scene.run(source(tower(file, second), as_type="OPENTOWER")).sources[0]

        both = first.keys() & second.keys()
        assert (report.inserted, report.updated, report.deleted) == (
            len(second.keys() - both),
            sum(first[each] != second[each] for each in both),
            len(first.keys() - both),
        )


def test_a_tree_keeps_values_names_and_places(tmp_path: Path) -> None:
    """What no schema is published for can still be compared and found."""
    file = tmp_path / "mast.otxml"
    file.write_text(
        "<Tower xmlns='urn:x' name='M1'><Height unit='m'>40.50</Height>"
        "<Leg id='L1'><Size>L100</Size><X>1.5</X><Y>2</Y></Leg>"
        "<Leg id='L2'><Note>a</Note><Note>b</Note></Leg></Tower>"
    )

    found = read(file)

    assert found["Tower"].label == "M1"
    assert found["Tower/Height"].properties == {"unit": "m", "text": 40.5}
    assert found["Tower/Leg L1"].extent == Extent((1.5, 2.0, 0.0), (1.5, 2.0, 0.0))
    assert found["Tower/Leg L2"].properties == {"id": "L2", "Note": ["a", "b"]}
    assert found["Tower/Leg L2"].parent == "Tower"


def test_a_nameless_node_is_known_by_what_is_in_it(tmp_path: Path) -> None:
    """Otherwise an edit of one leg made its section a new one, with all that is in that."""
    file = tmp_path / "mast.otxml"
    legs = (f"<Leg id='{n}a' size='80'/><Leg id='{n}b' size='90'/>" for n in range(5))
    sections = [f"<Section>{each}</Section>" for each in legs]
    file.write_text(f"<Mast>{''.join(sections)}</Mast>", "utf-8")
    before = checksums(file)

    edited = [sections[0].replace("80", "85"), *sections[:0:-1]]
    file.write_text(f"<Mast>{''.join(edited)}</Mast>", "utf-8")
    after = checksums(file)

    assert before.keys() == after.keys()
    assert {key for key in before if before[key] != after[key]} == {
        "Mast/Section with Leg 0a/Leg 0a"
    }


def test_nodes_of_one_name_are_told_apart_by_their_content(tmp_path: Path) -> None:
    """A name used twice is no reason to take a new order for an edit."""
    legs = ["<Leg name='L'><Size>1</Size></Leg>", "<Leg name='L'><Size>2</Size></Leg>"]
    file = tmp_path / "mast.otxml"
    file.write_text(f"<Tower>{''.join(legs)}</Tower>")
    before = checksums(file)
    file.write_text(f"<Tower>{''.join(reversed(legs))}</Tower>")

    assert len(before) == 3
    assert checksums(file) == before


BOMB = "<!DOCTYPE a [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'>]><a>&b;</a>"
FILE = "<!DOCTYPE a [<!ENTITY a SYSTEM 'file:///etc/hostname'>]><LandXML>&a;</LandXML>"


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        ("", "FileEmpty", "empty"),
        (BOMB, "UnsafeXml", "document type"),
        (FILE, "UnsafeXml", "document type"),
        ("<!DOCTYPE LandXML SYSTEM 'http://127.0.0.1:9/x.dtd'><LandXML/>", "UnsafeXml", "type"),
        ("<LandXML><Units>", "FileIncomplete", "Line 1"),
        ("<a>\n<b></a>", "FileUnreadable", "Line 2"),
        ("<a>" * 300, "FileUnreadable", "200 levels"),
        ("PK\x03\x04", "FileTypeMismatch", "ZIP"),
    ],
    ids=["empty", "bomb", "foreign file", "foreign DTD", "cut", "crossed", "deep", "zip"],
)
def test_unsafe_and_broken_xml_is_refused(
    tmp_path: Path, content: str, code: str, words: str
) -> None:
    """A small file must neither fill the memory nor carry another file away."""
    file = tmp_path / "a.xml"
    file.write_text(content)

    error = refusal(file)

    assert words in error.message
    assert error.code == code
