"""Blob contents on disk: written once under a fresh name, never changed afterwards."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

_COPY_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Slice:
    """A range of one content."""

    content: str
    offset: int
    size_bytes: int


class Incoming:
    """A content that is being written; gone at the end of `with` unless kept."""

    def __init__(self, file: Path, *, hashed: bool) -> None:
        self.file = file
        self.size_bytes = 0
        self._kept = False
        self._md5 = hashlib.md5(usedforsecurity=False) if hashed else None
        self._stream: IO[bytes] = file.open("wb", buffering=0)

    def write(self, data: bytes | bytearray) -> None:
        """Append `data`."""
        self._stream.write(data)
        if self._md5 is not None:
            self._md5.update(data)
        self.size_bytes += len(data)

    @property
    def md5(self) -> str | None:
        """The MD5 of what was written so far, in base64; None unless it is hashed."""
        if self._md5 is None:
            return None
        return base64.b64encode(self._md5.digest()).decode("ascii")

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

    def receive(self, *, hashed: bool = True) -> Incoming:
        """Return a new content to write."""
        return Incoming(self.file(uuid.uuid4().hex), hashed=hashed)

    def join(self, slices: Iterable[Slice]) -> str:
        """Return the name of a new content made of `slices`, in order."""
        with self.receive(hashed=False) as joined:
            with joined.file.open("wb") as out:
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
        with self.file(part.content).open("rb") as source:
            source.seek(part.offset)
            left = part.size_bytes
            while left:
                data = source.read(min(left, _COPY_BYTES))
                if not data:
                    raise OSError(f"content {part.content} is shorter than its record")
                out.write(data)
                left -= len(data)
