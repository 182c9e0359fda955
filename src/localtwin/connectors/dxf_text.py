"""The words in DXF entities: notes, dimensions, leaders, tables, attributes."""

from collections.abc import Iterable, Sequence

from ezdxf.tools.text import fast_plain_mtext, plain_text

from localtwin.connectors.dxf_drawing import Entity, is_end
from localtwin.connectors.dxf_objects import DxfObject, read_object
from localtwin.connectors.dxf_tags import Record, text
from localtwin.connectors.source import Json

LABEL_LENGTH = 120

_PLAIN = {"TEXT", "ATTRIB", "ATTDEF", "TOLERANCE", "ARCALIGNEDTEXT", "RTEXT"}
_EMBEDDED = 101


def texts_of(entity: Entity, found: DxfObject) -> dict[str, Json]:
    """Return the properties that hold the words of an entity; none for one without words."""
    if found.kind == "MTEXT":
        return _some(text=mtext_of(entity.record))
    if found.kind in {"MULTILEADER", "MLEADER"}:
        return _leader_texts(entity.record)
    if found.kind == "ACAD_TABLE":
        cells = _cell_texts(entity.record)
        return {"cells": cells} if cells else {}
    if found.kind == "INSERT":
        attributes = attributes_of(entity.parts)
        return {"attributes": attributes} if attributes else {}
    if not found.is_known:
        words = "\n".join(str(value) for code, value in found.rest if code == 1)
        return _some(text=words)
    return {}


def mtext_of(record: Record) -> str:
    """Return the words of an MTEXT without their formatting."""
    return _plain_mtext(_joined(record))


def label_of(found: DxfObject, texts: dict[str, Json]) -> str:
    """Return what a person would call the entity: its words, or the block that it inserts."""
    values = found.values
    if found.kind == "TOLERANCE":
        label = str(values.get("content", "")).replace("%%v", "|")
    elif "DIMENSION" in found.kind:
        label = dimension_text(found)
    elif found.kind in _PLAIN:
        label = plain_text(str(values.get("text", texts.get("text", ""))))
    elif found.kind == "INSERT":
        label = str(values.get("name", ""))
    else:
        label = _first_words(texts)
    return " ".join(label.split())[:LABEL_LENGTH]


def dimension_text(found: DxfObject) -> str:
    """Return what a dimension shows: its text, in which <> is the measured number."""
    measured = found.values.get("actual_measurement")
    number = f"{measured:.6g}" if isinstance(measured, (int, float)) else "<>"
    written = str(found.values.get("text", ""))
    return (
        plain_text(written.replace("<>", number)) if written.strip() else number.replace("<>", "")
    )


def attributes_of(parts: Iterable[Record]) -> dict[str, Json]:
    """Return the attributes of an insert by tag; a tag that comes again gets a number."""
    found: dict[str, Json] = {}
    for part in parts:
        if is_end(part):
            continue
        values = read_object(part).values
        tag = name = str(values.get("tag", ""))
        repeat = 1
        while name in found:
            repeat += 1
            name = f"{tag}~{repeat}"
        found[name] = _attribute_text(part, values)
    return found


def _attribute_text(part: Record, values: dict[str, Json]) -> str:
    embedded = next((n for n, (code, _) in enumerate(part) if code == _EMBEDDED), None)
    if embedded is not None and (lines := _joined(part[embedded + 1 :])):
        return _plain_mtext(lines)
    return plain_text(str(values.get("text", "")))


def _plain_mtext(formatted: str) -> str:
    return str(fast_plain_mtext(formatted))


def _joined(record: Sequence[tuple[int, object]]) -> str:
    """Return the text of an MTEXT, which is cut into pieces of 250 letters."""
    pieces: list[str] = []
    for code, value in record:
        if code == _EMBEDDED:
            break
        if code in {1, 3}:
            pieces.append(text(str(value)))
    return "".join(pieces)


def _leader_texts(record: Record) -> dict[str, Json]:
    notes = [text(value) for code, value in record if code == 304 and not _is_bracket(value)]
    attributes: list[Json] = [
        text(value) for code, value in record if code == 302 and not _is_bracket(value)
    ]
    found = _some(text=_plain_mtext("\n".join(note for note in notes if note)))
    return found | ({"attributes": attributes} if attributes else {})


def _is_bracket(value: object) -> bool:
    return str(value).strip().endswith("{")


def _cell_texts(record: Record) -> list[Json]:
    """Return the words of a table, cell by cell; formatted text stands beside the plain one."""
    cells: list[Json] = []
    pieces: list[str] = []
    in_table = False
    for code, value in record:
        if code == 100:
            in_table = str(value).strip() == "AcDbTable"
        elif in_table and code == 2:
            pieces.append(text(value))
        elif in_table and code in {1, 302}:
            words = _plain_mtext("".join([*pieces, text(value)]))
            pieces.clear()
            if words and (code == 1 or not cells or cells[-1] != words):
                cells.append(words)
    return cells


def _some(**found: str) -> dict[str, Json]:
    return {name: value for name, value in found.items() if value}


def _first_words(texts: dict[str, Json]) -> str:
    words = texts.get("text", "")
    if words or "cells" not in texts:
        return str(words)
    cells = texts["cells"]
    return str(cells[0]) if isinstance(cells, list) else ""
