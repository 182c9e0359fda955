"""Geospatial files: features keep their identity and place, whoever wrote them."""

import json
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import pyogrio
import pyproj
import pytest
import shapefile
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from imodel_scene import Scene, source

from localtwin.connectors.coordinate_systems import described
from localtwin.connectors.geospatial_shapes import extent_of, shape_of
from localtwin.connectors.registry import connector_for
from localtwin.connectors.source import ConnectorError, Extent, Partition, SourceElement


class Well(NamedTuple):
    """A feature of the tests."""

    tag: str
    depth: float
    area: tuple[tuple[float, float], ...]


TYPES = {"tag": object, "depth": float}
WELLS = [
    Well(f"W-{n}", n + 0.5, ((n, 0.0), (n, 2.0), (n + 1.0, 2.0), (n + 1.0, 0.0), (n, 0.0)))
    for n in range(6)
]


def with_gdal(file: Path, wells: Sequence[Well], fields: Sequence[str] = ("tag", "depth")) -> Path:
    for old in file.parent.glob(f"{file.stem}.*"):
        old.unlink()
    pyogrio.raw.write(
        file,
        shapely.to_wkb(np.array([shapely.Polygon(well.area) for well in wells], dtype=object)),
        [
            np.array([getattr(well, field) for well in wells], dtype=TYPES[field])
            for field in fields
        ],
        fields=np.array(fields, dtype=object),
        geometry_type="Polygon",
        crs="EPSG:4326",
    )
    return file


def with_gdal_in_another_order(file: Path, wells: Sequence[Well]) -> Path:
    return with_gdal(file, wells, ("depth", "tag"))


def shapefile_with_pyshp(file: Path, wells: Sequence[Well]) -> Path:
    with shapefile.Writer(str(file)) as writer:
        writer.field("tag", "C", 80)
        writer.field("depth", "N", 24, 15)
        for well in wells:
            writer.poly([list(well.area)])
            writer.record(well.tag, well.depth)
    file.with_suffix(".prj").write_text(pyproj.CRS("EPSG:4326").to_wkt("WKT1_ESRI"), "utf-8")
    file.with_suffix(".cpg").write_text("UTF-8", "utf-8")
    return file


def geojson_by_hand(file: Path, wells: Sequence[Well]) -> Path:
    features = [
        {
            "type": "Feature",
            "properties": {"tag": well.tag, "depth": well.depth},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[x + 1e-10, y] for x, y in reversed(well.area)]],
            },
        }
        for well in wells
    ]
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}, indent=2))
    return file


def kml_by_hand(file: Path, wells: Sequence[Well]) -> Path:
    marks = [
        f"<Placemark><name>{well.tag}</name><ExtendedData><Data name='depth'><value>{well.depth}"
        "</value></Data></ExtendedData><Polygon><outerBoundaryIs><LinearRing><coordinates>"
        + " ".join(f"{x},{y}" for x, y in well.area)
        + "</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark>"
        for well in wells
    ]
    start = "<?xml version='1.0'?><kml xmlns='http://www.opengis.net/kml/2.2'><Document>"
    file.write_text(f"{start}<name>Wells</name>{''.join(marks)}</Document></kml>", "utf-8")
    return file


WRITERS: dict[str, Callable[[Path, Sequence[Well]], Path]] = {
    "wells.shp": with_gdal,
    "wells.gpkg": with_gdal,
    "wells.geojson": geojson_by_hand,
    "wells.kml": kml_by_hand,
}


def read(file: Path) -> dict[str, SourceElement]:
    items = connector_for("GEOSPATIAL", file.name).read(file)
    return {each.identifier: each for each in items if isinstance(each, SourceElement)}


def remarks_of(file: Path) -> str:
    connector = connector_for("GEOSPATIAL", file.name)
    assert list(connector.read(file))
    return " ".join(connector.remarks())


def refusal(file: Path) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        read(file)
    return caught.value


@pytest.mark.parametrize("name", WRITERS)
def test_features_have_attributes_extent_and_outline(tmp_path: Path, name: str) -> None:
    """A map without places or names shows nobody what has changed."""
    found = read(WRITERS[name](tmp_path / name, WELLS))

    layer, *wells = found.values()
    third = wells[2]
    properties: dict[str, Any] = dict(third.properties or {})
    assert [each.code for each in wells] == [well.tag for well in WELLS]
    assert float(properties["depth"]) == 2.5
    assert third.extent == Extent((2.0, 0.0, 0.0), (3.0, 2.0, 0.0))
    assert len(third.outline) == 1
    assert len(third.outline[0]) == 5
    assert third.category == layer.identifier
    assert (layer.partition, third.partition) == (Partition.DEFINITION, Partition.PHYSICAL)
    coordinate_system: Any = (layer.properties or {})["coordinate_system"]
    assert coordinate_system["id"] == "EPSG:4326"


