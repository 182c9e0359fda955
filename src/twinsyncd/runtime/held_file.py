"""Whether some process holds a lock file, asked without writing: also on a read-only disk."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from filelock import FileLock, Timeout


def is_held(file: Path) -> bool:
    """Return whether a process holds the lock on an existing file; False if it cannot be seen."""
    try:
        if not file.exists():
            return False  # nobody ever began; the lock would create its folder for all to read
        return _is_locked(file)
    except OSError:
        return False  # not for us to look at


if sys.platform == "win32":

    def _is_locked(file: Path) -> bool:
        try:
            with FileLock(file, timeout=0):
                return False
        except Timeout:
            return True

else:
    import fcntl

    def _is_locked(file: Path) -> bool:
        opened = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(opened)
        return False
