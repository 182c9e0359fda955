"""Words for the paths that a walk does not read, and such paths in characters that can be shown."""

from __future__ import annotations

from typing import Final

LINK: Final = (
    "it is a symbolic link, which is not followed; put the file or folder itself in its place, or"
    " exclude it"
)
NO_FILE: Final = "it is a pipe, a socket or a device, which is not read; remove it, or exclude it"
NOT_UNICODE: Final = (
    "its name holds bytes that are not UTF-8, shown as \\x and two digits; rename it"
)
_FIRST_BYTE: Final = "\udc80"  # how Python holds bytes of a name that are not UTF-8: PEP 383
_LAST_BYTE: Final = "\udcff"


def printable(path: str) -> str:
    """Return the path with what is not Unicode spelt out, so that it can be stored and shown."""
    shown = "".join(_spelt_out(each) if _is_byte(each) else each for each in path)
    return shown.encode(errors="backslashreplace").decode()


def _is_byte(character: str) -> bool:
    return _FIRST_BYTE <= character <= _LAST_BYTE


def _spelt_out(byte: str) -> str:
    return f"\\x{ord(byte) - 0xDC00:02x}"
