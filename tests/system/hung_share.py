"""A share whose server is gone: a FUSE mount that answers its first question and no other.

Every call on it waits, as on an NFS or SMB share without its server. Needs /dev/fuse and the right
to mount. Source: fuse(4), "The FUSE protocol"; linux/fuse.h.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

_HEADER: Final = struct.Struct("=IIQQIIII")  # of a request: length, operation, unique, ...
_ANSWER: Final = struct.Struct("=IiQ")  # length, error, unique
_INIT: Final = struct.Struct("=IIII")  # major, minor, max_readahead, flags
_MNT_DETACH: Final = 2


@contextmanager
def hung_share(folder: Path) -> Iterator[None]:
    """Mount it on the folder; all calls that wait there end with an error at the end."""
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    except OSError as exc:
        pytest.skip(f"no FUSE here: {exc}")
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0"
    if libc.mount(b"gone", bytes(folder), b"fuse", 0, options.encode()) != 0:
        os.close(device)
        pytest.skip(f"no right to mount: {os.strerror(ctypes.get_errno())}")
    try:
        _answer_first(device)
        yield
    finally:
        libc.umount2(bytes(folder), _MNT_DETACH)
        os.close(device)  # aborts what still waits


def _answer_first(device: int) -> None:
    """Answer INIT, without which every call would fail at once instead of waiting."""
    request = os.read(device, 1 << 17)
    unique = _HEADER.unpack_from(request)[2]
    major, minor, ahead, _ = _INIT.unpack_from(request, _HEADER.size)
    body = struct.pack("=IIIIHHII", major, minor, ahead, 0, 12, 9, 4096, 1) + bytes(36)
    os.write(device, _ANSWER.pack(_ANSWER.size + len(body), 0, unique) + body)
