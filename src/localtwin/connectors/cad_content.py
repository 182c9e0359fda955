"""What elements of DWG and DGN say: class, label, properties, and a digest of all of it.

The digest is independent of handles, of the numbers of nameless blocks, and of the noise of
arithmetic, which differ with each program that saves a drawing.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Any, TypeAlias

from ezdxf.tools.text import fast_plain_mtext

from localtwin.connectors.dxf_drawing import PLACING, PLACING_NAMES
from localtwin.connectors.dxf_text import LABEL_LENGTH
from localtwin.connectors.source import Json

CadObject: TypeAlias = dict[str, Any]  # an object as cadkit gives it

DIGEST_BYTES = 16
DIGITS = 12  # of a number; what lies beyond is noise
REMARKS_MAX = 5

_DXF_NAMES = {"m_text": "MTEXT"}
_EXPECTED = ("dwg.unsupported_entity", "dgn.unknown_element")  # warnings of which we say more
_VIEW_STATE = {"dwg.viewport_status"}  # how a person left it, not content
_HEADER = "dwg.header."


class CadContent:
    """Digests of elements, and of blocks with all that is in them."""

    def __init__(self, blocks: Mapping[str, CadObject]) -> None:
        self._blocks = blocks
        self._digests: dict[str, str] = {}

    def of(self, entity: CadObject) -> str:
        """Return a digest of an element and its parts, without the names the file gives them."""
        return digest([json.dumps(self._said(entity), sort_keys=True)])

    def of_block(self, name: str) -> str:
        """Return a digest of what is in a block, in whatever order it is there; "" if nothing."""
        if name not in self._digests:
            self._digests[name] = ""  # a block that contains itself ends here
            block = self._blocks.get(name)
            said = sorted(self.of(entity) for entity in block["entities"]) if block else []
            self._digests[name] = digest(said) if said else ""
        return self._digests[name]

    def _said(self, value: Any) -> Any:
        if isinstance(value, float):
            return float(f"{value:.{DIGITS}g}") + 0.0
        if isinstance(value, list):
            return [self._said(each) for each in value]
        if not isinstance(value, dict):
            return value
        # Raw bytes are all there is to compare of an element that cadkit can't take apart.
        kind = value.get("kind")
        is_known = not isinstance(kind, dict) or kind.get("type") != "unknown"
        dropped = {"id", "raw", *_VIEW_STATE} if is_known else {"id"}
        said = {
            name: each if name == "bytes" else self._said(each)
            for name, each in value.items()
            if name not in dropped
        }
        if is_nameless(value.get("block")):
            said["block"] = self.of_block(value["block"])
        return said


def is_nameless(block: object) -> bool:
    """Return whether a program named a block, which it numbers anew with each save."""
    return isinstance(block, str) and block.startswith("*")


def class_of(entity: CadObject) -> str:
    """Return the name of an element's class, as in DXF where that has one."""
    kind = entity["kind"]
    match kind["type"]:
        case "unknown":
            return str(kind["type_name"]).rpartition(".")[2].upper() or "UNKNOWN"
        case "group":
            name = str(kind.get("group_kind") or "")
            return name.upper() if name not in {"", "other"} else "GROUP"
        case "face":
            return str(entity["props"].get("dwg.face_type") or "FACE")
        case name:
            return _DXF_NAMES.get(name, str(name).upper())


def label_of(kind: CadObject) -> str:
    """Return what a person would call an element: its words, or the name of its block or cell."""
    if kind["type"] == "dimension":
        measured = kind.get("measurement")
        number = f"{measured:.6g}" if isinstance(measured, int | float) else ""
        return str(kind.get("text") or "<>").replace("<>", number)
    if kind["type"] == "group" and not kind.get("name"):
        words = (label_of(each["kind"]) for each in (kind.get("children") or ())[:1])
        return next(words, "")
    block = kind.get("block")
    named = "" if is_nameless(block) else block
    found = kind.get("plain") or kind.get("value") or named or kind.get("name") or ""
    return " ".join(str(found).split())


def plain_words(text: str) -> str:
    """Return a text in one line without its formatting, as a label."""
    return " ".join(str(fast_plain_mtext(text)).split())[:LABEL_LENGTH]


def properties_of(entity: CadObject) -> dict[str, Json]:
    """Return what an element says in single values; places are in its shape."""
    properties = without(entity, "id", "kind", "attributes", "raw", "props")
    for name, value in entity["kind"].items():
        is_value = isinstance(value, str | float | int)
        if is_value and name != "type" and not (name == "block" and is_nameless(value)):
            properties[name] = value
    if props := {name: each for name, each in entity["props"].items() if name not in _VIEW_STATE}:
        properties["props"] = props
    if entity["attributes"]:
        properties["attributes"] = _attributes(entity["attributes"])
    return properties


def _attributes(found: Iterable[CadObject]) -> dict[str, Json]:
    """Return attributes by tag; a tag that comes again gets a number."""
    values: dict[str, Json] = {}
    for each in found:
        tag = name = str(each["tag"])
        repeat = 1
        while name in values:
            repeat += 1
            name = f"{tag}~{repeat}"
        values[name] = each["value"]
    return values


def placing_of(document: CadObject) -> dict[str, Json]:
    """Return what places or scales a drawing: its units, and header values that are not usual."""
    units = {"unit": document["units"]["unit"], "metres": document["units"]["meters_per_unit"]}
    found: dict[str, Json] = {name: value for name, value in units.items() if value is not None}
    for name, usual in PLACING.items():
        value = document["props"].get(f"{_HEADER}{name[1:]}")
        if isinstance(value, bool):
            value = int(value)
        if value is not None and value != usual:
            found[PLACING_NAMES.get(name, name[1:].lower())] = value
    return found


def reader_remarks(warnings: Iterable[CadObject]) -> Iterator[str]:
    """Yield what the reader found odd, once each."""
    messages = (each["message"] for each in warnings if not each["code"].startswith(_EXPECTED))
    for message in list(dict.fromkeys(messages))[:REMARKS_MAX]:
        yield f"The reader remarks: {message}."


def without(properties: CadObject, *names: str) -> dict[str, Json]:
    """Return the properties that have a value, but for some."""
    return {
        name: value for name, value in properties.items() if name not in names and value is not None
    }


def digest(texts: Iterable[str]) -> str:
    """Return a digest of texts that are compared."""
    found = blake2b(digest_size=DIGEST_BYTES)
    for text in texts:
        found.update(text.encode("utf-8", "surrogatepass"))
    return found.hexdigest()
