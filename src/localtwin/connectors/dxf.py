"""The connector for DXF drawings: layers, blocks and entities, by handle."""

import hashlib
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path, PureWindowsPath

import ezdxf.recover
from ezdxf.document import Drawing
from ezdxf.entities.attrib import Attrib
from ezdxf.entities.dxfentity import DXFEntity
from ezdxf.entities.dxfgfx import DXFGraphic
from ezdxf.entities.insert import Insert
from ezdxf.filemanagement import readfile
from ezdxf.layouts.blocklayout import BlockLayout
from ezdxf.layouts.layout import Layout
from ezdxf.lldxf.const import DXF12, DXFError
from ezdxf.lldxf.tagwriter import TagCollector
from ezdxf.math import Vec2, Vec3

from localtwin.connectors.dxf_extent import extent_of
from localtwin.connectors.source import Connector, Json, Partition, SourceElement, unreadable

TAIL_BYTES = 1024
DIGEST_BYTES = 16
LAYER_CLASS = "BisCore:SpatialCategory"

# Entities whose attributes are all they have: no need to write them out to see a change.
_PLAIN = {"LINE", "POINT", "CIRCLE", "ARC", "ELLIPSE", "TEXT", "SOLID", "TRACE", "3DFACE", "RAY"}
# Attributes that name the block an entity is drawn by.
_BLOCK_NAMES = {"DIMENSION": "geometry", "ARC_DIMENSION": "geometry", "INSERT": "name"}
# Group codes that name other objects of the file: bookkeeping, which programs renumber freely.
_POINTERS = {5, 102, 105, 1005, *range(320, 370), *range(390, 400), 480, 481}


class DxfConnector(Connector):
    """Reads DXF from R12 on, ASCII or binary, and mends what ezdxf can mend."""

    name = "DXF"
    version = "1"

    def read(self, file: Path) -> Iterator[SourceElement]:
        """Yield layers, blocks, then entities; raises ConnectorError on a broken file."""
        yield from _Reading(_opened(file), file.parent).elements()


class _Reading:
    """One pass over an open drawing."""

    def __init__(self, drawing: Drawing, folder: Path) -> None:
        self._drawing = drawing
        self._folder = folder
        # R12 has no handles for layers and blocks; those that ezdxf makes up depend on the rest.
        self._by_name = drawing.loaded_dxfversion == DXF12
        self._layers: dict[str, str] = {}
        self._blocks: dict[str, str] = {}

    def elements(self) -> Iterator[SourceElement]:
        yield from self._layer_elements()
        yield from self._block_elements()
        yield from self._georeference()
        for layout in self._drawing.layouts:
            yield from self._layout_elements(layout)

    def _layer_elements(self) -> Iterator[SourceElement]:
        for layer in self._drawing.layers:
            name = layer.dxf.name
            identifier = f"layer {name}" if self._by_name else str(layer.dxf.handle)
            self._layers[name.lower()] = identifier
            yield SourceElement(
                identifier=identifier,
                class_name=LAYER_CLASS,
                partition=Partition.DEFINITION,
                label=name,
                properties=_attributes(layer, {"plotstyle_handle", "material_handle"}),
            )

    def _block_elements(self) -> Iterator[SourceElement]:
        for block in self._drawing.blocks:
            if block.is_any_layout or block.name.startswith("*"):
                continue  # layouts come as layouts; anonymous blocks are part of what uses them
            yield SourceElement(
                identifier=f"block {block.name}" if self._by_name else block.block_record_handle,
                class_name="DWG:BLOCK",
                partition=Partition.DEFINITION,
                label=block.name,
                properties=_block_properties(block, self._folder),
                shape=_digest(_tags(entity) for entity in block),
            )

    def _georeference(self) -> Iterator[SourceElement]:
        geodata = self._drawing.modelspace().get_geodata()
        if geodata is None:
            return
        yield SourceElement(
            identifier=geodata.dxf.handle,
            class_name="DWG:GEODATA",
            partition=Partition.DEFINITION,
            label="Georeference",
            properties=_attributes(geodata, {"host_block_handle"})
            | {"coordinate_system_definition": geodata.coordinate_system_definition},
        )

    def _layout_elements(self, layout: Layout) -> Iterator[SourceElement]:
        partition = Partition.PHYSICAL if layout.is_modelspace else Partition.SHEET
        for entity in layout:
            yield self._entity(entity, partition, layout.name)

    def _entity(self, entity: DXFGraphic, partition: Partition, layout: str) -> SourceElement:
        kind = entity.dxftype()
        layer = str(entity.dxf.get("layer", "0"))
        properties = _attributes(entity)
        if partition is Partition.SHEET:
            properties["layout"] = layout
        properties |= _texts(entity)
        return SourceElement(
            identifier=str(entity.dxf.handle),
            class_name=f"DWG:{kind}",
            partition=partition,
            label=_label(entity),
            category=self._layers.get(layer.lower()),
            properties=properties,
            extent=extent_of(entity),
            shape=self._shape(entity, kind),
        )

    def _shape(self, entity: DXFGraphic, kind: str) -> str:
        if kind in _PLAIN:
            return "" if entity.xdata is None else _digest([_tags(entity)])
        tags = [_tags(entity)]
        drawn_by = _BLOCK_NAMES.get(kind)
        block = "" if drawn_by is None else str(entity.dxf.get(drawn_by, ""))
        if block.startswith("*"):
            tags.append(self._anonymous(block))
        return _digest(tags)

    def _anonymous(self, name: str) -> str:
        """Return the digest of a nameless block, as dimensions and dynamic blocks have one."""
        if name not in self._blocks:
            blocks = self._drawing.blocks
            entities = blocks.get(name) if name in blocks else ()
            self._blocks[name] = _digest(_tags(entity) for entity in entities)
        return self._blocks[name]


