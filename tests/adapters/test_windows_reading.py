"""The code for Windows, run: by Windows itself, or by wine with a Python for Windows."""

from __future__ import annotations

from pathlib import Path

from windows_program import TOP, run_on_windows, windows_path

CHECKS = [
    *("autocad", "microstation", "deletion", "plain", "exclusive"),
    *("long path", "missing", "unc"),
]


def test_files_are_read_on_windows_without_hindering_their_writers() -> None:
    """An upload that keeps AutoCAD from saving is the last one that the office allows."""
    script = Path(__file__).with_name("windows_reading.py")

    done = run_on_windows(script, windows_path(TOP / "src"))

    held = [line.removeprefix("held: ") for line in done.stdout.splitlines() if "held" in line]
    assert held == CHECKS, done.stderr
    assert done.returncode == 0
