"""Definitions of a DXF drawing: units, layers, styles, blocks, georeference, layouts."""

from collections.abc import Iterator
from pathlib import Path

from ezdxf.render.arrows import ARROWS

from localtwin.connectors.dxf_drawing import R12, Block, Drawing
from localtwin.connectors.dxf_objects import DxfObject, digest, read_object
from localtwin.connectors.dxf_tags import text
from localtwin.connectors.external_references import referenced_content
from localtwin.connectors.source import Json, Partition, SourceElement

LAYER_CLASS = "BisCore:SpatialCategory"

# Programs add these layers to files; only what is drawn on them makes them content.
_DIMENSION_POINTS, _ZERO = "defpoints", "0"
_LAYER_FLAGS = 1 | 2 | 4  # frozen, frozen in new viewports, locked; other bits say what is in use
_STANDARD_ENTRIES = {"bylayer", "byblock", "continuous", "standard", ""}
# Blocks of arrow heads, which programs add when a dimension may need one.
_ARROWS = {ARROWS.block_name(name).lower() for name in ARROWS.__acad__}
_STYLE_TABLES = ("LTYPE", "STYLE", "DIMSTYLE", "UCS")


class Definitions:
    """The definitions of one drawing, and the identifiers that entities refer to them by."""

    def __init__(self, drawing: Drawing, folder: Path) -> None:
        self._drawing = drawing
        self._folder = folder
        # R12 gives tables no handles, and programs that add some renumber them with each save.
        self._by_name = drawing.release <= R12
        self._layers: dict[str, str] = {}
        self._blocks: dict[str, str] = {}
        self._waiting: dict[str, SourceElement] = {}
        self._layouts: set[str] = set()
        self.missing_references: list[str] = []

    def layer(self, name: str) -> str | None:
        """Return the identifier of a layer; None if the drawing does not define it."""
        return self._layers.get(name.lower())

    def block(self, name: str) -> str | None:
        """Return the identifier of a block; None if there is none of this name."""
        return self._blocks.get(name.lower())

    def all(self) -> Iterator[SourceElement]:
        """Yield the header, layers, styles, block definitions and the georeference."""
        if placing := self._drawing.placing():
            yield SourceElement(
                "header", "DWG:HEADER", Partition.DEFINITION, "Drawing units", properties=placing
            )
        for layer in self._drawing.tables.get("LAYER", ()):
            element = self._layer(layer)
            name = element.label.lower()
            if name == _DIMENSION_POINTS or (self._by_name and name == _ZERO):
                self._waiting[name] = element
            else:
                yield element
        if self._by_name and self.layer(_ZERO) is None:
            # Every drawing has a layer 0, whether R12 lists it or not.
            self._waiting[_ZERO] = self._layer(DxfObject("LAYER", "", {"name": _ZERO}, [], [], []))
        for table in _STYLE_TABLES:
            for entry in self._drawing.tables.get(table, ()):
                if not _is_standard(entry):
                    yield self._style(entry)
        for block in self._drawing.blocks.values():
            if not (block.is_nameless or block.name.lower() in _ARROWS):
                yield self._block(block)
        for found in self._drawing.objects.values():
            if found.kind == "GEODATA":
                yield _georeference(found)

    def used_by(self, layer: str, layout: str | None) -> Iterator[SourceElement]:
        """Yield the definitions that only count once an entity is on them, before the first is."""
        waiting = self._waiting.pop(layer.lower(), None) if self._waiting else None
        if waiting is not None:
            yield waiting
        if layout is not None and layout not in self._layouts:
            self._layouts.add(layout)
            for sheet in self._drawing.layouts.values():
                if sheet.values.get("name") == layout:
                    yield SourceElement(
                        sheet.handle or f"layout {layout}",
                        "DWG:LAYOUT",
                        Partition.DEFINITION,
                        layout,
                        properties=sheet.values,
                    )

    def _layer(self, layer: DxfObject) -> SourceElement:
        name = str(layer.values["name"])
        identifier = self._entry_id(layer, f"layer {name}")
        self._layers.setdefault(name.lower(), identifier)
        flags = layer.values.pop("flags", 0)
        linetype = str(layer.values.get("linetype", "Continuous"))
        properties: dict[str, Json] = {"color": 7, **layer.values}
        properties["linetype"] = self._drawing.spelled("LTYPE", linetype)
        if isinstance(flags, int) and flags & _LAYER_FLAGS:
            properties["flags"] = flags & _LAYER_FLAGS
        return SourceElement(
            identifier,
            LAYER_CLASS,
            Partition.DEFINITION,
            name,
            properties=properties,
            shape=shape_of(layer),
        )

    def _style(self, entry: DxfObject) -> SourceElement:
        name = str(entry.values["name"])
        return SourceElement(
            self._entry_id(entry, f"{entry.kind.lower()} {name}"),
            f"DWG:{entry.kind}",
            Partition.DEFINITION,
            name,
            properties=entry.values,
            shape=shape_of(entry),
        )

    def _entry_id(self, entry: DxfObject, by_name: str) -> str:
        return by_name if self._by_name or not entry.handle else entry.handle

    def _block(self, block: Block) -> SourceElement:
        identifier = block.handle if block.handle and not self._by_name else f"block {block.name}"
        self._blocks[block.name.lower()] = identifier
        return SourceElement(
            identifier,
            "DWG:BLOCK",
            Partition.DEFINITION,
            block.name,
            properties=self._block_properties(block),
            shape=self._drawing.block_digest(block.name),
        )

    def _block_properties(self, block: Block) -> dict[str, Json]:
        properties: dict[str, Json] = {"base_point": list(block.base)}
        tags = {
            str(found.values.get("tag", "")): str(found.values.get("prompt", ""))
            for found in (read_object(each.record) for each in block.entities)
            if found.kind == "ATTDEF"
        }
        if tags:
            properties["attributes"] = tags
        if block.path:
            properties["xref_path"] = block.path
            content = referenced_content(block.path, self._folder)
            if content is None:
                self.missing_references.append(block.path)
            else:
                properties["xref_content"] = content
        return properties


def shape_of(found: DxfObject) -> str:
    stated = found.shape()
    return digest([stated]) if stated else ""


def _is_standard(entry: DxfObject) -> bool:
    """Return whether every drawing has this entry, so that a writer may add or omit it."""
    name = str(entry.values["name"]).lower()
    if name not in _STANDARD_ENTRIES:
        return False
    return entry.kind == "LTYPE" or not (entry.values.keys() - {"name"} or entry.rest)


def _georeference(found: DxfObject) -> SourceElement:
    definition = "".join(text(value) for code, value in found.record if code in {301, 303})
    return SourceElement(
        found.handle,
        "DWG:GEODATA",
        Partition.DEFINITION,
        "Georeference",
        properties=found.values | {"coordinate_system_definition": definition},
        shape=shape_of(found),
    )
