"""Reads one file: a look at its metadata, its digest, and its content.

A symbolic link is never a file here, nor is anything behind one: what it points to may lie outside
the source, which nobody asked to upload. See `tree`.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from ..core.model import Digest, Fingerprint
from ..errors import DiskError, FileMoved
from . import mounts
from .completeness import missing_part
from .tree import Tree

SLICE_BYTES: Final = 1024 * 1024  # per system call: a slow share still answers within seconds
TIME_NS_MAX: Final = 2**63 - 1  # what the journal can hold: the year 2262

_NO_SUCH_FILE: Final = frozenset({errno.ENOENT, errno.ENOTDIR})
_GONE_WHILE_OPEN: Final = _NO_SUCH_FILE | {errno.ESTALE}
_HINTS: Final = {
    errno.EACCES: "give the daemon's account the right to read it, or close the program using it",
    errno.EPERM: "give the daemon's account the right to read it",
    errno.EIO: "the drive reports a defect or lost its connection",
    errno.ELOOP: "a folder on the way to it is a symbolic link now; links are not followed",
    errno.ESTALE: "the share was replaced on its server; mount it again",
}
_SAVE_AGAIN: Final = (
    "save or copy it again; or take such files as they are, with only_complete = false"
)


def look(tree: Tree, path: str) -> Fingerprint | None:
    """Return what is at this path; None if there is no regular file.

    Raises DiskError when that is unknown; the file may or may not exist.
    """
    try:
        found = tree.stat(path)
    except OSError as exc:
        if exc.errno in _NO_SUCH_FILE:
            return None
        raise _disk_error("look at", tree.folder / path, exc) from exc
    return fingerprint_of(found) if stat.S_ISREG(found.st_mode) else None


def try_reading(tree: Tree, path: str) -> None:
    """Open the file and read a byte, which says whether the right to read it was given.

    Raises FileMoved, DiskError.
    """
    with _translated(tree.folder / path):
        descriptor = tree.open(path)
        try:
            os.read(descriptor, 1)
        finally:
            os.close(descriptor)


def digest_of(
    tree: Tree, path: str, fingerprint: Fingerprint, *, only_complete: bool = False
) -> Digest:
    """Return the SHA-256 of the whole file, which kept this fingerprint all the while.

    Raises FileMoved if it changed, vanished or was replaced; DiskError if it cannot be read, or if
    it has to be complete and is not.
    """
    with StableContent(tree, path, fingerprint, Digest("")) as content:
        if only_complete:
            content.require_complete()
        for _ in content.chunks(SLICE_BYTES):
            pass
        content.require_standing()
        return content.digest_read


class StableContent:
    """A settled file opened for reading; a context manager, used by one thread at a time."""

    def __init__(self, tree: Tree, path: str, fingerprint: Fingerprint, digest: Digest) -> None:
        """Remember what must be found; nothing is opened yet."""
        self._tree = tree
        self._path = path
        self._file = tree.folder / path
        self._fingerprint = fingerprint
        self._digest = digest
        self._hash = hashlib.sha256()
        self._handle: io.FileIO | None = None

    def __enter__(self) -> Self:
        """Open the file; raises FileMoved if it is not the one that settled any more."""
        with _translated(self._file):
            descriptor = self._tree.open(self._path)
        try:
            self._require_same(descriptor)
            if sys.platform == "linux":
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_SEQUENTIAL)
        except BaseException:
            os.close(descriptor)
            raise
        self._handle = io.FileIO(descriptor, "rb")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        if self._handle is not None:
            self._handle.close()
            self._handle = None

    @property
    def size_bytes(self) -> int:
        """The length according to the fingerprint."""
        return self._fingerprint.size_bytes

    @property
    def digest_read(self) -> Digest:
        """The SHA-256 of what was read since `chunks` was last asked."""
        return Digest(self._hash.hexdigest())

    def chunks(self, size_bytes: int) -> Iterator[bytes]:
        """Yield the file from its start in pieces of `size_bytes`, the last one shorter.

        Never yields more than `self.size_bytes` in all. Asking again starts reading and hashing
        from the start. Raises FileMoved when the file has become too short, DiskError when it
        cannot be read.
        """
        handle = self._reading()
        with _translated(self._file):
            handle.seek(0)
        self._hash = digest = hashlib.sha256()
        left = self.size_bytes
        while left:
            piece = self._read(handle, min(size_bytes, left))
            left -= len(piece)
            digest.update(piece)
            yield piece

    def note_sent(self, size_bytes: int) -> None:
        """Do nothing: whoever opens the file for an upload counts."""

    def verify(self) -> None:
        """Raise FileMoved unless exactly the settled content was read and is still there."""
        if self.digest_read != self._digest:
            raise FileMoved(f"{self._file} no longer holds the content that settled")
        self.require_standing()

    def require_complete(self) -> None:
        """Raise DiskError if the file was not saved to its end, as far as its format tells."""
        handle = self._reading()

        def read(offset: int, length: int) -> bytes:
            with _translated(self._file):
                handle.seek(offset)
                return handle.read(max(min(length, self.size_bytes - offset), 0))

        if missing := missing_part(self._path, self.size_bytes, read):
            self._require_same(handle.fileno())
            raise DiskError(f"{self._file} is incomplete: {missing}", hint=_SAVE_AGAIN)

    def require_standing(self) -> None:
        """Raise FileMoved unless the open file and the path both still have the fingerprint."""
        self._require_same(self._reading().fileno())
        if look(self._tree, self._path) != self._fingerprint:
            raise FileMoved(f"{self._file} was replaced or removed while it was being read")

    def _read(self, handle: io.FileIO, size_bytes: int) -> bytes:
        """Return exactly so many bytes, read in slices so that a hang is noticed."""
        slices: list[bytes] = []
        left = size_bytes
        while left:
            with _translated(self._file):
                piece = handle.read(min(left, SLICE_BYTES))
            if not piece:
                raise FileMoved(f"{self._file} became shorter while it was being read")
            self._tree.answered()
            slices.append(piece)
            left -= len(piece)
        return slices[0] if len(slices) == 1 else b"".join(slices)

    def _require_same(self, descriptor: int) -> None:
        with _translated(self._file):
            found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or fingerprint_of(found) != self._fingerprint:
            raise FileMoved(f"{self._file} is not the file that settled any more")

    def _reading(self) -> io.FileIO:
        assert self._handle is not None, "the content is read inside its with block"
        return self._handle


def fingerprint_of(found: os.stat_result) -> Fingerprint:
    """Return the fingerprint a stat result shows.

    file_id is 0 on Windows, where listing a folder does not give it, and wherever the file system
    does not keep its numbers, so that scanning and looking always agree. ctime_ns is 0 on Windows,
    where the field holds the time of creation. Times out of range (a file system can hold the year
    2300) become the nearest that can be stored.
    """
    return Fingerprint(
        found.st_size,
        _storable(found.st_mtime_ns),
        found.st_ino if mounts.keeps_ids(found.st_dev) else 0,
        0 if sys.platform == "win32" else _storable(found.st_ctime_ns),
    )


def is_unicode(path: str) -> bool:
    """Return whether the name can be stored and sent; on POSIX a name may be any bytes."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _storable(time_ns: int) -> int:
    return max(-TIME_NS_MAX, min(time_ns, TIME_NS_MAX))


@contextmanager
def _translated(file: Path) -> Iterator[None]:
    """Translate the system's errors of reading into our own."""
    try:
        yield
    except OSError as exc:
        # A link in the file's place is refused with ELOOP: it is not the file any more.
        if exc.errno in _GONE_WHILE_OPEN or exc.errno == errno.ELOOP:
            raise FileMoved(f"{file} vanished while it was being read") from exc
        raise _disk_error("read", file, exc) from exc


def _disk_error(verb: str, file: Path, exc: OSError) -> DiskError:
    hint = _HINTS.get(exc.errno or 0, "")
    return DiskError(f"cannot {verb} {file}: {exc.strerror or exc}", hint=hint)
