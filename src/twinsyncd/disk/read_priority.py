"""Lets what this program reads from local disks wait for what other programs read.

Linux has a priority of reading for each thread, which its disk schedulers mq-deadline and BFQ heed;
a share is read by its server, which knows nothing of it. Python has no function for it, so the
system call is made by number.
Source: ioprio_set(2), read 2026-11; linux/ioprio.h.
"""

from __future__ import annotations

import ctypes
import platform
import sys
from functools import lru_cache
from typing import Final

_NUMBERS: Final = {"x86_64": 251, "aarch64": 30, "riscv64": 30}
_THIS_THREAD: Final = (1, 0)  # IOPRIO_WHO_PROCESS, the calling thread
_LOWEST: Final = 2 << 13 | 7  # best effort, last of eight levels; class "idle" may never get a turn


def lower() -> bool:
    """Let the calling thread read after all others; False where the system has no such thing."""
    number = _NUMBERS.get(platform.machine()) if sys.platform == "linux" else None
    return number is not None and _libc().syscall(number, *_THIS_THREAD, _LOWEST) == 0


@lru_cache(maxsize=1)
def _libc() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    libc.syscall.argtypes = (ctypes.c_long, ctypes.c_int, ctypes.c_int, ctypes.c_int)
    return libc
