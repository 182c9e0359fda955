"""The health of a source's folder: which drive it is, and whether it can be trusted now."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from . import mounts, windows
from .drive_words import drive_in_words

Mounts = Callable[[], list[mounts.Mount]]
"""Where the list of mounts comes from."""

_FSID_IS_FOR_LIFE: Final = frozenset({"ext2", "ext3", "ext4", "btrfs", "f2fs", "zfs", "bcachefs"})
"""Types whose file-system id is made from the volume's UUID; elsewhere it is a device number."""


def check(folder: Path, expected: str = "", *, listed: Mounts = mounts.listed) -> str:
    """Return "" if the folder can be scanned, else the reason as text.

    `expected` is the identity it must have; "" accepts any. Errors of the drive are the reason.
    """
    mounts.refresh()
    try:
        found = folder.stat()
        if not stat.S_ISDIR(found.st_mode):
            return f"{folder} is not a folder"
        with os.scandir(folder) as entries:
            next(entries, None)
        actual = identity(folder, listed=listed)
    except FileNotFoundError:
        return f"{folder} does not exist; is the share connected?"
    except OSError as exc:
        return f"{folder} cannot be read: {exc.strerror or exc}"
    if expected not in ("", actual):
        return (
            f"{folder} is another drive than before: it was {drive_in_words(expected)},"
            f" now it is {drive_in_words(actual)};"
            " is the share connected?"
        )
    return ""


def ask(folder: Path) -> None:
    """Ask the drive of the folder something that only it can answer. Raises OSError.

    NFS remembers for a minute how a folder looks, so it is asked for its free space too, which a
    share always asks its server. Source: nfs(5), "acdirmin"; statfs(2).
    """
    folder.stat()
    shutil.disk_usage(folder)


def identity(folder: Path, *, listed: Mounts = mounts.listed) -> str:
    """Return text that stays the same as long as the folder lies on the same drive.

    It survives a reboot and a remount: a share is named by its type and address, a local volume by
    its file-system id, or by its device where that id is not kept. It detects an unmounted share
    (the folder is then on the local disk), another share and another volume. It does not detect
    another server behind the same address, nor another folder of the same drive. A share mounted
    under another name of its server looks like another drive.
    Raises OSError.
    """
    device = folder.stat().st_dev
    mount = mounts.holding(os.path.realpath(folder), listed())
    if mount is None or sys.platform == "win32":
        return f"volume:{device:x}"
    if mount.kind in _FSID_IS_FOR_LIFE:
        fsid = os.statvfs(folder).f_fsid
        if fsid:
            return f"{mount.kind}:{fsid:x}"
    return f"{mount.kind}:{mount.source}"


def anchor(folder: Path) -> tuple[int, int]:
    """Return device and inode, which change when the folder is replaced or mounted over.

    Raises OSError, also where the path is no folder any more.
    """
    found = folder.stat()
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    return found.st_dev, found.st_ino


def filesystem_of(folder: Path, *, listed: Mounts = mounts.listed) -> str:
    """Return the type of the file system the folder lies on; "" if unknown."""
    mount = mounts.holding(os.path.realpath(folder), listed())
    return mount.kind if mount else ""


def is_network(folder: Path, *, listed: Mounts = mounts.listed) -> bool:
    """Return whether other hosts can change the folder without this one noticing."""
    if sys.platform == "win32":
        return windows.is_remote(str(folder))
    return mounts.is_network(filesystem_of(folder, listed=listed))
