"""Opens geospatial files so that GDAL sees the format that the name promises, and nothing else.

GDAL goes by content, and some of its formats name other files to read; what is not one of ours is
refused before. A file is shown to it by links in a folder of its own, under a name that it knows.
"""

import struct
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from localtwin.connectors.signatures import misnamed, real_format
from localtwin.connectors.source import unreadable

HEAD_BYTES = 4096
WARNINGS_MAX = 5
SIDECARS = ("shx", "dbf", "prj", "cpg")

_SHAPE_MAGIC = b"\x00\x00\x27\x0a"
_SQLITE = b"SQLite format 3\x00"
_GEOPACKAGE_IDS = {b"GPKG", b"GP10", b"GP11"}  # the application's id, at byte 68
_DATABASE_HEAD_BYTES = 100
_SHAPE_HEAD_BYTES = 100
_DBF_HEAD = struct.Struct("<4xIHH")  # number of records, length of the header and of a record


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A file as GDAL may open it; `sidecars` are those that are there, by extension.

    `warnings` are what GDAL found odd so far.
    """

    path: Path
    kind: str
    sidecars: Mapping[str, Path]
    warnings: list[str] = field(default_factory=list)

    @contextmanager
    def collecting_warnings(self) -> Iterator[None]:
        """Keep what GDAL warns of, once each; the process must have one thread that reads."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield
        for each in caught:
            text = str(each.message).replace(str(self.path), "the file")
            if text not in self.warnings and len(self.warnings) < WARNINGS_MAX:
                self.warnings.append(text)


@contextmanager
def shown_to_gdal(file: Path, kind: str) -> Iterator[OpenFile]:
    """Show `file`, of the format `kind`, under a name of that format, with its sidecars."""
    _check(file, kind)
    sidecars = _sidecars(file) if kind == "shp" else {}
    if "dbf" in sidecars:
        _check_dbf(sidecars["dbf"])
    with tempfile.TemporaryDirectory() as folder:
        shown = Path(folder) / f"Features.{'gpkg' if kind == 'geodb' else kind}"
        shown.symlink_to(file.absolute())
        for extension, sidecar in sidecars.items():
            shown.with_suffix(f".{extension}").symlink_to(sidecar.absolute())
        yield OpenFile(shown, kind, sidecars)


def _check(file: Path, kind: str) -> None:
    """Raise ConnectorError if the first bytes are not those of the format."""
    with file.open("rb") as data:
        head = data.read(HEAD_BYTES)
    if not head:
        raise unreadable("The file is empty.", code="FileEmpty")
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    match kind:
        case "shp":
            is_right = head.startswith(_SHAPE_MAGIC)
        case "geojson":
            is_right = text.startswith(b"{")
        case "kml":
            is_right = text.startswith(b"<") and b"<kml" in head and b"<!DOCTYPE" not in head
        case _:
            is_right = head.startswith(_SQLITE) and head[68:72] in _GEOPACKAGE_IDS
    if not is_right:
        raise misnamed(_NAMES[kind], real_format(head) or "of another format")
    if kind == "shp":
        _check_size(file, head)
    elif kind in {"gpkg", "geodb"}:
        _check_pages(file, head)


_NAMES = {
    "shp": "a shapefile",
    "geojson": "GeoJSON",
    "kml": "KML",
    "gpkg": "a GeoPackage",
    "geodb": "a GeoPackage, the only geodatabase that is read",
}


def _check_size(file: Path, head: bytes) -> None:
    stated = struct.unpack_from(">I", head, 24)[0] * 2 if len(head) >= _SHAPE_HEAD_BYTES else 0
    if len(head) < _SHAPE_HEAD_BYTES or file.stat().st_size < stated:
        raise unreadable("The .shp file ends before its last feature.", code="FileIncomplete")


def _check_pages(file: Path, head: bytes) -> None:
    """Raise ConnectorError if a database lacks pages.

    Source: SQLite, "Database File Format", 1.3.7, in-header database size.
    """
    if len(head) < _DATABASE_HEAD_BYTES:
        raise unreadable("The GeoPackage ends in its header.", code="FileIncomplete")
    page_bytes = struct.unpack_from(">H", head, 16)[0]
    changes, pages = struct.unpack_from(">II", head, 24)
    is_valid = changes == struct.unpack_from(">I", head, 92)[0]
    if is_valid and file.stat().st_size < pages * (65536 if page_bytes == 1 else page_bytes):
        raise unreadable("The GeoPackage ends before its last page.", code="FileIncomplete")


def _check_dbf(file: Path) -> None:
    with file.open("rb") as data:
        head = data.read(_DBF_HEAD.size)
    if len(head) == _DBF_HEAD.size:
        records, head_bytes, record_bytes = _DBF_HEAD.unpack(head)
        if file.stat().st_size >= head_bytes + records * record_bytes:
            return
    raise unreadable("The .dbf file ends before its last row.", code="FileIncomplete")


def _sidecars(file: Path) -> dict[str, Path]:
    """Return the files beside a shapefile that have its name, in whatever case."""
    found: dict[str, Path] = {}
    for each in sorted(file.parent.iterdir()):
        extension = each.suffix.lower().removeprefix(".")
        if each.stem.lower() == file.stem.lower() and extension in SIDECARS:
            found.setdefault(extension, each)
    return found