@pytest.mark.parametrize("name", WRITERS)
@settings(max_examples=8, deadline=None, derandomize=True)
@given(
    order=st.permutations(range(6)),
    gone=st.sets(st.integers(0, 5), max_size=2),
    moved=st.sets(st.integers(0, 5), max_size=2),
    deeper=st.sets(st.integers(0, 5), max_size=2),
)
def test_generated_edits_are_counted_exactly(
    name: str, order: list[int], gone: set[int], moved: set[int], deeper: set[int]
) -> None:
    """Features in another order are the same; moved and edited ones are modifications."""
    new = [
        Well(
            well.tag,
            well.depth + (n in deeper),
            tuple((x, y + 5 * (n in moved)) for x, y in well.area),
        )
        for n, well in ((n, WELLS[n]) for n in order)
        if n not in gone
    ] + [Well("N-1", 1.0, WELLS[0].area)]
    with TemporaryDirectory() as folder, TemporaryDirectory() as other:
        scene, fresh = Scene(Path(folder)), Scene(Path(other))
        (Path(folder) / "drive").mkdir()
        file = Path(folder) / "drive" / name
        scene.run(source(WRITERS[name](file, WELLS), as_type="GEOSPATIAL"))
        WRITERS[name](file, new)

        report = scene.run(source(file, as_type="GEOSPATIAL"))
        fresh.run(source(file, as_type="GEOSPATIAL"))

        counted = report.sources[0]
        assert (counted.inserted, counted.updated, counted.deleted) == (
            1,
            len((moved | deeper) - gone),
            len(gone),
        )
        held = "SELECT Identifier, Checksum FROM bis_ExternalSourceAspect ORDER BY 1"
        assert scene.rows(held) == fresh.rows(held)


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("wells.shp", with_gdal, shapefile_with_pyshp),
        ("wells.shp", with_gdal, with_gdal_in_another_order),
        ("wells.geojson", geojson_by_hand, with_gdal),
        ("wells.geojson", geojson_by_hand, with_gdal_in_another_order),
        ("wells.gpkg", with_gdal, with_gdal_in_another_order),
    ],
)
def test_a_file_of_another_writer_makes_no_changeset(
    tmp_path: Path, name: str, first: Callable[..., Path], second: Callable[..., Path]
) -> None:
    """Writers differ in order, direction of rings, the last digit and the text of the system."""
    scene, folder = Scene(tmp_path), tmp_path / "drive"
    folder.mkdir()
    scene.run(source(first(folder / name, WELLS), as_type="GEOSPATIAL"))
    before = (folder / name).read_bytes()
    second(folder / name, WELLS)
    assert (folder / name).read_bytes() != before or name.endswith("shp")

    report = scene.run(source(folder / name, as_type="GEOSPATIAL"))

    assert report.changesets == ()


def test_a_system_that_cannot_be_computed_costs_no_feature(tmp_path: Path) -> None:
    """Programs write systems that only they know; the map is there all the same."""
    file = with_gdal(tmp_path / "wells.shp", WELLS)
    file.with_suffix(".prj").write_text(
        'PROJCS["Unknown",GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137,'
        '298.257223563]],PRIMEM["Greenwich",0],UNIT["Degree",0.017453292519943295]],'
        'PROJECTION["Unknown Projection"],PARAMETER["central_meridian",0],UNIT["Meter",1]]'
    )

    layer, *wells = read(file).values()

    system: Any = (layer.properties or {})["coordinate_system"]
    assert len(wells) == len(WELLS)
    assert system["name"] == "Unknown"
    assert "Unknown Projection" in system["definition"].replace("_", " ")


def test_features_without_a_key_are_their_content(tmp_path: Path) -> None:
    """The number of a feature moves with each deletion before it."""
    file = tmp_path / "a.geojson"

    def written(*xs: float) -> dict[str, SourceElement]:
        features = [
            {
                "type": "Feature",
                "properties": {"kind": "tree"},
                "geometry": {"type": "Point", "coordinates": [x, 1]},
            }
            for x in xs
        ]
        file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
        return read(file)

    assert written(1, 2, 3).keys() > written(3, 2).keys()


def test_numbers_that_the_writer_of_kml_gave_identify_nothing(tmp_path: Path) -> None:
    """GDAL numbers placemarks anew with each save, so one deleted would change all that follow."""
    file, ids = tmp_path / "a.kml", "<Placemark id='All_wells.{}'><name>W-{}</name>{}</Placemark>"
    point = "<Point><coordinates>1,2</coordinates></Point>"

    def placemarks(numbers: Sequence[int]) -> dict[str, str]:
        marks = "".join(ids.format(n, each, point) for n, each in enumerate(numbers, 1))
        start = "<?xml version='1.0'?><kml xmlns='http://www.opengis.net/kml/2.2'><Document>"
        file.write_text(f"{start}<name>All wells</name>{marks}</Document></kml>", "utf-8")
        return {key: each.checksum() for key, each in read(file).items()}

    before, after = placemarks(range(6)), placemarks((0, 1, 3, 4, 5))

    assert before.keys() - after.keys() == {"All wells/W-2"}
    assert after.items() <= before.items()


