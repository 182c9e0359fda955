"""Says of a text file with a fixed end, by its bytes at both ends, whether that end is there.

Sources: XML 1.0 (one root element, nothing but comments after it), RFC 8259 (JSON), ISO 32000-1
(the mark at the end of a PDF).
"""

from __future__ import annotations

import re
from typing import Final

TAIL_BYTES: Final = 4096
TABLES: Final = (".csv", ".ndjson", ".tsv", ".txt")
_ZEROS_MAX: Final = 16  # zero bytes at the end of a table that may be no more than filling
_BLANK: Final = b"\0\x1a \t\r\n"  # what programs of DOS and of today fill the end with
_XML_START: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*<[?!A-Za-z]")
_XML_ROOT: Final = re.compile(rb"<([A-Za-z_][\w.:-]*)")
_XML_ASIDE: Final = re.compile(rb"<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>\[]*(?:\[.*?\]\s*)?>", re.DOTALL)
_XML_CUT: Final = re.compile(rb"<[!?]")  # what begins here ends later than the head
_JSON_START: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*([\[{])")
_JSON_ENDS: Final = {b"{": b"}", b"[": b"]"}


def xml(head: bytes, tail: bytes) -> str:
    """Return what an XML file lacks; "" if it ends as it began, or is of two-byte characters."""
    if not _XML_START.match(head):
        return ""
    text = tail.rstrip(_BLANK)
    if not text and tail.strip(b"\0"):
        return ""  # some programs leave room for more at the end
    root = _XML_ROOT.search(_XML_CUT.split(_XML_ASIDE.sub(b"", head), maxsplit=1)[0])
    if root and b"</" + root[1] not in text and not (text.endswith(b"/>") and tail in head):
        return f'its last line, "</{root[1].decode()}>", is missing'
    return "" if text.endswith(b">") else "it ends within an element"


def json(head: bytes, tail: bytes) -> str:
    """Return what a JSON file lacks, of which the first character names the last."""
    begun = _JSON_START.match(head)
    if begun is None or tail.rstrip(_BLANK).endswith(_JSON_ENDS[begun[1]]):
        return ""
    return f'its last character, "{_JSON_ENDS[begun[1]].decode()}", is missing'


def table(_head: bytes, tail: bytes) -> str:
    """Return that lines of text end in zeros, which a copy leaves that broke off."""
    zeros = len(tail) - len(tail.rstrip(b"\0"))
    return "" if zeros <= _ZEROS_MAX else "it ends in zeros: a copy broke off, or a disk was full"


def pdf(head: bytes, tail: bytes) -> str:
    """Return what a PDF lacks: readers look for the mark in its last bytes."""
    if not head.startswith(b"%PDF-") or b"%%EOF" in tail:
        return ""
    return 'its last line, "%%EOF", is missing'
