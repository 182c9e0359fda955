"""What one DXF record states, independent of how its writer wrote it.

Names, defaults and group codes of the attributes are those of ezdxf. An attribute written with its
default value means the same as one that is left out, and handles of other objects are
bookkeeping that programs renumber, so neither is kept.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from typing import NamedTuple

from ezdxf.entities import factory
from ezdxf.lldxf.attributes import DXFAttr, XType
from ezdxf.lldxf.types import BYTES, DOUBLE, INT16, INT32, INT64
from ezdxf.math import Vec2, Vec3

from localtwin.connectors.dxf_tags import Record, Value, integer, number, text
from localtwin.connectors.source import Json

DIGEST_BYTES = 16
RAW_TAGS_MAX = 200  # per entity, as properties; all of them count in its shape

TABLE_ENTRIES = {"LAYER", "LTYPE", "STYLE", "DIMSTYLE", "BLOCK_RECORD", "UCS", "VIEW"}
PROXY = "ACAD_PROXY_ENTITY"

_HANDLE, _MARKER, _GROUP, _EMBEDDED, _XDATA_APP = 5, 100, 102, 101, 1001
_POINTERS = {5, 105, 1005, *range(320, 370), *range(390, 400), 480, 481}
_PAPER_SPACE = {67, 410}
_IGNORED = {0, *_POINTERS, *_PAPER_SPACE}
_PREVIEW = {92, 160, 310}  # a picture of the entity for programs that do not know its type
_COMMON = {"layer", "linetype", "color", "lineweight", "ltscale", "invisible", "true_color"}
_COMMON |= {"color_name", "transparency", "shadow_mode"}
_UNTOLD_DEFAULTS = {"transparency": 0, "shadow_mode": 0}  # ezdxf knows none for these
# Values that some programs write where others write none; ezdxf knows no default for them.
_OMITTED: dict[str, dict[str, Json]] = {
    "DIMENSION": {"attachment_point": 5, "defpoint5": [0.0, 0.0, 0.0]},
    "TOLERANCE": {"x_axis_vector": [1.0, 0.0, 0.0]},
    "LEADER": {"annotation_type": 3},
    "MULTILEADER": {"text_bottom_attachment_type": 9, "text_top_attachment_type": 9},
}
# Tags that a later release writes and that change nothing.
_ATTRIBUTE_TAGS: set[tuple[int, Json]] = {(71, 1), (72, 0)}  # one line, not locked
_OMITTED_TAGS: dict[str, set[tuple[int, Json]]] = {
    "ATTRIB": _ATTRIBUTE_TAGS,
    "ATTDEF": _ATTRIBUTE_TAGS,
    "MULTILEADER": {(272, 9), (273, 9), (295, 0)},
}
# Group codes that mean something else below a marker than above it.
_REUSED = {"AcDbAttribute": {71, 72}, "AcDbAttributeDefinition": {71, 72}}
# Their text is that of a solid modeller, in which blanks at the end of a line mean nothing.
_SOLIDS = {"3DSOLID", "REGION", "BODY", "SURFACE", "PLANESURFACE", "EXTRUDEDSURFACE"}
_SOLIDS |= {"LOFTEDSURFACE", "REVOLVEDSURFACE", "SWEPTSURFACE"}
_VIEW_STATE = {
    "VIEWPORT": {"status", "id"},
    "STYLE": {"last_height"},
    "INSERT": {"attribs_follow"},
    "POLYLINE": {"attribs_follow"},
    "DIMSTYLE": {"flags", "dimunit", "dimfit"},  # the last two only until R14
    "LTYPE": {"flags"},
}


class Field(NamedTuple):
    """The attribute that a group code states; `axis` is -1 unless it is a point's coordinate."""

    name: str
    axis: int
    convert: Callable[[Value], Json]
    default: Json


class Fields(NamedTuple):
    """The attributes of a type of object."""

    by_code: Mapping[int, Field]
    ignored: frozenset[int]
    point_defaults: tuple[tuple[str, list[float]], ...]
    is_known: bool


