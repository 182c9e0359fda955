"""The connectors for formats that no open library reads: each file is one document element.

What the container says is kept: the streams of an OLE file, the entries of an archive, and what
Revit writes about a model. All else is compared as a whole, so that no change goes unseen.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from localtwin.connectors.archives import is_encrypted, opened_archive
from localtwin.connectors.ole_files import Stream, opened_ole, streams_of, summary_of
from localtwin.connectors.remarks import counted
from localtwin.connectors.revit_info import basic_file_info
from localtwin.connectors.signatures import HEAD_BYTES, misnamed, real_format
from localtwin.connectors.source import (
    Connector,
    ConnectorError,
    Json,
    Partition,
    SourceElement,
    unreadable,
)

DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class _Part:
    """A stream or an entry inside of a document; `content` identifies what is in it."""

    path: str
    size_bytes: int
    content: str
    is_encrypted: bool = False


@dataclass(frozen=True, slots=True)
class _Container:
    """What a file is outwardly, and what is in it."""

    kind: str
    properties: Mapping[str, Json]
    parts: Sequence[_Part] = ()


class DocumentConnector(Connector):
    """What the connectors for documents share; each names its format and the way to more."""

    name = "Documents"
    version = "2"
    format_name: ClassVar[str]
    advice: ClassVar[str]
    containers: ClassVar[tuple[str, ...]] = ()
    """The containers that the format must be in: "OLE", "ZIP"; none where any content will do."""

    def __init__(self) -> None:
        self._remarks: Sequence[str] = ()

    def read(self, file: Path) -> Iterator[SourceElement]:
        """Yield the document, then its parts; raises ConnectorError if its container is broken."""
        self._remarks = ()
        container = self._container(file)
        yield SourceElement(
            identifier=DOCUMENT,
            class_name=f"Documents:{self.format_name}",
            partition=Partition.INFORMATION,
            label=self.format_name,
            properties={"container": container.kind, **container.properties},
        )
        for part in container.parts:
            properties: dict[str, Json] = {"size_bytes": part.size_bytes, "content": part.content}
            if part.is_encrypted:
                properties["encrypted"] = True
            yield SourceElement(
                identifier=f"{DOCUMENT}/{part.path}",
                class_name="Documents:Part",
                partition=Partition.INFORMATION,
                label=part.path,
                parent=DOCUMENT,
                properties=properties,
            )
        self._remarks = tuple(self._sentences(container))

    def remarks(self) -> Sequence[str]:
        """Return what was read of the document and what was not."""
        return self._remarks

    def _container(self, file: Path) -> _Container:
        with file.open("rb") as data:
            head = data.read(HEAD_BYTES)
        if not head:
            raise unreadable("The file is empty.", code="FileEmpty")
        found = real_format(head)
        kind = next((each for each in ("OLE", "ZIP") if each in found), "")
        if self.containers and kind not in self.containers:
            raise self._other(found)
        match kind:
            case "OLE":
                return _ole(file)
            case "ZIP":
                return _archive(file)
        if found:
            raise self._other(found)
        with file.open("rb") as data:
            digest = hashlib.file_digest(data, "sha256").hexdigest()
        size: dict[str, Json] = {"size_bytes": file.stat().st_size, "content": digest}
        return _Container("none that is known", size)

    def _other(self, found: str) -> ConnectorError:
        return misnamed(self.format_name, found or "of another or a damaged format")

    def _sentences(self, container: _Container) -> Iterator[str]:
        known = [f"{name} {value}" for name, value in container.properties.items() if value]
        listed = f": {', '.join(known[:4])}" if container.parts and known else ""
        if container.parts:
            yield (
                f"Read of this {self.format_name} file{listed};"
                f" {counted(len(container.parts), 'part')} by name, size and content."
            )
        else:
            yield f"Read of this {self.format_name} file: size and a digest of the content."
        yield f"Not read: the objects in it, since no open library reads them. {self.advice}"
        if locked := sum(part.is_encrypted for part in container.parts):
            yield f"{counted(locked, 'part')} protected by a password; compared as they are."


class RevitConnector(DocumentConnector):
    """Reads what a Revit file says about itself."""

    format_name = "RVT"
    advice = "Export the model as IFC to have its objects in a local iModel."
    containers = ("OLE",)


class NavisworksConnector(DocumentConnector):
    """Keeps Navisworks models as documents."""

    format_name = "NWD"
    advice = "Synchronize the models that it was put together from."


class SmartPlantConnector(DocumentConnector):
    """Keeps Smart P&ID drawings and exports as documents, with the files in an archive."""

    format_name = "SPPID"
    advice = "Lists of its items can be synchronized as XLSX or CSV."


class SmartPlantArchiveConnector(SmartPlantConnector):
    """Keeps an archive of Smart P&ID with the files in it."""

    containers = ("ZIP",)


class ReviewConnector(DocumentConnector):
    """Keeps SmartPlant Review models as documents."""

    format_name = "VUE"
    advice = "Synchronize the models that it was published from."


class VisioConnector(DocumentConnector):
    """Keeps diagrams in Visio files as documents."""

    format_name = "VSD"
    advice = "Lists of its items can be synchronized as XLSX or CSV."
    containers = ("OLE",)


def _ole(file: Path) -> _Container:
    with opened_ole(file) as ole:
        found = list(streams_of(ole))
        properties: dict[str, Json] = {**basic_file_info(ole), **summary_of(ole)}
    return _Container("OLE", properties, [_part(stream) for stream in found])


def _part(stream: Stream) -> _Part:
    return _Part(stream.path, stream.size_bytes, stream.digest)


def _archive(file: Path) -> _Container:
    """Return the entries by their checksums, which need no unpacking."""
    with opened_archive(file) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        parts = [
            _Part(entry.filename, entry.file_size, f"crc32 {entry.CRC:08x}", is_encrypted(entry))
            for entry in entries
        ]
    return _Container("ZIP", {}, parts)
