"""Formats that no open library reads: what the container says, and a plain word on the rest."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import pytest
from imodel_scene import Scene, source
from xlwt.CompoundDoc import XlsDoc

from localtwin.connectors.cad import CadConnector
from localtwin.connectors.registry import connector_for
from localtwin.connectors.source import ConnectorError, SourceElement

INFO = """Worksharing: Central
Username: somebody
Central Model Path: S:\\Projekte\\Bau Süd\\house.rvt
Format: 2024
Build: 20230308_1635(x64)
Last Save Path: C:\\somewhere\\house.rvt
Central Model Identity: 00000000-0000-0000-0000-000000000000
Locale when saved: DEU
"""
TYPES = {
    "rvt": "REVIT",
    "zip": "SPPID",
    "pid": "SPPID",
    "vue": "SPXREVIEW",
    "nwd": "NWD",
    "vsd": "AVEVADIAGRAMS",
}


def revit(file: Path, info: str = INFO, encoding: str = "utf-16-le", more: bytes = b"") -> Path:
    """Write a compound file whose one stream is BasicFileInfo; its writer only knows workbooks."""
    buffer = BytesIO()
    text = info.replace("\n", "\r\n").encode(encoding)
    XlsDoc().save(buffer, b"\x0a\x00\x00" + text + more)
    data = bytearray(buffer.getvalue())
    at = data.index("Workbook".encode("utf-16-le"))
    name = "BasicFileInfo".encode("utf-16-le")
    data[at : at + 64] = name.ljust(64, b"\x00")
    data[at + 64] = len(name) + 2
    file.write_bytes(data)
    return file


def archive(file: Path, entries: Mapping[str, bytes], packing: int = ZIP_DEFLATED) -> Path:
    with ZipFile(file, "w", packing) as written:
        for name, content in entries.items():
            written.writestr(name, content)
    return file


def read(file: Path) -> dict[str, SourceElement]:
    items = connector_for(TYPES[file.suffix[1:]], file.name).read(file)
    return {each.identifier: each for each in items if isinstance(each, SourceElement)}


def remarks_of(file: Path) -> str:
    connector = connector_for(TYPES[file.suffix[1:]], file.name)
    assert list(connector.read(file))
    return " ".join(connector.remarks())


def refusal(file: Path) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        read(file)
    return caught.value


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_revit_file_says_its_version_and_its_central_model(tmp_path: Path, encoding: str) -> None:
    """Which release and which central model a file belongs to is asked first in any office."""
    found = read(revit(tmp_path / "house.rvt", encoding=encoding))

    assert found["document"].properties == {
        "container": "OLE",
        "worksharing": "Central",
        "central_model_path": "S:\\Projekte\\Bau Süd\\house.rvt",
        "version": "2024",
        "build": "20230308_1635(x64)",
        "locale": "DEU",
    }
    assert found["document/BasicFileInfo"].parent == "document"


def test_the_version_of_an_older_revit_is_part_of_its_build(tmp_path: Path) -> None:
    """Files of ten years ago are still exchanged."""
    info = (
        "Worksharing: Not enabled\nRevit Build: Autodesk Revit 2016 (Build: 20150220_1215(x64))\n"
    )

    properties = read(revit(tmp_path / "house.rvt", info))["document"].properties or {}

    assert properties["version"] == "2016"


def test_the_report_says_what_was_read_and_what_was_not(tmp_path: Path) -> None:
    """A green run must not pass for a model whose walls were read."""
    remarks = remarks_of(revit(tmp_path / "house.rvt"))

    assert "version 2024" in remarks
    assert "Not read: the objects" in remarks
    assert "IFC" in remarks


@pytest.mark.parametrize("name", ["a.nwd", "a.vue", "a.pid"])
def test_opaque_content_is_compared_as_a_whole(tmp_path: Path, name: str) -> None:
    """No change may go unseen, even where nothing of it can be shown."""
    scene, file = Scene(tmp_path), tmp_path / name
    as_type = TYPES[file.suffix[1:]]
    file.write_bytes(b"\x01\x02 model")
    scene.run(source(file, as_type=as_type))
    again = scene.run(source(file, as_type=as_type)).sources[0]
    file.write_bytes(b"\x01\x02 model of today")

    changed = scene.run(source(file, as_type=as_type)).sources[0]

    assert again.result == "Skipped"
    assert (changed.inserted, changed.updated, changed.deleted) == (0, 1, 0)


def test_entries_of_an_archive_are_followed_one_by_one(tmp_path: Path) -> None:
    """One drawing replaced in an archive of a thousand is one change."""
    scene, file = Scene(tmp_path), tmp_path / "plant.zip"
    before = {"a.pid": b"1", "b.pid": b"2", "c.pid": b"3", "e.pid": b"5"}
    scene.run(source(archive(file, before), as_type="SPPID"))
    archive(file, {"c.pid": b"3", "a.pid": b"one", "d.pid": b"4"})

    changed = scene.run(source(file, as_type="SPPID")).sources[0]

    assert (changed.inserted, changed.updated, changed.deleted) == (1, 1, 2)


def test_an_archive_packed_again_makes_no_changeset(tmp_path: Path) -> None:
    """Only what is in it counts, not how and when it was packed."""
    scene, file = Scene(tmp_path), tmp_path / "plant.zip"
    entries = {"a.pid": b"1" * 500, "b.pid": b"2"}
    scene.run(source(archive(file, entries), as_type="SPPID"))
    archive(file, dict(reversed(entries.items())), ZIP_STORED)

    report = scene.run(source(file, as_type="SPPID"))

    assert report.changesets == ()


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.rvt", b"", "FileEmpty"),
        ("a.rvt", b"%PDF-1.7", "FileTypeMismatch"),
        ("a.rvt", b"no container", "FileTypeMismatch"),
        ("a.rvt", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(700), "FileIncomplete"),
        ("a.nwd", b"%PDF-1.7", "FileTypeMismatch"),
        ("a.zip", b"PK\x03\x04 and no more", "FileIncomplete"),
        ("a.zip", b"no archive", "FileTypeMismatch"),
    ],
)
def test_a_broken_container_is_refused(
    tmp_path: Path, name: str, content: bytes, code: str
) -> None:
    """Half a file kept as if it were whole would look like an edit by its author."""
    (tmp_path / name).write_bytes(content)

    assert refusal(tmp_path / name).code == code


def test_half_a_revit_file_is_refused(tmp_path: Path) -> None:
    """A copy that was interrupted is the commonest damage on a shared drive."""
    file = revit(tmp_path / "house.rvt", more=bytes(range(256)) * 200)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])

    assert refusal(file).code == "FileIncomplete"


def test_a_drawing_of_before_r13_says_what_to_do(tmp_path: Path) -> None:
    """It is sound; calling it broken sends its owner looking for a fault that is not there."""
    file = tmp_path / "old.dwg"
    file.write_bytes(b"AC1009" + bytes(600))

    with pytest.raises(ConnectorError) as caught:
        list(CadConnector().read(file))

    assert caught.value.code == "FormatVersionUnsupported"
    assert "R12" in caught.value.message
    assert "2000 or later" in caught.value.description
