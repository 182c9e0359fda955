"""Reaches everything below a source's folder without ever following a symbolic link.

A folder that is exchanged for a link between a scan and a read must not lead outside the source, so
no path is resolved by the system in one go. Linux resolves it with openat2 (RESOLVE_BENEATH and
RESOLVE_NO_SYMLINKS; Linux 5.6); other systems, older kernels and paths over 4,096 bytes open folder
by folder with O_NOFOLLOW. The source's own folder may be a link: a person configured it.
Source: openat2(2), open(2).
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from . import openat2, windows
from .protocols import Entry

_O_PATH: Final = getattr(os, "O_PATH", 0)
_O_DIRECTORY: Final = getattr(os, "O_DIRECTORY", 0)
_O_NOFOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
_O_CLOEXEC: Final = getattr(os, "O_CLOEXEC", 0)
_TO_PASS: Final = _O_PATH | _O_DIRECTORY | _O_CLOEXEC
_TO_LIST: Final = _O_DIRECTORY | _O_CLOEXEC
# Not blocking: a pipe in the place of a file must not block the thread until somebody writes.
_TO_READ: Final = _O_CLOEXEC | getattr(os, "O_NONBLOCK", 0)


@dataclass(frozen=True, slots=True)
class Tree:
    """One source's folder; paths are relative POSIX, "" is the folder itself.

    Every method raises OSError, with ELOOP for a link in the path. May be used from any thread.
    `answered` is called whenever the drive has answered, so that a hung drive can be noticed.
    `in_one_call`: use openat2 instead of folder by folder.
    """

    folder: Path
    answered: Callable[[], None] = lambda: None
    in_one_call: bool = field(default_factory=openat2.is_available)

    @contextmanager
    def list(self, path: str) -> Iterator[Iterator[Entry]]:
        """Yield the entries of a folder; they are looked at inside the context only."""
        if sys.platform == "win32":
            windows.refuse_links(self.folder, path)
            with os.scandir(windows.long_path(str(self._absolute(path)))) as entries:
                yield entries
            return
        descriptor = self._open_below(path, _TO_LIST)
        try:
            with os.scandir(descriptor) as entries:
                yield entries
        finally:
            os.close(descriptor)

    def stat(self, path: str) -> os.stat_result:
        """Look at a file or folder, or at the link in its place."""
        if sys.platform == "win32":
            windows.refuse_links(self.folder, path.rpartition("/")[0])
            return os.lstat(windows.long_path(str(self._absolute(path))))
        above, _, name = path.rpartition("/")
        descriptor = self._open_below(above, _TO_PASS)
        try:
            found = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
        finally:
            os.close(descriptor)
        self.answered()
        return found

    def open(self, path: str) -> int:
        """Return a descriptor for reading that never prevents others from saving the file."""
        if sys.platform == "win32":
            return windows.open_beneath(self.folder, path)
        descriptor = self._open_below(path, _TO_READ)
        self.answered()
        return descriptor

    def _absolute(self, path: str) -> Path:
        return (self.folder / path).absolute()

    def _open_below(self, path: str, flags: int) -> int:
        root = os.open(self.folder, _TO_PASS if path else flags)
        if not path:
            return root
        try:
            if self.in_one_call:
                try:
                    return openat2.open_below(root, path, flags)
                except OSError as exc:
                    if exc.errno != errno.ENAMETOOLONG:
                        raise
            return _open_each(root, path, flags)
        finally:
            os.close(root)


Lister = Callable[[Tree, str], AbstractContextManager[Iterator[Entry]]]
"""Lists a folder; Tree.list, or a replacement of a test."""


def _open_each(root: int, path: str, flags: int) -> int:
    """Open folder by folder; never follows a link and has no limit of the path's length."""
    *folders, name = path.split("/")
    above = os.dup(root)
    try:
        for folder in folders:
            below = _open_one(above, folder, _TO_PASS)
            os.close(above)
            above = below
        return _open_one(above, name, flags)
    finally:
        os.close(above)


def _open_one(above: int, name: str, flags: int) -> int:
    if name == "..":
        raise OSError(errno.EXDEV, "the path leads out of the source's folder", name)
    try:
        return os.open(name, flags | _O_NOFOLLOW, dir_fd=above)
    except NotADirectoryError as exc:
        # O_DIRECTORY reports a link as something that is no folder.
        if stat.S_ISLNK(os.stat(name, dir_fd=above, follow_symlinks=False).st_mode):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), name) from exc
        raise
