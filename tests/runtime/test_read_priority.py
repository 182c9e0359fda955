"""What the daemon reads from a file server's disks waits for what the people there read."""

from __future__ import annotations

import ctypes
import os
import sys

import pytest

from twinsyncd.disk import read_priority
from twinsyncd.runtime.drive_threads import Drives
from twinsyncd.runtime.share_threads import ShareThreads

_GET = {"x86_64": 252, "aarch64": 31, "riscv64": 31}
_BEST_EFFORT_LAST = 2 << 13 | 7


def priority() -> int:
    """Return the priority of reading of the calling thread, as Linux counts it."""
    libc = ctypes.CDLL(None)
    found: int = libc.syscall(_GET[os.uname().machine], 1, 0)
    return found


@pytest.mark.skipif(
    sys.platform != "linux" or os.uname().machine not in _GET, reason="Linux alone has it"
)
def test_threads_that_read_a_drive_let_others_read_first() -> None:
    """The journal's thread keeps its priority: a decision must not wait for a scan."""
    before = priority()
    drives = Drives(str, prepare=read_priority.lower)
    threads = ShareThreads("cad", drives=drives)

    read_with = threads.call(priority)

    threads.stop()
    assert read_with == _BEST_EFFORT_LAST
    assert before == priority()
