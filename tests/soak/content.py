"""Design files by the thousand: one IFC and one DXF are really written, the rest are edits of them.

An edit is a substitution of text, so a file costs microseconds; that the connectors read an edit,
and see it, is proved once when the templates are made.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import ifcopenshell
import ifcopenshell.guid
from ezdxf.filemanagement import new

_MARK: Final = "soak-000000-000000000"  # stands in both templates; every edit is as long
_LARGE_BYTES: Final = 5 * 1024 * 1024  # more than one block of an upload
_COMMENT: Final = b"/* " + b"-" * 65_530 + b" */\n"
_END: Final = b"END-ISO-10303-21;"


@dataclass(frozen=True, slots=True)
class Templates:
    """The two files that all others are edits of."""

    ifc: bytes
    dxf: bytes

    def content(self, path: str, version: int) -> bytes:
        """Return the whole content of a file in one of its versions; no two are equal.

        A path with "large" in it gets an IFC file of several upload blocks.
        """
        number = int("".join(char for char in path if char.isdigit()))
        mark = f"soak-{number:06d}-{version:09d}".encode("ascii")
        template = self.ifc if path.endswith(".ifc") else self.dxf
        edited = template.replace(_MARK.encode("ascii"), mark)
        return _enlarged(edited) if "large" in path else edited


def make_templates() -> Templates:
    """Return templates that real authoring libraries wrote."""
    return Templates(_ifc(), _dxf())


def _ifc() -> bytes:
    model = ifcopenshell.file(schema="IFC4")
    for index, kind in enumerate(("IfcProject", "IfcWall", "IfcDoor")):
        name = _MARK if kind != "IfcProject" else "Soak"
        guid = ifcopenshell.guid.compress(f"{index + 1:032x}")
        model.create_entity(kind, GlobalId=guid, Name=name)
    return str(model.to_string()).encode("ascii")


def _dxf() -> bytes:
    drawing = new("R2000")
    space = drawing.modelspace()
    space.add_line((0, 0), (10, 5))
    space.add_text(_MARK)
    text = io.StringIO()
    drawing.write(text)
    return text.getvalue().encode("ascii")


def _enlarged(ifc: bytes) -> bytes:
    """Return the same model with comments before its end."""
    body, end, rest = ifc.rpartition(_END)
    filling = _COMMENT * (_LARGE_BYTES // len(_COMMENT))
    return body + filling + end + rest


def write_whole(file: Path, data: bytes) -> None:
    """Put a content in place by a rename, as AutoCAD and Revit save."""
    draft = file.with_name(f"~{file.name}.tmp")
    draft.write_bytes(data)
    draft.replace(file)
