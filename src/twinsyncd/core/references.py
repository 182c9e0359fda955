"""Where the files may lie that a design file names: other drawings, images, documents.

A path in a drawing is of its author's machine. CAD programs look for the file as it is written,
and then beside the drawing; here it must lie in the same source, or Storage cannot have it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

_DRIVE = re.compile(r"[A-Za-z]:")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")  # http:/, file:/; one letter is a drive


@dataclass(frozen=True, slots=True)
class Reference:
    """A file that a design file names; `path` is where it is in the source, "" if nowhere."""

    kind: str  # "drawing", "image", "document" or "part"
    written: str  # as the file has it
    path: str = ""
    taken: bool = False  # a pattern of the source takes it

    def at(self, path: str, *, taken: bool) -> Reference:
        """Return it with the place where it was found."""
        return replace(self, path=path, taken=taken)


@dataclass(frozen=True, slots=True)
class DrawingReferences:
    """What one design file names; `trouble`: why that could not be read."""

    path: str
    references: tuple[Reference, ...] = ()
    trouble: str = ""
    since_s: float = 0.0  # wall clock [s] since when something is missing or not taken; 0: nothing

    @property
    def missing(self) -> tuple[Reference, ...]:
        """Those that lie nowhere in the source."""
        return tuple(each for each in self.references if not each.path)

    @property
    def not_taken(self) -> tuple[Reference, ...]:
        """Those that are there, and that no pattern takes."""
        return tuple(each for each in self.references if each.path and not each.taken)


def is_file(written: str) -> bool:
    """Return whether a reference names a file, not an address of the internet or nothing."""
    plain = _plain(written)
    return bool(plain) and not _ADDRESS.match(plain)


def candidates(drawing: str, written: str, folder_name: str) -> Iterator[str]:
    """Yield the relative paths at which a reference of `drawing` may lie, the likeliest first.

    `folder_name` is that of the source's folder, which an absolute path may contain.
    """
    above = drawing.split("/")[:-1]
    plain = _plain(written)
    found = []
    parts = [part for part in _DRIVE.sub("", plain).split("/") if part not in ("", ".")]
    if not parts or parts[-1] == "..":
        return
    if _DRIVE.match(plain) or plain.startswith("/"):
        names = [part.casefold() for part in parts]
        if folder_name and folder_name.casefold() in names:
            at = len(names) - names[::-1].index(folder_name.casefold())
            found.append("/".join(parts[at:]))
    else:
        found.append(_joined(above, parts))
    found.append("/".join([*above, parts[-1]]))
    yield from (path for path in dict.fromkeys(found) if path)


def _joined(above: list[str], parts: list[str]) -> str:
    """Return the path without its ".."; "" if that leads out of the source."""
    joined = list(above)
    for part in parts:
        if part != "..":
            joined.append(part)
        elif joined:
            joined.pop()
        else:
            return ""
    return "/".join(joined)


def _plain(written: str) -> str:
    return written.strip().replace("\\", "/")
