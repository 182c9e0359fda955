"""The connector for DXF drawings: definitions, entities of model and layouts, groups."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from localtwin.connectors.dxf_definitions import Definitions
from localtwin.connectors.dxf_drawing import Drawing, Entity, entities_of, is_end, read_drawing
from localtwin.connectors.dxf_inserts import BlockLines
from localtwin.connectors.dxf_objects import DxfObject, digest, fields_of, read_object
from localtwin.connectors.dxf_tags import Record, TagFile, text
from localtwin.connectors.dxf_text import label_of, texts_of
from localtwin.connectors.external_references import NOT_GIVEN
from localtwin.connectors.polylines import extent_of_lines, outline_of_lines
from localtwin.connectors.remarks import counted, named_counts
from localtwin.connectors.source import (
    Connector,
    Json,
    Partition,
    SourceElement,
    SourceItem,
    SourceRelationship,
)

GROUP_MEMBERS = "BisCore:ElementGroupsMembers"

_NAMED_BY = {"linetype": "LTYPE", "style": "STYLE", "dimstyle": "DIMSTYLE", "layer": "LAYER"}
_PAPER_WINDOW = 1  # the id of the viewport that shows the sheet itself, as the user left it


class DxfConnector(Connector):
    """Reads DXF of any release, text or binary."""

    name = "DXF"
    version = "4"

    def __init__(self) -> None:
        self._remarks: Sequence[str] = ()

    def read(self, file: Path) -> Iterator[SourceItem]:
        """Yield definitions, then entities, then groups; raises ConnectorError on a broken file."""
        self._remarks = ()
        tags = TagFile(file)
        reading = _Reading(read_drawing(tags), file.parent)
        yield from reading.definitions.all()
        records = (record for section, record in tags.records() if section == "ENTITIES")
        yield from reading.entities(records)
        yield from reading.groups()
        self._remarks = tuple(reading.remarks(tags.lost_lines))

    def remarks(self) -> Sequence[str]:
        """Return what was reduced or left out."""
        return self._remarks


class _Reading:
    """One pass over a drawing."""

    def __init__(self, drawing: Drawing, folder: Path) -> None:
        self.definitions = Definitions(drawing, folder)
        self._drawing = drawing
        self._lines = BlockLines(drawing)
        self._groups = [each for each in drawing.objects.values() if each.kind == "GROUP"]
        self._grouped = {member for group in self._groups for member in _members(group)}
        self._read: set[str] = set()  # of those that are in groups
        self._unknown: Counter[str] = Counter()
        self._odd = 0
        self._without_extent: Counter[str] = Counter()

    def entities(self, records: Iterator[Record]) -> Iterator[SourceElement]:
        """Yield the entities of the model and of the current layout, then of the others."""
        for entity in entities_of(_without_section(records)):
            yield from self._entity(entity, _layout_name(entity.record))
        for handle, entities in self._drawing.paper.items():
            layout = self._drawing.layouts.get(handle)
            name = str(layout.values.get("name", "")) if layout else "Layout"
            for entity in entities:
                yield from self._entity(entity, None if name.lower() == "model" else name)

    def groups(self) -> Iterator[SourceItem]:
        """Yield named and nameless groups with their members."""
        names = _dictionary_names(self._drawing)
        for found in self._groups:
            name = names.get(found.handle, "")
            yield SourceElement(
                found.handle,
                "DWG:GROUP",
                Partition.DEFINITION,
                "" if name.startswith("*") else name,
                properties=found.values,
            )
            for member in _members(found):
                if member in self._read:
                    yield SourceRelationship(GROUP_MEMBERS, found.handle, member)

    def remarks(self, lost_lines: int) -> Iterator[str]:
        """Yield what was reduced or left out, once all was read."""
        if self._unknown:
            yield f"{named_counts(self._unknown, 'entity', 'entities')} kept as raw tags."
        if self._odd:
            yield f"{counted(self._odd, 'entity', 'entities')} with odd values kept as raw tags."
        if self._without_extent:
            found = named_counts(self._without_extent, "entity", "entities")
            yield f"{found} without an extent: compared, but not drawn."
        for path in self.definitions.missing_references:
            yield NOT_GIVEN.format(path)
        if lost_lines:
            yield f"{counted(lost_lines, 'line')} without a group code left out."
        if self._drawing.other_objects:
            found = named_counts(self._drawing.other_objects, "object", "objects")
            yield f"Not read: {found} in which programs keep data of their own."

    def _entity(self, entity: Entity, layout: str | None) -> Iterator[SourceElement]:
        found = read_object(entity.record)
        if found.kind == "VIEWPORT" and (69, _PAPER_WINDOW) in _whole_numbers(entity.record):
            return
        layer = str(found.values.setdefault("layer", "0"))
        yield from self.definitions.used_by(layer, layout)
        drawn_by = self._drawing.drawn_by(found)
        lines = self._lines.lines(entity, found)
        shape = self._shape(entity, found, drawn_by)
        identifier = found.handle or f"{found.kind} {digest([found.content(), shape])}"
        properties, label = self._properties(entity, found, drawn_by)
        if layout is not None:
            properties["layout"] = layout
        extent = extent_of_lines(lines)
        self._count(found, is_drawn=extent is not None)
        if identifier in self._grouped:
            self._read.add(identifier)
        yield SourceElement(
            identifier=identifier,
            class_name=f"DWG:{found.kind}",
            partition=Partition.PHYSICAL if layout is None else Partition.SHEET,
            label=label,
            category=self.definitions.layer(layer),
            type_definition=self.definitions.block(drawn_by),
            properties=properties,
            extent=extent,
            shape=shape,
            outline=outline_of_lines(lines),
            sheet=layout or "",
        )

    def _shape(self, entity: Entity, found: DxfObject, drawn_by: str) -> str:
        stated = found.shape()
        parts = [read_object(part).content() for part in entity.parts if not is_end(part)]
        nested = self._drawing.block_digest(drawn_by) if drawn_by.startswith("*") else ""
        return digest([stated, nested, *parts]) if stated or nested or parts else ""

    def _properties(
        self, entity: Entity, found: DxfObject, drawn_by: str
    ) -> tuple[dict[str, Json], str]:
        values = dict(found.values)
        for name, table in _NAMED_BY.items():
            if name in values:
                values[name] = self._drawing.spelled(table, str(values[name]))
        if drawn_by.startswith("*"):  # programs number such blocks anew with each save
            values.pop("name", None)
            values.pop("geometry", None)
        elif found.kind == "INSERT":
            values["name"] = self._drawing.spelled("BLOCK", drawn_by)
        texts = texts_of(entity, found)
        values |= texts
        if not found.is_known:
            values["raw_tags"] = found.raw_tags()
        if found.xdata and (data := _application_data(found)):
            values["application_data"] = data
        if (file := self._referenced_file(entity.record)) is not None:
            values["file"] = file
        found.values = values
        return values, label_of(found, texts)

    def _referenced_file(self, record: Record) -> str | None:
        """Return the file that an image or an underlay shows."""
        if not str(record[0][1]).endswith(("IMAGE", "UNDERLAY")):
            return None
        handle = next((str(value).strip().upper() for code, value in record if code == 340), "")
        shown = self._drawing.objects.get(handle)
        return next((text(v) for code, v in shown.record if code == 1), None) if shown else None

    def _count(self, found: DxfObject, *, is_drawn: bool) -> None:
        if not found.is_known:
            if fields_of(found.kind).is_known:
                self._odd += 1
            else:
                self._unknown[found.kind] += 1
        if not is_drawn:
            self._without_extent[found.kind] += 1


def _members(group: DxfObject) -> list[str]:
    return [str(value).strip().upper() for code, value in group.record if code == 340]


def _without_section(records: Iterator[Record]) -> Iterator[Record]:
    return (record for record in records if record[0][1] not in {"SECTION", "ENDSEC"})


def _layout_name(record: Record) -> str | None:
    """Return the layout that an entity of the entities section lies in; None for the model."""
    layout, is_paper = None, False
    for code, value in record:
        if code == 67:
            is_paper = str(value).strip() == "1"
        elif code == 410:
            layout = text(value)
        elif code == 100 and layout is not None:
            break
    if layout is not None:
        return None if layout.lower() == "model" else layout
    return "Layout1" if is_paper else None


def _whole_numbers(record: Record) -> set[tuple[int, int]]:
    return {(code, int(value)) for code, value in record if code == 69}  # the id of a viewport


def _application_data(found: DxfObject) -> dict[str, Json]:
    """Return data that programs attached, by program; AutoCAD's own settings are left out."""
    data: dict[str, list[Json]] = {}
    values: list[Json] = []
    for code, value in found.xdata:
        if code == 1001:
            values = data.setdefault(str(value), [])
        elif code in {1000, 1040, 1070, 1071}:
            values.append(value)
    own = ("ACAD", "ACDB", "ACAEC", "ACCM", "ACAUTO")
    return {app: each for app, each in data.items() if each and not app.upper().startswith(own)}


def _dictionary_names(drawing: Drawing) -> dict[str, str]:
    names: dict[str, str] = {}
    for found in drawing.objects.values():
        if found.kind == "DICTIONARY":
            name = ""
            for code, value in found.record:
                if code == 3:
                    name = text(value)
                elif code in {350, 360}:
                    names[str(value).strip().upper()] = name
    return names
