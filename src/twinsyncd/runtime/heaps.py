"""Keeps the memory of a program that runs for months from scattering over many heaps.

glibc gives threads heaps of their own, eight for each processor. Each keeps what was freed in it,
so a daemon whose threads come and go grows by what lies free between what is used.
Source: mallopt(3), read 2026-11.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Final

HEAPS_MAX: Final = 2
_ARENA_MAX: Final = -8  # M_ARENA_MAX of malloc.h


def share_heaps() -> bool:
    """Let all threads share a few heaps from now on; False where memory is not glibc's."""
    if sys.platform != "linux":
        return False
    try:
        return bool(ctypes.CDLL(None).mallopt(_ARENA_MAX, HEAPS_MAX))
    except (AttributeError, OSError):  # another C library
        return False
