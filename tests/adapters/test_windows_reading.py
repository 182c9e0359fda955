"""The code for Windows, run: by Windows itself, or by wine with a Python for Windows."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
PYTHON = TOP / ".cache" / "wine" / "cp311" / "python.exe"
"""Where `make wine` puts it."""

CHECKS = [
    *("autocad", "microstation", "deletion", "plain", "exclusive"),
    *("long path", "missing", "unc"),
]


def program() -> list[str]:
    """Return how to start a Python for Windows; [] if there is none."""
    if sys.platform == "win32":
        return [sys.executable]
    wine = shutil.which("wine")
    return [wine, str(PYTHON)] if wine and PYTHON.exists() else []


def windows_path(path: Path) -> str:
    """Return how a Windows program names it; wine has this machine's files on Z:."""
    return str(path) if sys.platform == "win32" else "Z:" + str(path).replace("/", "\\")


def test_files_are_read_on_windows_without_hindering_their_writers() -> None:
    """An upload that keeps AutoCAD from saving is the last one that the office allows."""
    command = program()
    if not command:
        pytest.skip("there is no wine with a Python for Windows; run: make wine")
    script = Path(__file__).with_name("windows_reading.py")
    env = {**os.environ, "WINEPREFIX": str(PYTHON.parent.parent / "prefix"), "WINEDEBUG": "-all"}

    done = subprocess.run(
        [*command, windows_path(script), windows_path(TOP / "src")],
        env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip

    held = [line.removeprefix("held: ") for line in done.stdout.splitlines() if "held" in line]
    assert held == CHECKS, done.stderr
    assert done.returncode == 0