def _opened(file: Path) -> Drawing:
    """Return the drawing; refuses a file without its end, whose missing rest would be deleted."""
    with file.open("rb") as data:
        size_bytes = data.seek(0, 2)
        data.seek(max(0, size_bytes - TAIL_BYTES))
        tail = data.read().rstrip(b"\0\r\n\t \x1a")
    if not size_bytes:
        raise unreadable("The file is empty.", code="FileEmpty")
    if not tail.endswith(b"EOF"):
        raise unreadable("The file ends before its end mark.", code="FileIncomplete")
    try:
        return _loaded(file)
    except DXFError as exc:
        raise unreadable(f"The file is not valid DXF: {exc}") from exc
    except OSError as exc:
        if exc.errno is not None:
            raise
        raise unreadable("The file is not a DXF drawing.") from exc  # ezdxf says it this way


def _loaded(file: Path) -> Drawing:
    try:
        return readfile(file)
    except (DXFError, ValueError, TypeError, LookupError, AttributeError):
        drawing, _ = ezdxf.recover.readfile(file)
        return drawing


def _attributes(
    entity: DXFEntity, dropped: frozenset[str] | set[str] = frozenset()
) -> dict[str, Json]:
    properties = entity.dxfattribs(drop={"handle", "owner", *dropped})
    return {name: _plain(value) for name, value in properties.items()}


def _plain(value: object) -> Json:
    if isinstance(value, (Vec3, Vec2)):
        return list(value.xyz) if isinstance(value, Vec3) else [value.x, value.y]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


def _block_properties(block: BlockLayout, folder: Path) -> dict[str, Json]:
    properties: dict[str, Json] = {"base_point": _plain(Vec3(block.base_point))}
    record = block.block
    if record is not None and record.is_xref:
        properties["xref_path"] = record.dxf.xref_path
        content = _content_of(record.dxf.xref_path, folder)
        if content is not None:
            properties["xref_content"] = content
    return properties


def _content_of(xref_path: str, folder: Path) -> str | None:
    """Return a digest of an external reference, if it is beside its master.

    The path is of the author's machine, so only its last part counts, as CAD programs do.
    """
    name = PureWindowsPath(xref_path).name.lower()
    for file in folder.iterdir():
        if file.name.lower() == name and file.suffix and file.is_file():
            with file.open("rb") as data:
                return hashlib.file_digest(data, "sha256").hexdigest()
    return None


def _texts(entity: DXFGraphic) -> dict[str, Json]:
    """Return what an entity says in words that its plain attributes do not hold."""
    if isinstance(entity, Insert) and entity.attribs:
        return {"attributes": {each.dxf.tag: each.dxf.text for each in entity.attribs}}
    if entity.dxftype() == "MTEXT":
        return {"text": entity.plain_text()}  # type: ignore[attr-defined]  # what MTEXT has
    return {}


def _label(entity: DXFGraphic) -> str:
    if isinstance(entity, Insert):
        return str(entity.dxf.get("name", ""))
    if isinstance(entity, Attrib) or entity.dxftype() == "TEXT":
        return str(entity.dxf.get("text", ""))
    return ""


def _tags(entity: DXFEntity) -> str:
    """Return the entity as it would be written, without the names of other objects."""
    tags = TagCollector.dxftags(entity)
    return repr([(tag.code, tag.value) for tag in tags if tag.code not in _POINTERS])


def _digest(texts: Iterable[str]) -> str:
    digest = blake2b(digest_size=DIGEST_BYTES)
    for text in texts:
        digest.update(text.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
