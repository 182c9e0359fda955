"""What only Windows needs: long paths, opening without locking, drive types.

Everything that calls the system sits below one platform check, so that the module can be
imported, and its pure part tested, anywhere.
"""

from __future__ import annotations

import ntpath
import sys
from typing import Final

_PREFIX: Final = "\\\\?\\"
_UNC_PREFIX: Final = "\\\\?\\UNC\\"


def long_path(absolute: str) -> str:
    r"""Return the path in the form that is not limited to 260 characters.

    `absolute` may be a drive path, a UNC path, or already prefixed; in the prefixed form Windows
    no longer resolves `.`, `..` and forward slashes, so they are resolved here.
    Source: Microsoft Learn, "Maximum Path Length Limitation".
    """
    if absolute.startswith(_PREFIX):
        return absolute
    normal = ntpath.normpath(absolute)
    if normal.startswith("\\\\"):
        return _UNC_PREFIX + normal[2:]
    return _PREFIX + normal


if sys.platform == "win32":
    import ctypes
    import errno
    import msvcrt
    import os
    import stat
    from ctypes import wintypes
    from pathlib import Path

    _KERNEL = ctypes.WinDLL("kernel32", use_last_error=True)
    _KERNEL.CreateFileW.restype = wintypes.HANDLE
    _KERNEL.CreateFileW.argtypes = (
        wintypes.LPCWSTR,
        wintypes.DWORD,
        wintypes.DWORD,
        wintypes.LPVOID,
        wintypes.DWORD,
        wintypes.DWORD,
        wintypes.HANDLE,
    )
    _KERNEL.GetDriveTypeW.restype = wintypes.UINT
    _KERNEL.GetDriveTypeW.argtypes = (wintypes.LPCWSTR,)

    _GENERIC_READ: Final = 0x80000000
    _SHARE_READ_WRITE_DELETE: Final = 0x1 | 0x2 | 0x4
    _OPEN_EXISTING: Final = 3
    _SEQUENTIAL_SCAN: Final = 0x08000000
    _DRIVE_REMOTE: Final = 4

    def open_shared(file: str) -> int:
        """Return a descriptor; others may write, rename and delete the file while it is open.

        Raises OSError; PermissionError when somebody has it open without sharing.
        Source: Microsoft Learn, "CreateFileW function".
        """
        handle = _KERNEL.CreateFileW(
            long_path(ntpath.abspath(file)),
            _GENERIC_READ,
            _SHARE_READ_WRITE_DELETE,
            None,
            _OPEN_EXISTING,
            _SEQUENTIAL_SCAN,
            None,
        )
        if handle == wintypes.HANDLE(-1).value:
            raise ctypes.WinError(ctypes.get_last_error())
        return msvcrt.open_osfhandle(handle, os.O_RDONLY | os.O_BINARY | os.O_NOINHERIT)

    def refuse_links(folder: Path, path: str) -> None:
        """Raise OSError (ELOOP) if a part of the path is a symbolic link or a junction.

        Source: Microsoft Learn, "Reparse Point Tags".
        """
        whole = folder.absolute()
        for name in path.split("/") if path else ():
            whole /= name
            tag = os.lstat(long_path(str(whole))).st_reparse_tag
            if tag in (stat.IO_REPARSE_TAG_SYMLINK, stat.IO_REPARSE_TAG_MOUNT_POINT):
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(whole))

    def open_beneath(folder: Path, path: str) -> int:
        """Return a descriptor of a file below the folder; see `open_shared`.

        The path is checked before and after: what was opened must be what was checked.
        """
        refuse_links(folder, path)
        file = long_path(str((folder / path).absolute()))
        descriptor = open_shared(file)
        try:
            refuse_links(folder, path)
            if not _is_at(descriptor, file):
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), file)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _is_at(descriptor: int, file: str) -> bool:
        opened, there = os.fstat(descriptor), os.lstat(file)
        return (opened.st_dev, opened.st_ino) == (there.st_dev, there.st_ino)

    def is_remote(folder: str) -> bool:
        """Return whether the folder is a UNC path or lies on a mapped network drive."""
        drive = ntpath.splitdrive(ntpath.abspath(folder))[0]
        return drive.startswith("\\\\") or _KERNEL.GetDriveTypeW(drive + "\\") == _DRIVE_REMOTE
