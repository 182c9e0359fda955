"""Reads one file: a look at its metadata, its digest, and its content.

A symbolic link is never a file here: what it points to may lie outside the source, where nobody
asked for it to be uploaded.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from ..core.model import Digest, Fingerprint
from ..errors import DiskError, FileMoved
from . import mounts, windows

Stat = Callable[[str], os.stat_result]
"""Looks at a path without following it if it is a link."""

Open = Callable[[str], int]
"""Opens a path for reading and returns the descriptor."""

_NO_SUCH_FILE: Final = frozenset({errno.ENOENT, errno.ENOTDIR})
_GONE_WHILE_OPEN: Final = _NO_SUCH_FILE | {errno.ESTALE}
_HINTS: Final = {
    errno.EACCES: "give the daemon's account the right to read it, or close the program using it",
    errno.EPERM: "give the daemon's account the right to read it",
    errno.EIO: "the drive reports a defect or lost its connection",
    errno.ESTALE: "the share was replaced on its server; mount it anew",
}


def look(file: Path, *, lstat: Stat = os.lstat) -> Fingerprint | None:
    """Return what is at this path; None if there is no regular file.

    Raises DiskError when that is unknown; the file may or may not exist.
    """
    try:
        found = lstat(long_name(file))
    except OSError as exc:
        if exc.errno in _NO_SUCH_FILE:
            return None
        raise _disk_error("look at", file, exc) from exc
    return fingerprint_of(found) if stat.S_ISREG(found.st_mode) else None


def digest_of(file: Path, fingerprint: Fingerprint, *, lstat: Stat = os.lstat) -> Digest:
    """Return the SHA-256 of the whole file, which kept this fingerprint all the while.

    Raises FileMoved if it changed, vanished or was replaced; DiskError if it cannot be read.
    """
    with _open(file, fingerprint, open_to_read) as handle:
        with _translated(file):
            digest = Digest(hashlib.file_digest(handle, "sha256").hexdigest())
        _require_standing(file, handle, fingerprint, lstat)
    return digest


class StableContent:
    """A settled file opened for reading; a context manager, used by one thread at a time."""

    def __init__(
        self,
        file: Path,
        fingerprint: Fingerprint,
        digest: Digest,
        *,
        lstat: Stat = os.lstat,
        opener: Open | None = None,
    ) -> None:
        """Remember what must be found; nothing is opened yet."""
        self._file = file
        self._fingerprint = fingerprint
        self._digest = digest
        self._lstat = lstat
        self._opener = opener or open_to_read
        self._hash = hashlib.sha256()
        self._handle: io.BufferedReader | None = None

    def __enter__(self) -> Self:
        """Open the file; raises FileMoved if it is not the one that settled any more."""
        self._handle = _open(self._file, self._fingerprint, self._opener)
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
        """The length the fingerprint promises."""
        return self._fingerprint.size_bytes

    def chunks(self, size_bytes: int) -> Iterator[bytes]:
        """Yield the file from its start in pieces of `size_bytes`, the last one shorter.

        Never yields more than the promised length. Asking again starts reading and hashing anew.
        Raises FileMoved when the file has become too short, DiskError when it cannot be read.
        """
        handle = self._reading()
        with _translated(self._file):
            handle.seek(0)
        self._hash = digest = hashlib.sha256()
        left = self.size_bytes
        while left:
            with _translated(self._file):
                piece = handle.read(min(size_bytes, left))
            if not piece:
                raise FileMoved(f"{self._file} became shorter while it was being read")
            left -= len(piece)
            digest.update(piece)
            yield piece

    def verify(self) -> None:
        """Raise FileMoved unless exactly the settled content was read and still stands."""
        if self._hash.hexdigest() != self._digest:
            raise FileMoved(f"{self._file} no longer holds the content that settled")
        _require_standing(self._file, self._reading(), self._fingerprint, self._lstat)

    def _reading(self) -> io.BufferedReader:
        assert self._handle is not None, "the content is read inside its with block"
        return self._handle


def fingerprint_of(found: os.stat_result) -> Fingerprint:
    """Return the fingerprint a stat result shows.

    file_id is 0 on Windows, where listing a folder does not give it, and wherever the file system
    does not keep its numbers, so that scanning and looking always agree.
    """
    kept = mounts.keeps_ids(found.st_dev)
    return Fingerprint(found.st_size, found.st_mtime_ns, found.st_ino if kept else 0)


def long_name(file: Path) -> str:
    """Return the path as the system must be given it, whatever its length."""
    if sys.platform == "win32":
        return windows.long_path(str(file.absolute()))
    return str(file)


def is_unicode(path: str) -> bool:
    """Return whether the name can be stored and sent; on POSIX a name may be any bytes."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def open_to_read(file: str) -> int:
    """Return a descriptor for reading that never hinders anybody's save.

    Raises OSError.
    """
    if sys.platform == "win32":
        return windows.open_shared(file)
    # Not blocking: a pipe that took the file's name must not hold the thread for ever.
    return os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)


def _open(file: Path, fingerprint: Fingerprint, opener: Open) -> io.BufferedReader:
    with _translated(file):
        descriptor = opener(long_name(file))
    try:
        _require_same(file, descriptor, fingerprint)
        if sys.platform == "linux":
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_SEQUENTIAL)
    except BaseException:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")


def _require_standing(
    file: Path, handle: io.BufferedReader, fingerprint: Fingerprint, lstat: Stat
) -> None:
    """Raise FileMoved unless handle and path both still show this fingerprint."""
    _require_same(file, handle.fileno(), fingerprint)
    if look(file, lstat=lstat) != fingerprint:
        raise FileMoved(f"{file} was replaced or removed while it was being read")


def _require_same(file: Path, descriptor: int, fingerprint: Fingerprint) -> None:
    with _translated(file):
        found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or fingerprint_of(found) != fingerprint:
        raise FileMoved(f"{file} is not the file that settled any more")


@contextmanager
def _translated(file: Path) -> Iterator[None]:
    """Turn what the system says about reading into our own errors."""
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
