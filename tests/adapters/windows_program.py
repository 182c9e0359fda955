"""How to run a program for Windows: by Windows itself, or by wine with a Python for Windows."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
WINE = TOP / ".cache" / "wine"
"""Where `make wine` puts a Python for Windows and its libraries."""


def run_on_windows(script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script of the tests; skip the test where no Python for Windows is."""
    python = WINE / "cp311" / "python.exe"
    wine = shutil.which("wine")
    if sys.platform == "win32":
        command = [sys.executable]
    elif wine and python.exists():
        command = [wine, str(python)]
    else:
        pytest.skip("there is no wine with a Python for Windows; run: make wine")
    env = {**os.environ, "WINEPREFIX": str(WINE / "prefix"), "WINEDEBUG": "-all"}
    return subprocess.run(
        [*command, windows_path(script), *arguments],
        env=env, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


def windows_path(path: Path) -> str:
    """Return how a Windows program names it; wine has this machine's files on Z:."""
    return str(path) if sys.platform == "win32" else "Z:" + str(path).replace("/", "\\")
