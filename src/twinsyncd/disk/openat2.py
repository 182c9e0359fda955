"""Opens a path below a folder in one call that follows no symbolic link: openat2(2), Linux 5.6.

Python has no function for it, so the system call is made by number.
Source: openat2(2); linux/openat2.h.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from functools import lru_cache
from typing import Final

_NUMBER: Final = 437  # on every architecture of Linux
_RESOLVE_NO_SYMLINKS: Final = 0x04
_RESOLVE_BENEATH: Final = 0x08


class _OpenHow(ctypes.Structure):
    _fields_ = (
        ("flags", ctypes.c_uint64),
        ("mode", ctypes.c_uint64),
        ("resolve", ctypes.c_uint64),
    )


@lru_cache(maxsize=1)
def is_available() -> bool:
    """Return whether this system has the call and no sandbox refuses it."""
    if sys.platform != "linux":
        return False
    flags = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
    root = os.open("/", flags)
    try:
        os.close(open_below(root, ".", flags))
    except OSError:
        return False
    finally:
        os.close(root)
    return True


def open_below(root: int, path: str, flags: int) -> int:
    """Return a descriptor; raises OSError, with ELOOP for a link in the path."""
    how = _OpenHow(flags, 0, _RESOLVE_BENEATH | _RESOLVE_NO_SYMLINKS)
    size_bytes = ctypes.sizeof(_OpenHow)
    while True:
        result: int = _libc().syscall(
            _NUMBER, root, os.fsencode(path), ctypes.byref(how), size_bytes
        )
        if result >= 0:
            return result
        code = ctypes.get_errno()
        if code != errno.EINTR:
            raise OSError(code, os.strerror(code), path)


@lru_cache(maxsize=1)
def _libc() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    libc.syscall.argtypes = (
        ctypes.c_long,
        ctypes.c_int,
        ctypes.c_char_p,
        ctypes.c_void_p,
        ctypes.c_size_t,
    )
    return libc
