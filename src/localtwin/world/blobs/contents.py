"""Blob contents on disk: written once under a fresh name, never changed afterwards."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from threading import Event, Lock
from types import TracebackType
from typing import IO, Self
from weakref import WeakValueDictionary

import anycrc

from localtwin.world.blobs import content_parts
from localtwin.world.blobs.content_parts import Slice
from localtwin.world.durable import sync_folder

_PIECES = 1024 if hasattr(os, "writev") else 0  # as many as all systems take
_PARTS_SUFFIX = ".parts"  # behind the name of what is frozen in parts
# The "Storage CRC64" of the blob service goes by this name elsewhere; 11 GB/s, so it costs nothing.
_CRC64 = anycrc.Model("CRC64-NVME")


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

    @property
    def steps(self) -> tuple[Callable[[Sequence[bytes]], None], ...]:
        """What `write` does, to be done by a thread each: hashing is slower than a disk."""
        if self._md5 is None and self._crc64 is None:
            return (self._store,)
        return self._store, self._compute

    def write(self, pieces: Sequence[bytes]) -> None:
        """Append `pieces`."""
        for step in self.steps:
            step(pieces)

    @property
    def md5(self) -> str | None:
        """The MD5 of what was written so far, in base64; None unless it is hashed."""
        return None if self._md5 is None else _md5_text(self._md5)

    @property
    def sums(self) -> Sums:
        """The checksums of what was written so far, those that are computed."""
        return Sums(self.md5, None if self._crc64 is None else _crc64_text(self._crc64))

    def keep(self, *, durable: bool) -> str:
        """End the writing and return the content's name; `with` no longer deletes it.

        `durable`: it is on the disk, even after a power cut.
        """
        if durable:
            os.fsync(self._stream.fileno())
            sync_folder(self.file.parent)
        self._stream.close()
        self._kept = True
        return self.file.name

    def _store(self, pieces: Sequence[bytes]) -> None:
        write_pieces(self._stream, pieces)
        self.size_bytes += sum(map(len, pieces))

    def _compute(self, pieces: Sequence[bytes]) -> None:
        data = b"".join(pieces)  # costs less than to leave and take the interpreter for each
        if self._md5 is not None:
            self._md5.update(data)
        if self._crc64 is not None:
            self._crc64 = _CRC64.calc(data, self._crc64)

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
    """The folder of contents; a content is invisible until a record names it.

    `unjoined` holds the names of contents in parts, for the thread that joins them; None ends it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts = folder / "parts"
        for first in (*"0123456789abcdef", self._parts.name):
            (folder / first).mkdir(parents=True, exist_ok=True)
        self.unjoined: Queue[str | None] = Queue()
        self._stopping = Event()
        self._guard = Lock()
        self._joining: WeakValueDictionary[str, Lock] = WeakValueDictionary()

    def receive(self, *, hashed: bool = True, summed: bool = False) -> Incoming:
        """Return a new content to write; `hashed`: with its MD5, `summed`: with its CRC64."""
        return Incoming(self.file(uuid.uuid4().hex), hashed=hashed, summed=summed)

    def join(self, slices: Sequence[Slice]) -> str:
        """Return the name of a new content made of `slices`, in order; it may be in parts yet.

        Raises FileNotFoundError when a content is gone.
        """
        name = uuid.uuid4().hex
        try:
            content_parts.write_parts(self._parts / name, name, slices, self.whole)
        except FileNotFoundError:
            raise
        except OSError:  # a file system without links
            return self._copied(slices)
        self.unjoined.put(name)
        return name

    def file(self, name: str) -> Path:
        """Return where the content `name` is, once it is one file."""
        return self._folder / name[0] / name

    def size(self, name: str) -> int | None:
        """Return the bytes that are there of a content that is one file; None without a file."""
        try:
            return self.file(name).stat().st_size
        except FileNotFoundError:
            return None

    def whole(self, name: str) -> Path:
        """Return the content's file; joins its parts first if that was not done yet.

        Raises FileNotFoundError when the content is gone.
        """
        file = self.file(name)
        if not file.exists():
            with self._alone(name):
                if not file.exists():
                    content_parts.join(self._parts / name, file, self._stopping)
        return file

    def copy(self, name: str, target: Path) -> None:
        """Make `target` hold the content for good, whatever happens to its blob.

        Needs `restore` before it is read: nothing is copied here where links are possible.
        """
        try:
            content_parts.link(self._parts / name, _parts_folder(target))
        except OSError:  # most are one file by now, which is there before its parts go
            _link(self.whole(name), target)

    def restore(self, folder: Path) -> None:
        """Make every content that was frozen in parts one file; may be repeated."""
        for parts in folder.glob(f"**/*{_PARTS_SUFFIX}"):
            target = parts.with_suffix("")
            if not target.exists():
                try:
                    target.hardlink_to(self.whole(content_parts.content_of(parts)))
                except OSError:  # gone, where its blob has another content since
                    content_parts.join(parts, target, self._stopping)
            shutil.rmtree(parts, ignore_errors=True)

    def drop(self, names: Iterable[str]) -> None:
        """Delete the contents, those that are there."""
        for name in names:
            content_parts.drop(self._parts / name)  # first: then no file is made any more
            self.file(name).unlink(missing_ok=True)

    def sweep(self, used: set[str]) -> None:
        """Delete what a crash left behind: contents that are not among the `used`."""
        for folder in self._folder.iterdir():
            with os.scandir(folder) as entries:
                found = [entry.name for entry in entries]
            if folder == self._parts:
                for name in found:
                    if name not in used or self.file(name).exists():
                        shutil.rmtree(folder / name, ignore_errors=True)
            else:
                self.drop([name for name in found if name not in used])

    def list_unjoined(self) -> None:
        """Add to `unjoined` the contents that an earlier process left in parts."""
        for folder in self._parts.iterdir():
            self.unjoined.put(folder.name)

    def close(self) -> None:
        """Interrupt all joining, and end `unjoined`."""
        self._stopping.set()
        self.unjoined.put(None)

    def _copied(self, slices: Sequence[Slice]) -> str:
        with self.receive(hashed=False) as joined:
            with joined.file.open("wb", buffering=0) as out:
                found = ((self.whole(part.content), part) for part in slices)
                content_parts.append(out, found, self._stopping)
            return joined.keep(durable=True)

    def _alone(self, name: str) -> Lock:
        with self._guard:
            return self._joining.setdefault(name, Lock())


def _link(file: Path, target: Path) -> None:
    try:
        target.hardlink_to(file)
    except OSError:
        shutil.copyfile(file, target)


def _parts_folder(target: Path) -> Path:
    return target.with_name(target.name + _PARTS_SUFFIX)


def write_pieces(stream: IO[bytes], pieces: Sequence[bytes]) -> None:
    """Write `pieces` with one call and without joining them, where the system can.

    For large contents copying is what costs, and so is one call for each piece.
    """
    done = os.writev(stream.fileno(), pieces) if 0 < len(pieces) <= _PIECES else 0
    if done < sum(map(len, pieces)):
        content_parts.write_whole(stream, memoryview(b"".join(pieces))[done:])


def sums_of(data: bytes) -> Sums:
    """Return both checksums of `data`."""
    return Sums(_md5_text(hashlib.md5(data, usedforsecurity=False)), _crc64_text(_CRC64.calc(data)))


def _md5_text(digest: hashlib._Hash) -> str:
    return base64.b64encode(digest.digest()).decode("ascii")


def _crc64_text(value: int) -> str:
    """Return a CRC64 as headers carry it: little-endian, in base64."""
    return base64.b64encode(value.to_bytes(8, "little")).decode("ascii")
