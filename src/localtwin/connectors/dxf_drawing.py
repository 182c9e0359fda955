"""All of a DXF drawing but its entities: header, tables, blocks, layouts, other objects."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from localtwin.connectors.dxf_objects import DxfObject, digest, read_object
from localtwin.connectors.dxf_tags import Record, TagFile, number, text
from localtwin.connectors.source import Json

R12 = "AC1009"
_OWNERS = {"POLYLINE": {"VERTEX", "SEQEND"}, "INSERT": {"ATTRIB", "SEQEND"}}
_ALONE = {"VERTEX", "ATTRIB", "SEQEND"}
_TABLES = {"LAYER", "LTYPE", "STYLE", "DIMSTYLE", "BLOCK_RECORD", "UCS"}
_KEPT_OBJECTS = {"LAYOUT", "GEODATA", "GROUP", "IMAGEDEF", "DICTIONARY"}
_KEPT_OBJECTS |= {"PDFDEFINITION", "DWFDEFINITION", "DGNDEFINITION"}
# Objects that programs keep for themselves in every drawing; nothing is lost without them.
_BOOKKEEPING = {"MATERIAL", "DICTIONARYVAR", "ACDBDICTIONARYWDFLT", "ACDBPLACEHOLDER"}
_BOOKKEEPING |= {"MLINESTYLE", "VISUALSTYLE", "PLOTSETTINGS", "SCALE", "TABLESTYLE"}
_BOOKKEEPING |= {"MLEADERSTYLE", "CELLSTYLEMAP", "SORTENTSTABLE", "RASTERVARIABLES", "SECTION"}
_BOOKKEEPING |= {"IMAGEDEF_REACTOR", "WIPEOUTVARIABLES", "FIELDLIST", "IDBUFFER", "ENDSEC"}
_BOOKKEEPING |= {"LAYER_FILTER", "LAYER_INDEX", "SPATIAL_INDEX", "ACDBDETAILVIEWSTYLE"}
_BOOKKEEPING |= {"ACDBSECTIONVIEWSTYLE", "SUN", "LAYOUT", "EXACXREFPANELOBJECT"}
_NAMELESS = ("*MODEL_SPACE", "*PAPER_SPACE", "$MODEL_SPACE", "$PAPER_SPACE")

# Header variables that place or scale the model, and the value that an omitted one has.
# Source: DXF Reference (Autodesk 2018), "HEADER section group codes".
PLACING: dict[str, Json] = {
    "$INSUNITS": 0,
    "$MEASUREMENT": 0,
    "$INSBASE": [0.0, 0.0, 0.0],
    "$LTSCALE": 1.0,
    "$PSLTSCALE": 1,
    "$DIMSCALE": 1.0,
    "$ANGBASE": 0.0,
    "$ANGDIR": 0,
    "$PDMODE": 0,
    "$PDSIZE": 0.0,
    "$LATITUDE": 37.795,
    "$LONGITUDE": -122.394,
    "$NORTHDIRECTION": 0.0,
    "$ELEVATION": 0.0,
}
PLACING_NAMES = {
    "$INSUNITS": "insert_units",
    "$INSBASE": "insert_base",
    "$LTSCALE": "linetype_scale",
}


class Entity(NamedTuple):
    """The record of an entity, with those of its vertices or attributes."""

    record: Record
    parts: list[Record]


@dataclass(slots=True)
class Block:
    """A block definition: what it contains is drawn wherever it is inserted."""

    name: str
    handle: str
    record: DxfObject
    path: str
    entities: list[Entity]

    @property
    def base(self) -> tuple[float, float, float]:
        """The point of the block that comes to lie where it is inserted."""
        point: list[float] = [0.0, 0.0, 0.0]
        for code, value in self.record.record:
            if code in (10, 20, 30):
                point[code // 10 - 1] = number(value)
        return point[0], point[1], point[2]

    @property
    def is_nameless(self) -> bool:
        """Whether a program made it to draw one dimension, table or dynamic block."""
        return self.name.startswith("*")


@dataclass(slots=True)
class Drawing:
    """A drawing without its entities; names are looked up in lower case, objects by handle."""

    header: dict[str, Record] = field(default_factory=dict)
    classes: list[str] = field(default_factory=list)
    tables: dict[str, list[DxfObject]] = field(default_factory=dict)
    blocks: dict[str, Block] = field(default_factory=dict)
    paper: dict[str, list[Entity]] = field(default_factory=dict)
    layouts: dict[str, DxfObject] = field(default_factory=dict)
    objects: dict[str, DxfObject] = field(default_factory=dict)
    other_objects: Counter[str] = field(default_factory=Counter)
    spellings: dict[str, str] = field(default_factory=dict)
    _digests: dict[str, str] = field(default_factory=dict)

    @property
    def release(self) -> str:
        """The release as $ACADVER states it, such as AC1032; R12 if it states none."""
        return next((str(value) for _, value in self.header.get("$ACADVER", ())), R12)

    def placing(self) -> dict[str, Json]:
        """Return the header variables that place or scale the model, without default values."""
        found: dict[str, Json] = {}
        for name, usual in PLACING.items():
            value = _header_value(self.header.get(name), usual)
            if value != usual:
                found[PLACING_NAMES.get(name, name[1:].lower())] = value
        return found

    def spelled(self, kind: str, name: str) -> str:
        """Return a name as its table spells it: upper and lower case mean the same."""
        if kind == "LTYPE" and name.upper() == "CONTINUOUS":
            return "Continuous"  # in every drawing, and programs spell it in two ways
        return self.spellings.get(f"{kind} {name.lower()}", name)

    def block_digest(self, name: str) -> str:
        """Return a digest of what is drawn in a block, in any order; "" if there is none."""
        key = name.lower()
        if key not in self._digests:
            self._digests[key] = ""  # a block that contains itself ends here
            block = self.blocks.get(key)
            if block is not None:
                contents = sorted(self.content(entity) for entity in block.entities)
                self._digests[key] = digest(contents)
        return self._digests[key]

    def content(self, entity: Entity) -> str:
        """Return all that an entity of a block states, as text to compare."""
        found = read_object(entity.record)
        drawn_by = self.drawn_by(found)
        parts = [read_object(part).content() for part in entity.parts if not is_end(part)]
        nested = self.block_digest(drawn_by) if drawn_by.startswith("*") else ""
        if drawn_by.startswith("*"):
            found.values.pop("name", None)
            found.values.pop("geometry", None)
        return repr((found.content(), nested, parts))

    def drawn_by(self, entity: DxfObject) -> str:
        """Return the name of the block that draws an entity; "" if none does."""
        name = {"INSERT": "name", "ACAD_TABLE": "geometry"}.get(entity.kind, "")
        if "DIMENSION" in entity.kind:
            name = "geometry"
        return str(entity.values.get(name, "")) if name else ""


def read_drawing(file: TagFile) -> Drawing:
    """Return everything but the entities of the model and of the current layout."""
    drawing = Drawing()
    in_blocks: list[Record] = []
    for section, record in file.records(without="ENTITIES"):
        match section:
            case "HEADER":
                _take_header(drawing, record)
            case "CLASSES":
                drawing.classes += [text(value) for code, value in record if code == 1]
            case "TABLES":
                _take_entry(drawing, record)
            case "BLOCKS":
                in_blocks.append(record)
            case "OBJECTS":
                _take_object(drawing, record)
    _take_blocks(drawing, in_blocks)
    return drawing


def entities_of(records: Iterable[Record]) -> Iterator[Entity]:
    """Group records into entities: vertices and attributes follow what they belong to."""
    current: Entity | None = None
    for record in records:
        kind = str(record[0][1])
        if kind in _ALONE:
            if current is not None and kind in _OWNERS.get(str(current.record[0][1]), ()):
                current.parts.append(record)
                continue
            if kind == "SEQEND":
                continue
        if current is not None:
            yield current
        current = Entity(record, [])
    if current is not None:
        yield current


def is_end(part: Record) -> bool:
    """Return whether a record only ends the vertices or attributes before it."""
    return part[0][1] == "SEQEND"


def _take_header(drawing: Drawing, record: Record) -> None:
    name = ""
    for code, value in record[1:]:
        if code == 9:
            name = str(value).strip().upper()
            drawing.header[name] = []
        elif name:
            drawing.header[name].append((code, value))


def _header_value(tags: Record | None, usual: Json) -> Json:
    if not tags:
        return usual
    try:
        numbers = [number(value) for _, value in tags]
    except ValueError:
        return text(tags[0][1])
    if isinstance(usual, list):
        return [*numbers, 0.0, 0.0, 0.0][:3]
    return int(numbers[0]) if isinstance(usual, int) else numbers[0]


def _take_entry(drawing: Drawing, record: Record) -> None:
    kind = str(record[0][1])
    if kind not in _TABLES:
        return
    entry = read_object(record)
    if kind == "DIMSTYLE":
        entry.handle = next((str(value).upper() for code, value in record if code == 105), "")
    name = next((text(value) for code, value in record if code == 2), "")
    entry.values["name"] = name
    drawing.tables.setdefault(kind, []).append(entry)
    drawing.spellings.setdefault(f"{kind} {name.lower()}", name)


def _take_object(drawing: Drawing, record: Record) -> None:
    kind = str(record[0][1])
    if kind not in _KEPT_OBJECTS:
        if kind not in _BOOKKEEPING:
            drawing.other_objects[kind] += 1
        return
    found = read_object(record)
    if kind == "LAYOUT":
        name, space = _layout_names(record)
        found.values["name"] = name
        drawing.layouts[space] = found
    drawing.objects[found.handle] = found


def _layout_names(record: Record) -> tuple[str, str]:
    """Return the name of a layout and the handle of the block that holds its entities."""
    marker, name, space = "", "", ""
    for code, value in record:
        if code == 100:
            marker = str(value).strip()
        elif marker == "AcDbLayout" and code == 1:
            name = text(value)
        elif marker == "AcDbLayout" and code == 330:
            space = str(value).strip().upper()
    return name, space


def _take_blocks(drawing: Drawing, records: Iterable[Record]) -> None:
    handles = {
        str(entry.values["name"]).lower(): entry.handle
        for entry in drawing.tables.get("BLOCK_RECORD", ())
    }
    block: Block | None = None
    inside: list[Record] = []
    for record in records:
        kind = record[0][1]
        if kind == "BLOCK":
            block, inside = _block(record, handles), []
        elif kind == "ENDBLK" and block is not None:
            _add_block(drawing, block, list(entities_of(inside)))
            block = None
        elif block is not None:
            inside.append(record)


def _block(record: Record, handles: dict[str, str]) -> Block:
    name = next((text(value) for code, value in record if code == 2), "")
    path = next((text(value) for code, value in record if code == 1), "")
    return Block(name, handles.get(name.lower(), ""), read_object(record), path, [])


def _add_block(drawing: Drawing, block: Block, entities: list[Entity]) -> None:
    block.entities = entities
    if block.name.upper().startswith(_NAMELESS):
        drawing.paper.setdefault(block.handle, []).extend(entities)
    else:
        drawing.blocks.setdefault(block.name.lower(), block)
        drawing.spellings.setdefault(f"BLOCK {block.name.lower()}", block.name)
