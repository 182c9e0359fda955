"""Makes files and folders survive a power cut.

A content is promised by an answer 201, a run by an answer 202; from then on they must be there.
Source: fsync(2): the entry of a new file needs a sync of its folder as well.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def sync_file(file: Path) -> None:
    """Return when the content of `file` is on the disk."""
    # Windows flushes only what is open for writing.
    descriptor = os.open(file, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Return when the entries of `folder` are on the disk; Windows keeps them by itself."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
