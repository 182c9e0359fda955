"""Reads the names of other files out of one design file; runs in a process of its own.

pycadkit takes DWG and DXF apart: external references, and images. It does not report the reference
attachments of a DGN, which is read here. IFC is text, of which the documents and textures are found
without a library. A shapefile is a file of several parts.
Sources: ISO 10303-21 (strings), IFC4 (IfcDocumentReference, IfcImageTexture), ESRI Shapefile
Technical Description.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from . import dgn_references

CAD_ENDINGS: Final = (".dwg", ".dxf")
DRAWING_ENDINGS: Final = (*CAD_ENDINGS, ".dgn")
"""Endings of the files that only a library takes apart."""

ENDINGS: Final = (*DRAWING_ENDINGS, ".ifc", ".shp")
"""Endings of the files that can name others."""

OBJECTS_MAX: Final = 5_000_000  # a drawing with more is not taken apart
REFERENCES_MAX: Final = 1000  # of one file; more are a mistake of the reading
_PARTS: Final = (".shx", ".dbf")  # without which no program opens a shapefile

_STRING: Final = rb"'((?:[^']|'')*)'"
_IFC: Final = re.compile(
    rb"=\s*IFC(?:(DOCUMENTREFERENCE)\(\s*" + _STRING + rb"|(IMAGETEXTURE)\([^;]*?" + _STRING
    # The address is the texture's last value.
    + rb"\s*\)\s*;)",
    re.IGNORECASE,
)  # fmt: skip
_WIDE: Final = re.compile(r"\\X2\\([0-9A-Fa-f]+)\\X0\\")
_NARROW: Final = re.compile(r"\\X\\([0-9A-Fa-f]{2})|\\S\\(.)")


def is_readable(ending: str) -> bool:
    """Return whether what such a file names can be read with what is installed."""
    if ending == ".dgn":
        return dgn_references.is_readable()
    return ending in ENDINGS and (ending not in CAD_ENDINGS or find_spec("cadkit") is not None)


def references_in(file: str, name: str) -> list[tuple[str, str]]:
    """Return kind and path, as written, of what the file names, each once; `name` is the file's.

    Raises UnreadableDesignFileError, and whatever the libraries raise.
    """
    ending = Path(name).suffix.lower()
    if ending == ".ifc":
        found = _in_ifc(file)
    elif ending == ".dgn":
        found = dgn_references.references_of(file)
    elif ending == ".shp":
        found = iter([("part", f"{Path(name).stem}{part}") for part in _PARTS])
    else:
        found = _in_drawing(file)
    return list(dict.fromkeys(found))[:REFERENCES_MAX]


def _in_drawing(file: str) -> Iterator[tuple[str, str]]:
    drawing: dict[str, Any] = import_module("cadkit").read(file, max_objects=OBJECTS_MAX).to_dict()
    for block in drawing["blocks"]:
        if block.get("is_xref") and block.get("xref_path"):
            yield "drawing", block["xref_path"]
    for entities in (each["entities"] for each in (*drawing["blocks"], *drawing["models"])):
        for entity in entities:
            kind = entity["kind"]
            if kind.get("type") == "image" and kind.get("path"):
                yield "image", kind["path"]


def _in_ifc(file: str) -> Iterator[tuple[str, str]]:
    with Path(file).open("rb") as data, _mapped(data.fileno()) as content:
        for found in _IFC.finditer(content):
            if found[1]:
                yield "document", _decoded(found[2])
            else:
                yield "image", _decoded(found[4])


def _mapped(descriptor: int) -> mmap.mmap:
    return mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)


def _decoded(value: bytes) -> str:
    """Return a string of a STEP file as text."""
    text = value.decode("utf-8", "replace").replace("''", "'")
    text = _WIDE.sub(lambda found: bytes.fromhex(found[1]).decode("utf-16-be", "replace"), text)
    text = _NARROW.sub(lambda found: _latin(found[1], found[2]), text)
    return text.replace("\\\\", "\\")


def _latin(code: str | None, shifted: str) -> str:
    return chr(int(code, 16)) if code else chr(ord(shifted) + 128)
