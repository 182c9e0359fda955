"""Says which process holds a write lock on a file, as far as Linux tells every account.

Only programs of this machine that lock what they edit are seen. Nothing is seen of a share that
another machine serves, nor of clients that merely have a file open at this machine's Samba: their
share modes are not locks of the system. Nothing either where the file system reports another device
than stat(), as btrfs does. Source: proc_locks(5), read 2026-11.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Final

LOCKS: Final = Path("/proc/locks")
_LINE: Final = re.compile(
    r"(?m)^\d+: (?:POSIX|FLOCK|OFDLCK|LEASE) .* WRITE +(-?\d+) ([0-9a-f]+):([0-9a-f]+):(\d+) "
)  # those that wait for a lock have an arrow behind the number


def program_that_locks(found: os.stat_result, locks: Path = LOCKS) -> str:
    """Return the name of a program that has the file locked for writing; "" if none is known."""
    if sys.platform != "linux":
        return ""
    else:  # noqa: RET505 - mypy skips what is below an else, and not what follows
        device = (os.major(found.st_dev), os.minor(found.st_dev))
        try:
            text = locks.read_text("ascii", "replace")
        except OSError:
            return ""  # a container may hide it
        for line in _LINE.finditer(text):
            if (int(line[2], 16), int(line[3], 16)) == device and int(line[4]) == found.st_ino:
                return _name_of(int(line[1])) or "another program"
        return ""


def _name_of(pid: int) -> str:
    """Return the program's name; "" for one of another container, or one that has just ended."""
    try:
        return Path(f"/proc/{pid}/comm").read_text("utf-8", "replace").strip()
    except OSError:
        return ""
