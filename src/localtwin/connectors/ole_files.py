"""Streams of OLE compound files, in which Revit, Visio and Smart P&ID keep their data."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import olefile

from localtwin.connectors.source import Json, clean, unreadable

STREAMS_MAX = 20_000
CHUNK_BYTES = 1 << 20
_SUMMARY = ("title", "subject", "author", "keywords", "comments", "category", "company")


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream with its path, "Storage/Stream", and a digest of its content."""

    path: str
    size_bytes: int
    digest: str


@contextmanager
def opened_ole(file: Path) -> Iterator[olefile.OleFileIO]:
    """Open a compound file; raises ConnectorError where it is damaged or cut short."""
    try:
        with olefile.OleFileIO(file, raise_defects=olefile.DEFECT_INCORRECT) as ole:
            _check_sizes(ole, file.stat().st_size)
            yield ole
    except OSError as exc:  # which the library's own errors are as well
        reason = str(exc) or type(exc).__name__
        message = f"The file is damaged or incomplete: {reason}."
        raise unreadable(message, code="FileIncomplete") from exc


def _check_sizes(ole: olefile.OleFileIO, size_bytes: int) -> None:
    """Raise ConnectorError if the file states more than it has; readers reserve memory for that."""
    sectors = size_bytes // ole.sector_size + 1
    counts = (ole.num_fat_sectors, ole.num_mini_fat_sectors, ole.num_difat_sectors)
    sizes = [ole.get_size(path) for path in ole.listdir()]
    if max(counts) > sectors or max(sizes, default=0) > size_bytes or ole.root.size > size_bytes:
        message = "The file states contents that are longer than itself."
        raise unreadable(message, code="FileIncomplete")


def streams_of(ole: olefile.OleFileIO) -> Iterator[Stream]:
    """Yield every stream by its path."""
    for path in sorted(ole.listdir())[:STREAMS_MAX]:
        digest, size_bytes = sha256(), 0
        with ole.openstream(path) as data:
            while chunk := data.read(CHUNK_BYTES):
                digest.update(chunk)
                size_bytes += len(chunk)
        yield Stream("/".join(map(_printable, path)), size_bytes, digest.hexdigest())


def summary_of(ole: olefile.OleFileIO) -> dict[str, Json]:
    """Return what the author wrote about the document; nothing that a save changes by itself."""
    if not ole.exists("\x05SummaryInformation"):
        return {}
    found = ole.get_metadata()
    values = {name: getattr(found, name) for name in _SUMMARY}
    texts = {
        name: value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        for name, value in values.items()
        if value
    }
    return {
        name: clean(text.split("\x00")[0]) for name, text in texts.items() if text.strip("\x00")
    }


def _printable(name: str) -> str:
    """Return a stream's name without the control character that marks some."""
    return clean("".join(letter for letter in name if letter.isprintable()))