def test_the_ids_of_geojson_identify_its_features(tmp_path: Path) -> None:
    """They are made for that."""
    file = tmp_path / "a.geojson"
    feature = {
        "type": "Feature",
        "id": "f-1",
        "properties": {"open": None, "at": {"floor": 2}, "when": "2024-01-02T03:04:05Z"},
        "geometry": None,
    }
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))

    found = read(file)["Features/f-1"]

    assert found.properties is not None
    assert found.properties["at"] == {"floor": 2}
    assert found.extent is None


@pytest.mark.parametrize(
    ("missing", "words"),
    [(".dbf", "no attributes"), (".prj", "not known"), (".shx", "without it"), (".cpg", "accents")],
)
def test_a_missing_sidecar_is_explained(tmp_path: Path, missing: str, words: str) -> None:
    """A shapefile is four files, and mail and drives lose one of them."""
    shapefile_with_pyshp(tmp_path / "wells.shp", WELLS)
    for each in list(tmp_path.iterdir()):
        if each.suffix == missing:
            each.unlink()
        else:
            each.rename(tmp_path / each.name.upper())

    assert words in remarks_of(tmp_path / "WELLS.SHP")
    assert len(read(tmp_path / "WELLS.SHP")) == 1 + len(WELLS)


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.shp", b"", "FileEmpty"),
        ("a.shp", b"\x00\x00\x27\x0a" + bytes(20), "FileIncomplete"),
        ("a.shp", b"%PDF-1.7", "FileTypeMismatch"),
        ("a.geojson", b"<?xml version='1.0'?><kml/>", "FileTypeMismatch"),
        ("a.geojson", b'{"type": "FeatureCollection", "features": [{"type"', "FileUnreadable"),
        ("a.kml", b"<OGRVRTDataSource><OGRVRTLayer name='passwd'/>", "FileTypeMismatch"),
        ("a.kml", b"<!DOCTYPE kml [<!ENTITY a 'b'>]><kml>&a;</kml>", "FileTypeMismatch"),
        ("a.kml", b"<kml xmlns='http://www.opengis.net/kml/2.2'><Document>", "FileUnreadable"),
        ("a.gpkg", b"SQLite format 3\x00" + bytes(100), "FileTypeMismatch"),
        ("a.gpkg", b"SQLite format 3\x00" + bytes(52) + b"GPKG" + bytes(30), "FileUnreadable"),
        ("a.gpkg", b"SQLite format 3\x00" + bytes(52) + b"GPKG", "FileIncomplete"),
        ("a.gpkg", b"PK\x03\x04", "FileTypeMismatch"),
    ],
)
def test_what_is_no_such_file_is_refused(
    tmp_path: Path, name: str, content: bytes, code: str
) -> None:
    """GDAL goes by content, and some of its formats name other files to read."""
    (tmp_path / name).write_bytes(content)

    assert refusal(tmp_path / name).code == code


