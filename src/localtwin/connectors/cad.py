"""The connector for DWG and DGN: levels or layers, blocks or cells, and elements, by their ids.

cadkit reads both formats; it is young, so everything it says passes through here only.
"""

import importlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from localtwin.connectors.archives import encrypted
from localtwin.connectors.cad_content import (
    CadContent,
    CadObject,
    class_of,
    label_of,
    placing_of,
    plain_words,
    properties_of,
    reader_remarks,
    without,
)
from localtwin.connectors.cad_geometry import CadLines
from localtwin.connectors.cad_words import words_in
from localtwin.connectors.external_references import NOT_GIVEN, referenced_content
from localtwin.connectors.polylines import extent_of_lines, outline_of_lines
from localtwin.connectors.remarks import counted, named_counts
from localtwin.connectors.signatures import HEAD_BYTES, refuse_other_format
from localtwin.connectors.source import (
    Connector,
    ConnectorError,
    Json,
    Partition,
    SourceElement,
    unreadable,
)

LAYER_CLASS = "BisCore:SpatialCategory"
STANDARD_NAMES = {"bylayer", "byblock", "continuous"}  # every drawing has them, listed or not
V7_END = b"\xff\xff"  # the end-of-design mark, after which only padding comes
V7_PADDING_BYTES = 1024
ENTITIES_MAX = 5_000_000  # an element takes about 2 kB while it is read; a bound against bombs
ENCRYPTING_RELEASES = {b"AC1018", b"AC1021", b"AC1024", b"AC1027", b"AC1032"}
FIRST_WIDE_RELEASE = "AC1021"
SECURITY_AT, SECURITY_ENCRYPTED = 0x18, 1

# Releases whose drawings are laid out in another way, by their first bytes.
OLD_RELEASES = {
    b"MC0.0\x00": "1.0",
    b"AC1.2\x00": "1.2",
    b"AC1.40": "1.4",
    b"AC1.50": "2.0",
    b"AC2.10": "2.1",
    b"AC2.21": "2.2",
    b"AC2.22": "2.2",
    b"AC1001": "2.2",
    b"AC1002": "2.5",
    b"AC1003": "2.6",
    b"AC1004": "R9",
    b"AC1006": "R10",
    b"AC1009": "R11 or R12",
}


class CadConnector(Connector):
    """Reads DWG from R13 on, DGN V7 and DGN V8."""

    name = "CAD"
    version = "2"

    def __init__(self) -> None:
        self._remarks: Sequence[str] = ()

    def read(self, file: Path) -> Iterator[SourceElement]:
        """Yield layers, styles, blocks, then elements; raises ConnectorError on a broken file."""
        self._remarks = ()
        document = _opened(file)
        reading = _Reading(document.to_dict(), document.format, document.version, file.parent)
        yield from reading.elements()
        self._remarks = tuple(reading.remarks())

    def remarks(self) -> Sequence[str]:
        """Return what was kept without being understood."""
        return self._remarks