@dataclass(slots=True)
class DxfObject:
    """One record: named attributes in `values`, all else that counts in `rest` and `xdata`."""

    kind: str
    handle: str
    values: dict[str, Json]
    rest: list[tuple[int, Json]]
    xdata: list[tuple[int, Json]]
    record: Record
    is_known: bool = True

    def content(self) -> str:
        """Return all that the object states, as text to compare."""
        return repr((self.kind, sorted(self.values.items()), self._rest(), self._data()))

    def shape(self) -> str:
        """Return what the named attributes do not state, as text to compare; maybe empty."""
        return repr((self._rest(), self._data())) if self.rest or self.xdata else ""

    def raw_tags(self) -> list[Json]:
        """Return the tags without a name, as a person can read them."""
        return [f"{code} {value}" for code, value in self.rest[:RAW_TAGS_MAX]]

    def _data(self) -> list[list[tuple[int, Json]]]:
        """Return the data that programs attached, in the order of the programs' names."""
        apps: list[list[tuple[int, Json]]] = []
        for tag in self.xdata:
            if tag[0] == _XDATA_APP or not apps:
                apps.append([])
            apps[-1].append(tag)
        return sorted(apps, key=lambda tags: str(tags[0][1]))

    def _rest(self) -> list[tuple[int, Json]]:
        # Their order only counts where codes repeat, such as the vertices of a polyline.
        is_ordered = len({code for code, _ in self.rest}) < len(self.rest)
        return self.rest if is_ordered else sorted(self.rest, key=lambda tag: tag[0])


def read_object(record: Record) -> DxfObject:
    """Return what the record states; a value of the wrong type makes it an object of raw tags."""
    kind = str(record[0][1])
    try:
        return _Reading(kind, fields_of(kind)).read(record)
    except (ValueError, TypeError, OverflowError):
        return _raw(kind, record)


def digest(texts: Iterable[str]) -> str:
    """Return a digest of texts that are compared."""
    found = blake2b(digest_size=DIGEST_BYTES)
    for each in texts:
        found.update(each.encode("utf-8", "surrogatepass"))
    return found.hexdigest()


@cache
def fields_of(kind: str) -> Fields:
    """Return the attributes of a type; only those that all entities have if it is unknown."""
    is_known = kind in factory.ENTITY_CLASSES and kind != PROXY
    known = factory.ENTITY_CLASSES[kind if is_known else "LINE"].DXFATTRIBS._attribs
    by_code: dict[int, Field] = {}
    ignored = set(_IGNORED)
    point_defaults: list[tuple[str, list[float]]] = []
    for name, attribute in known.items():
        if not is_known and name not in _COMMON:
            continue
        if attribute.alias and name != attribute.name:
            continue
        if attribute.code <= 0 or attribute.code in _IGNORED:
            continue
        if name in _VIEW_STATE.get(kind, ()):
            ignored.add(attribute.code)
        if attribute.code in by_code or attribute.code in ignored:
            continue
        default = _default(kind, attribute)
        if attribute.xtype in {XType.point2d, XType.point3d, XType.any_point}:
            _add_point(by_code, attribute)
            if isinstance(default, list):
                point_defaults.append((name, default))
        else:
            by_code[attribute.code] = Field(name, -1, _converter(attribute.code), default)
    return Fields(by_code, frozenset(ignored), tuple(point_defaults), is_known)


def _add_point(by_code: dict[int, Field], attribute: DXFAttr) -> None:
    for axis in range(2 if attribute.xtype is XType.point2d else 3):
        by_code.setdefault(attribute.code + 10 * axis, Field(attribute.name, axis, number, None))