@pytest.mark.parametrize("extension", [".shp", ".dbf", ".gpkg"])
def test_half_a_file_is_refused(tmp_path: Path, extension: str) -> None:
    """Half of it read as if it were whole would delete the other half from the iModel."""
    name = "wells.gpkg" if extension == ".gpkg" else "wells.shp"
    file = with_gdal(tmp_path / name, WELLS)
    part = file.with_suffix(extension)
    part.write_bytes(part.read_bytes()[: part.stat().st_size // 2])

    error = refusal(file)

    assert error.code == "FileIncomplete"
    assert extension in error.message or extension == ".gpkg"


KML = """<kml xmlns="http://www.opengis.net/kml/2.2"><Document>
<Placemark><name>stub</name><LineString><coordinates>8,47</coordinates></LineString></Placemark>
<Placemark><name>open</name><Polygon><outerBoundaryIs><LinearRing><coordinates>
8,47 9,47 9,48 8,48</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark>
<Placemark><name>point</name><Point><coordinates>8,47</coordinates></Point></Placemark>
</Document></kml>"""


def test_an_odd_shape_refuses_no_other(tmp_path: Path) -> None:
    """One line of a single point, of thousands, must not keep a map out."""
    file = tmp_path / "map.kml"
    file.write_text(KML)
    connector = connector_for("GEOSPATIAL", file.name)

    found = {each.label: each for each in connector.read(file) if isinstance(each, SourceElement)}

    assert found["point"].extent
    assert found["open"].extent
    assert found["stub"].extent is None
    assert found["stub"].shape
    assert [each for each in connector.remarks() if "line of one point" in each]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("is_marked", [False, True])
def test_surfaces_of_triangles_are_areas(order: str, *, is_marked: bool) -> None:
    """Shapefiles of terrain and buildings are made of them."""

    def head(kind: int, count: int) -> bytes:
        code = (kind | 0x80000000) if is_marked else kind + 1000
        return bytes([order == "<"]) + struct.pack(f"{order}II", code, count)

    corners = [(0, 0, 1), (4, 0, 1), (0, 3, 2), (0, 0, 1)]
    points = b"".join(struct.pack(f"{order}3d", *each) for each in corners)
    triangle = head(17, 1) + struct.pack(f"{order}I", 4) + points

    geometry, shape = shape_of(head(7, 2) + head(16, 1) + triangle + head(15, 1) + triangle)

    assert geometry is not None
    assert shape
    assert extent_of(geometry) == Extent((0, 0, 1), (4, 3, 2))
    assert shape_of(head(16, 1) + triangle[:20]) != (None, "")


def test_features_are_placed_where_the_imodel_lies(tmp_path: Path) -> None:
    """A map in degrees and a survey in metres lie upon each other; the first decides where."""
    corner = (2_600_000.0, 1_200_000.0)  # of the Swiss system, in which this is Bern
    to_degrees = pyproj.Transformer.from_crs("EPSG:2056", "EPSG:4326", always_xy=True)
    east, north = to_degrees.transform(*corner)
    scene, folder = Scene(tmp_path), tmp_path / "drive"
    folder.mkdir()
    survey = with_points(folder / "survey.gpkg", [corner], "EPSG:2056")
    degrees = with_points(folder / "map.geojson", [(east, north), (east, 95.0)], "EPSG:4326")
    orders = [source(each, as_type="GEOSPATIAL") for each in (survey, degrees)]

    report = scene.run(*orders)

    found = scene.rows(
        "SELECT MinX, MinY FROM bis_Element JOIN bis_ExternalSourceAspect ON ElementId = Id"
        " WHERE Identifier LIKE '%~P0' OR Identifier LIKE '%/P0'"
    )
    assert [pytest.approx(corner, abs=0.01)] * 2 == found
    assert [each for each in report.sources[1].remarks if "placed in EPSG:2056" in each]
    assert [each for each in report.sources[1].remarks if "1 feature" in each and "outside" in each]
    degrees.write_text(degrees.read_text("utf-8") + "\n", "utf-8")  # so that it is read again
    assert scene.run_in("EPSG:2056", *orders).changesets == ()


def with_points(file: Path, points: Sequence[tuple[float, float]], crs: str) -> Path:
    pyogrio.raw.write(
        file,
        shapely.to_wkb(shapely.points(np.array(points))),
        [np.array([f"P{number}" for number in range(len(points))], dtype=object)],
        fields=np.array(["tag"], dtype=object),
        geometry_type="Point",
        crs=crs,
        layer="points" if file.suffix == ".gpkg" else None,
    )
    return file


def test_an_imodel_in_degrees_moves_nothing(tmp_path: Path) -> None:
    """Metres turned into degrees would be of no use to anybody."""
    file = with_points(tmp_path / "survey.gpkg", [(2_600_000.0, 1_200_000.0)], "EPSG:2056")
    connector = connector_for("GEOSPATIAL", file.name)
    before = list(connector.read(file))

    connector.place_in("EPSG:4326")

    assert list(connector.read(file)) == before


def test_a_shapefile_without_attributes_has_none(tmp_path: Path) -> None:
    """GDAL writes a column of numbers where there is none, which is nobody's content."""
    file = tmp_path / "points.shp"
    pyogrio.raw.write(
        file,
        shapely.to_wkb(shapely.points(np.array([(1.0, 2.0)]))),
        [],
        fields=np.array([], dtype=object),
        geometry_type="Point",
        crs="EPSG:2056",
    )

    (point,) = [each for name, each in read_all(file).items() if "layer" not in name]

    assert point.properties == {}


def read_all(file: Path) -> dict[str, SourceElement]:
    items = connector_for("GEOSPATIAL", file.name).read(file)
    return {each.identifier: each for each in items if isinstance(each, SourceElement)}


def test_a_system_of_ones_own_is_compared_by_what_it_computes() -> None:
    """ESRI and OGC spell the same definition in two ways."""
    parameters = "+proj=lcc +lat_1=43 +lat_2=45 +lat_0=41.75 +lon_0=-120.5 +ellps=GRS80 +units=m"
    crs = pyproj.CRS(parameters)

    first, second = (described(crs.to_wkt(each)) for each in ("WKT1_ESRI", "WKT2_2019"))

    assert {**first, "name": ""} == {**second, "name": ""}
    assert first["unit"] == "metre"
