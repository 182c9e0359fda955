"""Damaged files of every format are refused or read, and never take the reader down."""

import json
import random
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import numpy as np
import openpyxl
import pyogrio
import pytest
import shapely
import xlwt
from hypothesis import given, settings
from hypothesis import strategies as st

from localtwin.connectors.registry import connector_for
from localtwin.connectors.source import ConnectorError, read_source

ROWS = [("Tag", "Flow")] + [(f"P-{n}", n + 0.5) for n in range(40)]


def workbook(file: Path) -> None:
    book = openpyxl.Workbook()
    for row in ROWS:
        book.worksheets[0].append(list(row))
    book.save(file)


def old_workbook(file: Path) -> None:
    book = xlwt.Workbook()
    page = book.add_sheet("A")
    for number, row in enumerate(ROWS):
        for column, value in enumerate(row):
            page.write(number, column, value)
    book.save(str(file))


def map_of(file: Path) -> None:
    pyogrio.raw.write(
        file,
        shapely.to_wkb(shapely.points(np.arange(40.0), 1.0)),
        [np.array([f"P-{n}" for n in range(40)], dtype=object)],
        fields=np.array(["tag"], dtype=object),
        driver="LIBKML" if file.suffix == ".kml" else None,
        geometry_type="Point",
        crs="EPSG:4326",
    )


def table(file: Path) -> None:
    file.write_text("\n".join(f"{tag},{flow}" for tag, flow in ROWS))


def objects(file: Path) -> None:
    file.write_text(json.dumps([{"tag": tag, "flow": flow} for tag, flow in ROWS]))


def land(file: Path) -> None:
    points = "".join(f"<P id='{n}'>{n} {n * n} 1</P>" for n in range(1, 40))
    faces = "".join(f"<F>{n} {n + 1} {n + 2}</F>" for n in range(1, 38))
    file.write_text(
        "<LandXML xmlns='u'><Surfaces><Surface name='g'><Definition surfType='TIN'>"
        f"<Pnts>{points}</Pnts><Faces>{faces}</Faces></Definition></Surface></Surfaces></LandXML>"
    )


def archive(file: Path) -> None:
    with ZipFile(file, "w") as written:
        for tag, flow in ROWS:
            written.writestr(str(tag), str(flow))


FORMATS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "a.xlsx": ("PSEXCEL", workbook),
    "a.xls": ("PSEXCEL", old_workbook),
    "a.csv": ("PSEXCEL", table),
    "a.json": ("INTELLIPID", objects),
    "a.shp": ("GEOSPATIAL", map_of),
    "a.geojson": ("GEOSPATIAL", map_of),
    "a.kml": ("GEOSPATIAL", map_of),
    "a.gpkg": ("GEOSPATIAL", map_of),
    "a.land.xml": ("MSTN", land),
    "a.zip": ("SPPID", archive),
    "a.pid": ("SPPID", old_workbook),
}


@cache
def sound(name: str) -> dict[str, bytes]:
    """Return the contents of a sound file and its companions, by name."""
    with TemporaryDirectory() as folder:
        FORMATS[name][1](Path(folder) / name)
        return {each.name: each.read_bytes() for each in Path(folder).iterdir()}


def damaged(content: bytes, seed: int, cut: float) -> bytes:
    """Return the content cut short and with a few bytes exchanged."""
    source = random.Random(seed)  # noqa: S311 - damage need not be a secret
    data = bytearray(content[: max(1, int(len(content) * cut))])
    for _ in range(source.randrange(6)):
        data[source.randrange(len(data))] = source.randrange(256)
    return bytes(data)


def outcome(file: Path) -> tuple[int, ConnectorError | None]:
    """Return how many items were read, and why no more."""
    count = 0
    connector = connector_for(FORMATS[file.name][0], file.name)
    try:
        for _ in read_source(connector, file, file.name):
            count += 1
    except ConnectorError as error:
        return count, error
    return count, None


@pytest.mark.parametrize("name", ["a.csv", "a.dwg", "a.ifc", "a.nwd"])
def test_a_file_of_zeros_is_refused(tmp_path: Path, name: str) -> None:
    """A crash leaves such files; read as an empty table, its rows would be deleted."""
    kind = {"csv": "PSEXCEL", "dwg": "DWG", "ifc": "IFC", "nwd": "NWD"}[name[2:]]
    (tmp_path / name).write_bytes(bytes(5000))

    with pytest.raises(ConnectorError) as caught:
        list(read_source(connector_for(kind, name), tmp_path / name, name))

    assert caught.value.code == "FileIncomplete"
    assert "backup" in caught.value.description


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@settings(max_examples=20, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), cut=st.sampled_from([0.1, 0.5, 0.9, 0.999, 1.0, 1.0, 1.0]))
def test_a_damaged_file_is_refused_or_read(name: str, seed: int, cut: float) -> None:
    """One broken file on a share must not end the run of a hundred sound ones."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / name
        for each, content in sound(name).items():
            (Path(folder) / each).write_bytes(content)
        file.write_bytes(damaged(sound(name)[name], seed, cut))

        count, error = outcome(file)

    if error is None:
        assert count >= 1
    else:
        assert error.message
        assert error.description
        assert folder not in error.message