def _default(kind: str, attribute: DXFAttr) -> Json:
    """Return the value that means the same as none; None if there is no such value."""
    if attribute.name in _UNTOLD_DEFAULTS:
        return _UNTOLD_DEFAULTS[attribute.name]
    if attribute.name in _OMITTED.get(kind, ()):
        return _OMITTED[kind][attribute.name]
    value = attribute.default
    is_zero = isinstance(value, (int, float)) and value == 0  # writers differ in writing it
    may_be_omitted = attribute.optional or kind in TABLE_ENTRIES or is_zero
    if attribute.name == "name" or not (may_be_omitted or attribute.name == "elevation"):
        return None
    if isinstance(value, str):
        return value.upper()
    if isinstance(value, (tuple, Vec3, Vec2)):
        return [number(each) for each in value]
    return number(value) if isinstance(value, (int, float)) else None


def _converter(code: int) -> Callable[[Value], Json]:
    if code in DOUBLE:
        return number
    if code in INT16 or code in INT32 or code in INT64 or code in BYTES:
        return integer
    return text


_CONVERTERS: dict[int, Callable[[Value], Json]] = {code: _converter(code) for code in range(1072)}


def _canonical(code: int, value: Value) -> Json:
    return _CONVERTERS.get(code, text)(value)


class _Reading:
    """One pass over a record."""

    def __init__(self, kind: str, fields: Fields) -> None:
        self._kind = kind
        self._fields = fields
        self._sections = 0
        self._rest: list[tuple[int, Json]] = []
        self._xdata: list[tuple[int, Json]] = []
        self._in_group = False

    def read(self, record: Record) -> DxfObject:
        by_code, values, seen = self._fields.by_code, dict[str, Json](), set[int]()
        ignored, handle = self._fields.ignored, ""
        for code, value in record:
            if code in ignored:
                if code == _HANDLE and not handle and not self._in_group:
                    handle = str(value).strip().upper()
                continue
            field = by_code.get(code)
            if field is None or code in seen or self._in_group:
                self._take_other(code, value)
                if self._is_past_fields():
                    by_code = {}
                elif code == _MARKER and value in _REUSED:
                    by_code = {key: by_code[key] for key in by_code if key not in _REUSED[value]}
                continue
            seen.add(code)
            name, axis, convert, default = field
            found = convert(value)
            if axis >= 0:
                point = values.setdefault(name, [0.0, 0.0, 0.0])
                point[axis] = found  # type: ignore[index] # always a list
            elif default is None or (
                found != default if not isinstance(found, str) else found.upper() != default
            ):
                values[name] = found
        for name, usual in self._fields.point_defaults:
            if values.get(name) == usual:
                del values[name]
        return DxfObject(
            self._kind, handle, values, self._rest, self._xdata, record, self._fields.is_known
        )

    def _take_other(self, code: int, value: Value) -> None:
        if code == _GROUP:
            self._in_group = str(value).strip().startswith("{")
        elif self._in_group:
            return
        elif code == _MARKER:
            self._sections += 1
        elif code >= _XDATA_APP - 1:
            self._xdata.append((code, _canonical(code, value)))
        elif code == _EMBEDDED:
            self._sections = 1_000
        elif code in _PREVIEW and self._sections < 2 and self._fields.is_known:
            return
        else:
            found = _canonical(code, value)
            if (code, found) in _OMITTED_TAGS.get(self._kind, ()):
                return
            is_line = self._kind in _SOLIDS and isinstance(found, str)
            self._rest.append((code, found.rstrip() if is_line else found))  # type: ignore[union-attr] # a text

    def _is_past_fields(self) -> bool:
        """Return whether codes no longer mean what the list of attributes says."""
        return self._sections >= (1_000 if self._fields.is_known else 2)


def _raw(kind: str, record: Record) -> DxfObject:
    """Return an object whose values are texts, since one of them is not what it must be."""
    handle = next((str(value).strip().upper() for code, value in record if code == _HANDLE), "")
    layer = next((text(value) for code, value in record if code == 8), "0")
    rest: list[tuple[int, Json]] = [
        (code, text(value)) for code, value in record if code not in _IGNORED
    ]
    return DxfObject(kind, handle, {"layer": layer}, rest, [], record, is_known=False)
