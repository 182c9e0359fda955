"""Blob contents on disk: written once under a fresh name, never changed afterwards."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import anycrc

_COPY_BYTES = 1 << 20
# The "Storage CRC64" of the blob service goes by this name elsewhere; 11 GB/s, so it costs nothing.
_CRC64 = anycrc.Model("CRC64-NVME")


@dataclass(frozen=True, slots=True)
class Slice:
    """A range of one content."""

    content: str
    offset: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Sums:
    """Checksums of a content in base64; None: not computed."""

    md5: str | None
    crc64: str | None


class Incoming:
    """A content that is being written; gone at the end of `with` unless kept."""

    def __init__(self, file: Path, *, hashed: bool, summed: bool) -> None:
        self.file = file
        self.size_bytes = 0
        self._kept = False
        self._md5 = hashlib.md5(usedforsecurity=False) if hashed else None
        self._crc64 = 0 if summed else None
        self._stream: IO[bytes] = file.open("wb", buffering=0)

    def write(self, pieces: Sequence[bytes]) -> None:
        """Append `pieces`, without joining them: for large contents copying is what costs."""
        for piece in pieces:
            if self._md5 is not None:
                self._md5.update(piece)
            if self._crc64 is not None:
                self._crc64 = _CRC64.calc(piece, self._crc64)
            _write_whole(self._stream, piece)
            self.size_bytes += len(piece)

    @property
    def md5(self) -> str | None:
        """The MD5 of what was written so far, in base64; None unless it is hashed."""
        return None if self._md5 is None else _md5_text(self._md5)

    @property
    def sums(self) -> Sums:
        """The checksums of what was written so far, those that are computed."""
        return Sums(self.md5, None if self._crc64 is None else _crc64_text(self._crc64))

    def keep(self) -> str:
        """End the writing and return the content's name; `with` no longer deletes it."""
        self._stream.close()
        self._kept = True
        return self.file.name

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stream.close()
        if not self._kept:
            self.file.unlink()


class Contents:
    """The folder of contents; nothing sees one before a record somewhere names it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for first in "0123456789abcdef":
            (folder / first).mkdir(parents=True, exist_ok=True)

    def receive(self, *, hashed: bool = True, summed: bool = False) -> Incoming:
        """Return a new content to write; `hashed`: with its MD5, `summed`: with its CRC64."""
        return Incoming(self.file(uuid.uuid4().hex), hashed=hashed, summed=summed)

    def join(self, slices: Iterable[Slice]) -> str:
        """Return the name of a new content made of `slices`, in order."""
        with self.receive(hashed=False) as joined:
            with joined.file.open("wb", buffering=0) as out:
                for part in slices:
                    self._append(out, part)
            return joined.keep()

    def file(self, name: str) -> Path:
        """Return where the content `name` is."""
        return self._folder / name[0] / name

    def freeze(self, name: str, target: Path) -> None:
        """Make `target` hold the content for good, whatever happens to its blob."""
        try:
            target.hardlink_to(self.file(name))
        except OSError:
            shutil.copyfile(self.file(name), target)

    def drop(self, names: Iterable[str]) -> None:
        """Delete the contents, those that are there."""
        for name in names:
            self.file(name).unlink(missing_ok=True)

    def sweep(self, used: set[str]) -> None:
        """Delete what a crash left behind: contents that are not among the `used`."""
        for folder in self._folder.iterdir():
            with os.scandir(folder) as entries:
                self.drop([entry.name for entry in entries if entry.name not in used])

    def _append(self, out: IO[bytes], part: Slice) -> None:
        with self.file(part.content).open("rb", buffering=0) as source:
            source.seek(part.offset)
            left = part.size_bytes
            while left:
                data = source.read(min(left, _COPY_BYTES))
                if not data:
                    raise OSError(f"content {part.content} is shorter than its record")
                _write_whole(out, data)
                left -= len(data)


def _write_whole(stream: IO[bytes], data: bytes) -> None:
    """Write all of `data`; a nearly full disk takes a part before it says so."""
    left = memoryview(data)
    while left:
        left = left[stream.write(left) :]


def sums_of(data: bytes) -> Sums:
    """Return both checksums of `data`."""
    return Sums(_md5_text(hashlib.md5(data, usedforsecurity=False)), _crc64_text(_CRC64.calc(data)))


def _md5_text(digest: hashlib._Hash) -> str:
    return base64.b64encode(digest.digest()).decode("ascii")


def _crc64_text(value: int) -> str:
    """Return a CRC64 as headers carry it: little-endian, in base64."""
    return base64.b64encode(value.to_bytes(8, "little")).decode("ascii")