class _Reading:
    """One pass over a document."""

    def __init__(self, document: CadObject, file_format: str, version: str, folder: Path) -> None:
        self._document = document
        self._is_dwg = file_format == "dwg"
        self._has_ids = file_format != "dgn_v7"
        self._schema = "DWG" if self._is_dwg else "DGN"
        self._folder = folder
        blocks = {block["name"]: block for block in document["blocks"]}
        self._lines = CadLines(blocks)
        self._content = CadContent(blocks)
        self._layers: dict[str, str] = {}
        self._blocks: dict[str, str] = {}
        self._unknown: Counter[str] = Counter()
        self._missing: list[str] = []
        self._without_id = 0
        self._with_words = 0
        self._has_wide_texts = self._is_dwg and version >= FIRST_WIDE_RELEASE

    def elements(self) -> Iterator[SourceElement]:
        document = self._document
        if placing := placing_of(document):
            yield self._definition("header", "HEADER", "Drawing units", placing)
        for layer in document["layers"]:
            yield self._layer(layer)
        for kind, name in (("linetypes", "LTYPE"), ("text_styles", "STYLE")):
            for each in document[kind]:
                if each["name"] and each["name"].lower() not in STANDARD_NAMES:
                    identifier = f"{name.lower()} {each['name']}"
                    rest = without(each, "name")
                    yield self._definition(identifier, name, each["name"], rest)
        for block in document["blocks"]:
            if not block["name"].startswith("*"):  # others are part of what is drawn by them
                yield self._block(block)
        for model in document["models"]:
            yield from self._model(model)

    def remarks(self) -> Iterator[str]:
        """Yield what was kept without being understood, once all was read."""
        if self._unknown:
            found = named_counts(self._unknown, "element", "elements")
            yield f"{found} kept as raw data: compared, but not drawn.{self._on_words()}"
        if self._without_id:
            yield (
                f"{counted(self._without_id, 'element')} without an id, since DGN V7 has none: an"
                " edited element counts as one deleted and one inserted."
            )
        for path in self._missing:
            yield NOT_GIVEN.format(path)
        yield from reader_remarks(self._document["warnings"])

    def _on_words(self) -> str:
        return f" Words were found in {self._with_words:,} of them." if self._with_words else ""

    def _definition(
        self, identifier: str, name: str, label: str, properties: Mapping[str, Json]
    ) -> SourceElement:
        return SourceElement(
            identifier=identifier,
            class_name=f"{self._schema}:{name}",
            partition=Partition.DEFINITION,
            label=label,
            properties=properties,
        )

    def _layer(self, layer: CadObject) -> SourceElement:
        # Level numbers of a DGN are not element ids; in a DWG every handle is unique.
        identifier = f"{layer['id']:X}" if self._is_dwg else f"level {layer['id']}"
        self._layers[layer["name"].lower()] = identifier
        return SourceElement(
            identifier=identifier,
            class_name=LAYER_CLASS,
            partition=Partition.DEFINITION,
            label=layer["name"],
            properties=without(layer, "id", "name"),
        )

    def _block(self, block: CadObject) -> SourceElement:
        identifier = self._id(block["id"]) or f"block {block['name']}"
        self._blocks[block["name"].lower()] = identifier
        properties = without(block, "id", "name", "entities")
        if path := block.get("xref_path"):
            content = referenced_content(path, self._folder)
            if content is None:
                self._missing.append(path)
            else:
                properties["xref_content"] = content
        return SourceElement(
            identifier=identifier,
            class_name=f"{self._schema}:BLOCK",
            partition=Partition.DEFINITION,
            label=block["name"],
            properties=properties,
            shape=self._content.of_block(block["name"]),
        )

    def _model(self, model: CadObject) -> Iterator[SourceElement]:
        sheet = "" if model["kind"] == "model" else model["name"]
        if sheet and model["entities"]:
            identifier = f"layout {sheet}"
            yield self._definition(identifier, "LAYOUT", sheet, without(model, "id", "entities"))
        for entity in model["entities"]:
            yield self._entity(entity, sheet)

    def _entity(self, entity: CadObject, sheet: str) -> SourceElement:
        kind = entity["kind"]
        name = class_of(entity)
        properties, label = properties_of(entity), label_of(kind)
        if kind["type"] == "unknown":
            self._unknown[name] += 1
            words = words_in(bytes(entity["raw"]["bytes"])) if self._has_wide_texts else []
            if words:
                self._with_words += 1
                properties["words"] = words
                label = plain_words(max(words, key=len))
        if sheet:
            properties["layout"] = sheet
        shape = self._content.of(entity)
        lines = self._lines.of(entity)
        identifier = self._id(entity["id"])
        self._without_id += not identifier
        class_name = f"{self._schema}:{name}"
        return SourceElement(
            # DGN V7 has no ids: an element is then its content, and an edit a new element.
            identifier=identifier or f"{class_name} {shape}",
            class_name=class_name,
            partition=Partition.SHEET if sheet else Partition.PHYSICAL,
            label=label,
            category=self._layers.get(str(entity["layer"]).lower()),
            type_definition=self._blocks.get(str(kind.get("block") or "").lower()),
            properties=properties,
            extent=extent_of_lines(lines),
            shape=shape,
            outline=outline_of_lines(lines),
            sheet=sheet,
        )

    def _id(self, value: int | None) -> str:
        if value is None or not self._has_ids:
            return ""
        return f"{value:X}" if self._is_dwg else str(value)


def _opened(file: Path) -> Any:
    cadkit = importlib.import_module("cadkit")
    with file.open("rb") as data:
        head = data.read(HEAD_BYTES)
    if not head:
        raise unreadable("The file is empty.", code="FileEmpty")
    refuse_other_format(head, "a DWG or DGN", "DWG", "an OLE container, such as RVT, DGN V8 or XLS")
    if head[:6] in OLD_RELEASES:
        raise _too_old(OLD_RELEASES[head[:6]])
    if _is_encrypted(head):
        raise encrypted()
    try:
        document = cadkit.read(file, keep_raw=True, max_objects=ENTITIES_MAX)
    except cadkit.UnknownFormatError as exc:
        raise unreadable("The file is neither a DWG nor a DGN, or only a part of one.") from exc
    except cadkit.CadkitError as exc:
        raise unreadable(f"The file is damaged or incomplete: {exc}.") from exc
    if document.format == "dgn_v7" and not _has_end(file, document.warnings):
        raise unreadable("The file ends before its end mark.", code="FileIncomplete")
    return document


def _too_old(release: str) -> ConnectorError:
    return ConnectorError(
        code="FormatVersionUnsupported",
        message=f"The drawing has the format of AutoCAD {release}; R13 is the oldest that is read.",
        description="Open the drawing and save it as AutoCAD 2000 or later.",
        category="unsupported_format",
        can_user_fix=True,
    )


def _is_encrypted(head: bytes) -> bool:
    """Return whether a DWG from 2004 on says that its content is encrypted.

    Source: Open Design Specification for .dwg files 5.4, 4.1, security flags, read 2026-11.
    """
    is_new = head[:6] in ENCRYPTING_RELEASES and len(head) >= SECURITY_AT + 4
    flags = int.from_bytes(head[SECURITY_AT : SECURITY_AT + 4], "little") if is_new else 0
    return bool(flags & SECURITY_ENCRYPTED)


def _has_end(file: Path, warnings: Iterable[CadObject]) -> bool:
    """Return whether a DGN V7 is whole; other formats know their own size."""
    with file.open("rb") as data:
        data.seek(max(0, file.stat().st_size - V7_PADDING_BYTES))
        tail = data.read()
    return V7_END in tail and all(each["code"] != "dgn.v7_truncated" for each in warnings)
