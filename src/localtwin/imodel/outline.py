"""Plan outlines as the iModel stores them: well-known binary, which GIS programs read as well.

Source: OGC 06-103r4, "Simple feature access", 8.2.6 well-known binary, MultiLineString.
"""

import struct
from collections.abc import Sequence

from localtwin.connectors.source import Outline

Polyline = tuple[tuple[float, float], ...]

_LITTLE_ENDIAN = 1
_LINE_STRING = 2
_MULTI_LINE_STRING = 5
_HEAD = struct.Struct("<BII")  # byte order, type of geometry, number of parts or points

EMPTY = _HEAD.pack(_LITTLE_ENDIAN, _MULTI_LINE_STRING, 0)
"""The outline of an element that was looked at and has none."""


def encode_outline(outline: Outline) -> bytes | None:
    """Return the outline as a MultiLineString; None if nothing is in it."""
    if not outline:
        return None
    parts = [_HEAD.pack(_LITTLE_ENDIAN, _MULTI_LINE_STRING, len(outline))]
    for polyline in outline:
        parts.append(_HEAD.pack(_LITTLE_ENDIAN, _LINE_STRING, len(polyline)))
        numbers = [number for x, y in polyline for number in (x, y)]
        parts.append(struct.pack(f"<{len(numbers)}d", *numbers))
    return b"".join(parts)


def decode_outline(data: bytes | None) -> Sequence[Polyline]:
    """Return the polylines in `data`, as encode_outline wrote them."""
    if data is None:
        return ()
    _, _, count = _HEAD.unpack_from(data)
    at = _HEAD.size
    polylines: list[Polyline] = []
    for _ in range(count):
        _, _, points = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        numbers = struct.unpack_from(f"<{2 * points}d", data, at)
        at += 16 * points
        polylines.append(tuple(zip(numbers[::2], numbers[1::2], strict=True)))
    return polylines
