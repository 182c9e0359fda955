"""The connector for DWG and DGN: levels or layers, blocks or cells, and elements, by their ids.

cadkit reads both formats; it is young, so everything it says passes through here only.
"""

import importlib
import json
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeAlias

from localtwin.connectors.signatures import HEAD_BYTES, refuse_other_format
from localtwin.connectors.source import (
    Connector,
    ConnectorError,
    Extent,
    Json,
    Partition,
    SourceElement,
    unreadable,
)

CadObject: TypeAlias = dict[str, Any]  # an object as cadkit gives it

DIGEST_BYTES = 16
LAYER_CLASS = "BisCore:SpatialCategory"
V7_END = b"\xff\xff"  # the end-of-design mark, after which only padding comes
V7_PADDING_BYTES = 1024
ENTITIES_MAX = 5_000_000  # an element takes about 2 kB while it is read; a bound against bombs


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
    version = "1"

    def read(self, file: Path) -> Iterator[SourceElement]:
        """Yield layers, blocks, then elements; raises ConnectorError on a broken file."""
        document = _opened(file)
        yield from _Reading(document).elements()


class _Reading:
    """One pass over an open document."""

    def __init__(self, document: Any) -> None:
        self._document = document
        self._is_dwg = document.format == "dwg"
        self._layers: dict[str, str] = {}
        self._drawn_by: dict[str, str] = {}

    def elements(self) -> Iterator[SourceElement]:
        for layer in self._document.layers:
            yield self._layer(layer)
        if self._document.blocks:  # whose content only comes as part of the whole
            for block in self._document.to_dict()["blocks"]:
                yield from self._block(block)
        for number, model in enumerate(self._document.models):
            for entity in self._document.entities(number):
                yield self._entity(entity, model)

    def _layer(self, layer: CadObject) -> SourceElement:
        # Level numbers of a DGN are not element ids; in a DWG every handle is unique.
        identifier = f"{layer['id']:X}" if self._is_dwg else f"level {layer['id']}"
        self._layers[layer["name"].lower()] = identifier
        return SourceElement(
            identifier=identifier,
            class_name=LAYER_CLASS,
            partition=Partition.DEFINITION,
            label=layer["name"],
            properties=_without(layer, "id", "name"),
        )

    def _block(self, block: CadObject) -> Iterator[SourceElement]:
        shape = _digest([_content(entity) for entity in block["entities"]])
        if block["name"].startswith("*"):
            self._drawn_by[block["name"]] = shape  # nameless: part of what is drawn by it
            return
        yield SourceElement(
            identifier=self._id(block["id"]) or f"block {block['name']}",
            class_name=f"{self._schema}:BLOCK",
            partition=Partition.DEFINITION,
            label=block["name"],
            properties=_without(block, "id", "name", "entities"),
            shape=shape,
        )

    def _entity(self, entity: CadObject, model: CadObject) -> SourceElement:
        kind = dict(entity["kind"])
        class_name = f"{self._schema}:{kind.pop('type').upper()}"
        shape = _content(entity) + self._drawn_by.get(str(kind.get("block")), "")
        is_sheet = model["kind"] != "model"
        properties = _without(entity, "id", "kind", "attributes", "raw")
        properties |= {
            name: value for name, value in kind.items() if isinstance(value, str | float | bool)
        }
        if entity["attributes"]:
            properties["attributes"] = {each["tag"]: each["value"] for each in entity["attributes"]}
        if is_sheet:
            properties["layout"] = model["name"]
        return SourceElement(
            # DGN V7 has no ids: an element is then its content, and an edit a new element.
            identifier=self._id(entity["id"]) or f"{class_name} {_digest([shape])}",
            class_name=class_name,
            partition=Partition.SHEET if is_sheet else Partition.PHYSICAL,
            label=str(kind.get("value") or kind.get("block") or kind.get("name") or ""),
            category=self._layers.get(str(entity["layer"]).lower()),
            properties=properties,
            extent=_extent(kind),
            shape=shape,
        )

    def _id(self, value: int | None) -> str:
        if value is None:
            return ""
        return f"{value:X}" if self._is_dwg else str(value)

    @property
    def _schema(self) -> str:
        return "DWG" if self._is_dwg else "DGN"


def _opened(file: Path) -> Any:
    cadkit = importlib.import_module("cadkit")
    with file.open("rb") as data:
        head = data.read(HEAD_BYTES)
    if not head:
        raise unreadable("The file is empty.", code="FileEmpty")
    refuse_other_format(head, "a DWG or DGN", "DWG", "an OLE container, such as RVT, DGN V8 or XLS")
    if head[:6] in OLD_RELEASES:
        raise _too_old(OLD_RELEASES[head[:6]])
    try:
        document = cadkit.read(file, keep_raw=True, max_objects=ENTITIES_MAX)
    except cadkit.UnknownFormatError as exc:
        raise unreadable("The file is neither a DWG nor a DGN, or only a part of one.") from exc
    except cadkit.CadkitError as exc:
        raise unreadable(f"The file is damaged or incomplete: {exc}") from exc
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


def _has_end(file: Path, warnings: Iterable[CadObject]) -> bool:
    """Return whether a DGN V7 is whole; other formats know their own size."""
    with file.open("rb") as data:
        data.seek(max(0, file.stat().st_size - V7_PADDING_BYTES))
        tail = data.read()
    return V7_END in tail and all(each["code"] != "dgn.v7_truncated" for each in warnings)


def _without(properties: CadObject, *names: str) -> dict[str, Json]:
    return {
        name: value for name, value in properties.items() if name not in names and value is not None
    }


def _content(entity: CadObject) -> str:
    """Return a digest of an entity and its parts, without the names the file gives them."""
    return _digest([json.dumps(_anonymous(entity), sort_keys=True)])


def _anonymous(value: Any) -> Any:
    if isinstance(value, list):
        return [_anonymous(each) for each in value]
    if not isinstance(value, dict):
        return value
    # Raw bytes are all there is to compare of an element that cadkit can't take apart.
    kind = value.get("kind")
    is_known = not isinstance(kind, dict) or kind.get("type") != "unknown"
    dropped = {"id", "raw"} if is_known else {"id"}
    return {name: _anonymous(each) for name, each in value.items() if name not in dropped}


def _digest(texts: Iterable[str]) -> str:
    digest = blake2b(digest_size=DIGEST_BYTES)
    for text in texts:
        digest.update(text.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _extent(kind: CadObject) -> Extent | None:
    """Return a box around the points that an element is made of, and its radius if it has one."""
    found = list(_points(kind))
    if not found:
        return None
    reach = kind.get("radius") or 0.0
    low = [min(axis) - reach for axis in zip(*found, strict=True)]
    high = [max(axis) + reach for axis in zip(*found, strict=True)]
    return Extent((low[0], low[1], low[2]), (high[0], high[1], high[2]))


def _points(kind: CadObject) -> Iterator[tuple[float, float, float]]:
    for name in ("start", "end", "center", "position", "vertices", "points", "children"):
        value = kind.get(name)
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict) and "x" in each:
                yield each["x"], each["y"], each.get("z", 0.0)
            elif isinstance(each, dict):
                yield from _points(each.get("kind", each))
