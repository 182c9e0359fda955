"""Reads which files a DGN attaches: reference attachments of V7 and V8, and images of V8.

V7 is a row of elements, of which those of type 5 on level 9 attach a file. V8 is a compound file:
each model has streams of control elements ("Dgn^C"), packed by zlib behind 16 bytes that begin with
their count. Elements of type 100 attach a file or another model of the same file, those of type 90
an image; their string linkages have its name and where it was when it was attached. No public
document describes V8; this was held against 64 real files. Their 95 such streams have as many
elements as they state, and end with the last one; a file that differs is not read at all. 8-bit
names are read as Windows-1252: V7 does not state its code page.
Sources: Intergraph Standard File Formats, "Group Data Elements"; xware-net/v8file.net,
Linkages.cs; cadkit-dgn on docs.rs, text.rs; read 2026-11.
"""

from __future__ import annotations

import mmap
import re
import struct
import zlib
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path, PureWindowsPath
from typing import Final

CONTROL_MAX_BYTES: Final = 256 * 1024**2  # of one stream, unpacked; real ones have less than one

_COMPOUND: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_V7: Final = (b"\x08\x09\xfe\x02", b"\xc8\x09\xfe\x02")  # the first element of 2D and of 3D files
_V7_HEADER: Final = struct.Struct("<BBH")  # level, type, words that follow
_V7_END: Final = b"\xff\xff"
_V7_NAME_AT: Final = 36  # behind the headers of the element and of its display
_V7_NAME_MAX: Final = 65

_MODELS: Final = "Dgn-Md"
_STREAM_HEADER_BYTES: Final = 16
_V8_HEADER: Final = struct.Struct("<4xHHII")  # type, flags, words of all, words before linkages
_V8_HEADER_BYTES: Final = 36
_V8_DELETED: Final = 0x8000
_KINDS: Final = {100: "drawing", 90: "image"}  # of the elements that attach a file
_STRING: Final = 0x56D2  # a linkage with a text
_STRING_HEADER: Final = struct.Struct("<4xII")  # what it is, its bytes
_NAME: Final = 3  # as it was attached, often without a folder
_FULL_PATH: Final = 31  # where it was then

_VARIABLE: Final = re.compile(r"[A-Za-z_]\w+:(?![/\\])")  # MS_RFDIR:grid.dgn
_FILE_ADDRESS: Final = re.compile(r"file:/{2,3}(?=[A-Za-z]:|/)", re.IGNORECASE)


class UnreadableDesignFileError(Exception):
    """What the file names cannot be read; the text says why, for people."""


def is_readable() -> bool:
    """Return whether the library that takes compound files apart is installed."""
    return find_spec("olefile") is not None


def references_of(file: str) -> Iterator[tuple[str, str]]:
    """Yield kind and path, as written, of each attachment.

    Raises OSError, UnreadableDesignFileError.
    """
    with Path(file).open("rb") as data:
        begin = data.read(len(_COMPOUND))
    if begin == _COMPOUND:
        yield from _in_v8(file)
    elif begin.startswith(_V7):
        yield from _in_v7(file)
    else:
        raise UnreadableDesignFileError("it is no DGN of a known version")


