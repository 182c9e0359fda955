"""What a Revit file says about itself in its stream BasicFileInfo.

The stream is binary with a block of text lines, "Name: value", in UTF-16 of either byte order.
Source: Jeremy Tammik, "Open Revit OLE Storage" and "Basic File Info", read 2026-11.
"""

import re

import olefile

from localtwin.connectors.source import Json, clean

STREAM = "BasicFileInfo"
_FIRST_LINES = ("Worksharing:", "Username:", "Central Model Path:", "Revit Build:", "Format:")
_LINE = re.compile(r"^([A-Z][A-Za-z ]{2,40}): ?(.*)$")
_NAMES = {
    "Worksharing": "worksharing",
    "Central Model Path": "central_model_path",
    "Central File Path": "central_model_path",
    "Format": "version",
    "Build": "build",
    "Revit Build": "build",
    "Locale when saved": "locale",
    "Project Spark File": "spark_file",
    "All Local Changes Saved To Central": "all_changes_saved_to_central",
    "Central Model Identity": "central_model_identity",
    "Author": "program",
}
_YEAR = re.compile(r"Revit\D{0,40}(20\d\d)")
_UNSET = "00000000-0000-0000-0000-000000000000"


def basic_file_info(ole: olefile.OleFileIO) -> dict[str, Json]:
    """Return version, build, worksharing and central model; nothing if it is not Revit's.

    Who saved it, and where on that machine, is left out: it changes with each save.
    """
    if not ole.exists(STREAM):
        return {}
    with ole.openstream(STREAM) as data:
        lines = _text(data.read()).splitlines()
    found: dict[str, Json] = {}
    for line in lines:
        if (match := _LINE.match(line.strip())) and (name := _NAMES.get(match[1])):
            value = clean(match[2].split("\x00")[0].strip())
            if value and value != _UNSET:
                found[name] = value
    # Until 2018 the version was only part of the build's name.
    if "version" not in found and (year := _YEAR.search(str(found.get("build", "")))):
        found["version"] = year[1]
    return found


def _text(data: bytes) -> str:
    """Return the block of lines, wherever it starts and in whichever byte order."""
    for encoding in ("utf-16-le", "utf-16-be"):
        starts = [data.find(line.encode(encoding)) for line in _FIRST_LINES]
        if present := [start for start in starts if start >= 0]:
            return data[min(present) :].decode(encoding, "replace")
    return ""
