"""Finds out how a text file is encoded, and names the line that is not."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Final

from .columns import BadTableError

UTF_8: Final = "utf-8-sig"  # with or without a byte order mark
_MARKS: Final = (
    (codecs.BOM_UTF8, UTF_8),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ZEROS: Final = 0.25  # of all bytes: every second one of Western text in UTF-16
_OTHERS: Final = ((b"PK\x03\x04", "a workbook (.xlsx)"), (b"PAR1", "Parquet (.parquet)"))


def encoding_of(file: Path, configured: str) -> str:
    """Return the encoding: what the file's mark says, else what is configured.

    Raises BadTableError for a file that is no text at all.
    """
    with file.open("rb") as opened:
        first = opened.read(512)
    for mark, encoding in _MARKS:
        if first.startswith(mark):
            return encoding
    for mark, name in _OTHERS:
        if first.startswith(mark):
            raise BadTableError(f"it is {name}, not text; give it the ending of what it is")
    for start, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if first[start::2].count(0) > len(first) * _ZEROS:
            return encoding
    return UTF_8 if configured == "utf-8" else configured


def not_decoded(file: Path, encoding: str) -> str:
    """Return what to say of a file that has other bytes than its encoding allows."""
    named = "UTF-8" if encoding == UTF_8 else encoding.upper()
    fix = (
        'save it with encoding "UTF-8", or write encoding = "cp1252" (Windows, Western Europe) or'
        " another below [connection.source.rows]"
    )
    with file.open("rb") as opened:
        for number, line in enumerate(opened, 1):
            try:
                line.decode(encoding)
            except UnicodeDecodeError as exc:
                near = line[max(exc.start - 10, 0) : exc.start].decode(encoding, "replace")
                return f'it is not {named} text: line {number} after "{near.strip()}"; {fix}'
    return f"it is not {named} text; {fix}"