def _in_v7(file: str) -> Iterator[tuple[str, str]]:
    with (
        Path(file).open("rb") as data,
        mmap.mmap(data.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        at = 0
        while at < len(content) and content[at : at + 2] != _V7_END:
            if at + _V7_HEADER.size > len(content):
                raise UnreadableDesignFileError("it is cut short")
            level, kind, words = _V7_HEADER.unpack_from(content, at)
            end = at + _V7_HEADER.size + 2 * words
            if end > len(content):
                raise UnreadableDesignFileError("it is cut short")
            # The highest bits say: part of a complex element, and deleted.
            if (kind, level & 0x3F) == (5, 9) and end >= at + _V7_NAME_AT + 2 + _V7_NAME_MAX:
                yield "drawing", _v7_name(content, at + _V7_NAME_AT)
            at = end


def _v7_name(content: mmap.mmap, at: int) -> str:
    (length,) = struct.unpack_from("<H", content, at)
    return _text(content[at + 2 : at + 2 + min(length, _V7_NAME_MAX)])


def _in_v8(file: str) -> Iterator[tuple[str, str]]:
    olefile = import_module("olefile")
    try:
        with olefile.OleFileIO(file) as container:
            names = container.listdir()
            control = filter(_is_control, names)
            streams = [container.openstream(name).read() for name in control]
    except OSError as exc:  # which the library's own errors are as well
        raise UnreadableDesignFileError(f"it is cut short or damaged: {exc}") from exc
    if not any(name[0] == _MODELS for name in names):
        raise UnreadableDesignFileError("it is no DGN, or one without models")
    for stream in streams:
        yield from _in_control(stream)


def _is_control(name: list[str]) -> bool:
    """Return whether a stream has control elements of a model; ".Logfile" has those of the past."""
    return len(name) == 4 and name[0] == _MODELS and name[2] == "Dgn^C" and name[3][:1] == "$"


def _in_control(stream: bytes) -> Iterator[tuple[str, str]]:
    content = _unpacked(stream)
    (stated,) = struct.unpack_from("<I", stream)
    at = count = 0
    while at + _V8_HEADER_BYTES <= len(content):
        kind, flags, words, linkages = _V8_HEADER.unpack_from(content, at)
        end = at + 4 + 2 * words
        if end > len(content) or 2 * words < _V8_HEADER_BYTES - 4:
            break
        if kind in _KINDS and not flags & _V8_DELETED:
            texts = dict(_texts(content[at + 4 + 2 * linkages : end]))
            if name := texts.get(_NAME):  # one without attaches a model of the same file
                yield _KINDS[kind], _written(name, texts.get(_FULL_PATH, ""))
        at, count = end, count + 1
    if (at, count) != (len(content), stated):
        reason = f"a part of it states {stated:,} elements, and {count:,} can be read"
        raise UnreadableDesignFileError(reason)


def _unpacked(stream: bytes) -> bytes:
    unpacking = zlib.decompressobj()
    try:
        content = unpacking.decompress(stream[_STREAM_HEADER_BYTES:], CONTROL_MAX_BYTES)
    except zlib.error as exc:
        reason = "it is protected, as .i.dgn files are, or damaged"
        raise UnreadableDesignFileError(reason) from exc
    if unpacking.unconsumed_tail:
        raise UnreadableDesignFileError("it has too many attachments, or is damaged")
    return content


def _texts(linkages: bytes) -> Iterator[tuple[int, str]]:
    """Yield what each string linkage is, and its text."""
    at = 0
    while at + 4 <= len(linkages):
        end = at + 2 * (linkages[at] + 1)
        (kind,) = struct.unpack_from("<H", linkages, at + 2)
        if kind == _STRING and at + _STRING_HEADER.size <= end <= len(linkages):
            meaning, length = _STRING_HEADER.unpack_from(linkages, at)
            begin = at + _STRING_HEADER.size
            yield meaning, _text(linkages[begin : min(begin + length, end)])
        at = end


def _text(value: bytes) -> str:
    if value.startswith(b"\xff\xfe\x01\x00"):
        text = value[4:].decode("cp1252", "replace")
    elif value.startswith((b"\xff\xfd", b"\xff\xfe")):
        text = value[2:].decode("utf-16-le", "replace")
    else:
        text = value.decode("cp1252", "replace")
    return text.partition("\0")[0].strip()


def _written(name: str, full: str) -> str:
    """Return where the file is to be looked for: its whole path, if the name has no folder."""
    name = _VARIABLE.sub("", _FILE_ADDRESS.sub("", name), count=1)
    full = _FILE_ADDRESS.sub("", full)
    same = PureWindowsPath(full).name.casefold() == name.casefold()
    return full if same else name
