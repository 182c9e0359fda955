"""DGN files with attachments, as small as they can be: V7, and V8 in its compound file."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Mapping, Sequence

SECTOR = 512
FREE, END, FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
NAME, FULL_PATH = 3, 31


def v7(*names: str, deleted: Sequence[str] = ()) -> bytes:
    """Return a 2D design file that attaches these, and attached those of `deleted` before."""
    begin = struct.pack("<HH", 0x0908, 0x02FE) + bytes(2 * 0x02FE)
    other = struct.pack("<BBH", 8, 5, 80) + b"named view, not a file".ljust(160)
    attached = [_v7_attachment(5, name) for name in names]
    gone = [_v7_attachment(0x85, name) for name in deleted]
    return b"".join([begin, other, *attached, *gone, b"\xff\xff"])


def _v7_attachment(kind: int, name: str) -> bytes:
    text = name.encode("cp1252")
    body = bytes(32) + struct.pack("<H", len(text)) + text.ljust(65) + bytes(401)
    return struct.pack("<BBH", 9, kind, len(body) // 2) + body


def string(meaning: int, text: bytes) -> bytes:
    """Return a string linkage; its length in words is odd, and what is left of it rubbish."""
    body = struct.pack("<HII", 0x56D2, meaning, len(text)) + text
    body += b"\xcc" * (-(len(body) + 2) % 8)
    return bytes([len(body) // 2, 0x10]) + body


def element(kind: int, *linkages: bytes, deleted: bool = False) -> bytes:
    """Return a control element of V8."""
    own = bytes(336 if kind == 100 else 88)
    packed = b"".join(linkages)
    words, before = (32 + len(own) + len(packed)) // 2, (32 + len(own)) // 2
    flags = 0x8000 if deleted else 0x2000
    return struct.pack("<4xHHIIIQd", kind, flags, words, before, 0, 7, 0.0) + own + packed


def control(*elements: bytes, stated: int | None = None) -> bytes:
    """Return a stream of control elements; one more makes it too long for the short streams."""
    filler = element(66, random.Random(7).randbytes(6000))  # noqa: S311 - only not to be packed
    count = stated if stated is not None else len(elements) + 1
    return struct.pack("<IIII", count, 3, 0, 0) + zlib.compress(b"".join([*elements, filler]))


def v8(streams: Mapping[str, bytes]) -> bytes:
    """Return a compound file with these streams by path; each has at least 4096 bytes."""
    entries: list[tuple[str, int, list[int], int, int]] = []  # name, kind, children, start, size
    sectors: list[bytes] = []
    fat: list[int] = []

    def stored(content: bytes) -> int:
        first = len(sectors)
        pieces = [content[at : at + SECTOR] for at in range(0, len(content), SECTOR)]
        sectors.extend(piece.ljust(SECTOR, b"\0") for piece in pieces)
        fat.extend([*range(first + 1, first + len(pieces)), END])
        return first

    def folder(name: str, kind: int, below: Mapping[str, bytes]) -> int:
        number = len(entries)
        entries.append((name, kind, [], 0, 0))
        for part in dict.fromkeys(path.split("/")[0] for path in below):
            if part in below:
                entries[number][2].append(len(entries))
                assert len(below[part]) >= 4096, "shorter ones would be kept elsewhere"
                entries.append((part, 2, [], stored(below[part]), len(below[part])))
            else:
                inner = {
                    path.partition("/")[2]: content
                    for path, content in below.items()
                    if path.startswith(f"{part}/")
                }
                entries[number][2].append(folder(part, 1, inner))
        return number

    folder("Root Entry", 5, streams)
    right = {
        first: second
        for entry in entries
        for first, second in zip(entry[2], entry[2][1:], strict=False)
    }
    listed = b"".join(
        name.encode("utf-16-le").ljust(64, b"\0")
        + struct.pack("<HBBIII", 2 * len(name) + 2, kind, 1, FREE, right.get(number, FREE),
                      children[0] if children else FREE)
        + bytes(36)
        + struct.pack("<IQ", END if kind == 5 else start, size)
        for number, (name, kind, children, start, size) in enumerate(entries)
    )  # fmt: skip
    directory = stored(listed)
    table = len(sectors)
    fat.append(FAT)
    assert len(fat) <= SECTOR // 4, "the table has one sector"
    sectors.append(struct.pack(f"<{len(fat)}I", *fat).ljust(SECTOR, b"\xff"))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH6xIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, directory, 0, 4096,
                          END, 0, END, 0)  # fmt: skip
    header += struct.pack("<I", table).ljust(SECTOR - len(header), b"\xff")
    return header + b"".join(sectors)
