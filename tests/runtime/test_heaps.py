"""The heaps of the C library: few, however many threads come and go."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from twinsyncd.runtime.heaps import HEAPS_MAX

PROGRAM = """
import ctypes, sys, threading
from twinsyncd.runtime.heaps import share_heaps

share = sys.argv[1] == "shared"
assert not share or share_heaps()
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
together = threading.Barrier(12)

def allocate():
    together.wait()
    for _ in range(100):
        libc.malloc(5000)
    together.wait()

threads = [threading.Thread(target=allocate) for _ in range(12)]
for thread in threads: thread.start()
for thread in threads: thread.join()
file = ctypes.c_void_p(libc.fopen(sys.argv[2].encode(), b"w"))
libc.malloc_info(0, file)
libc.fclose(file)
"""


def heaps(how: str, file: Path) -> int:
    """Return how many heaps a process has whose threads all used the memory at once."""
    subprocess.run([sys.executable, "-c", PROGRAM, how, str(file)], check=True)
    return file.read_text().count("<heap nr=")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_all_threads_of_the_daemon_share_a_few_heaps(tmp_path: Path) -> None:
    """Each heap keeps what was freed in it: over months that looked like a leak."""
    assert heaps("as it was", tmp_path / "before") > HEAPS_MAX
    assert heaps("shared", tmp_path / "after") <= HEAPS_MAX
