"""A large export of pieces: bounded memory, and few requests for few changes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .figures import say

ROWS = 100_000
MEMORY_MB = 200
PROGRAM = Path(__file__).with_name("bulk_rows.py")


def _export(file: Path, *, edited: int) -> None:
    with file.open("w", encoding="utf-8") as lines:
        lines.write("project,component,part,length,barcode\n")
        for number in range(ROWS):
            length = number % 977 + (0.5 if number < edited else 0)
            lines.write(f"P{number % 50},C{number % 500},part-{number:07},{length},{number:012}\n")


def _deliver(file: Path, journal: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, PROGRAM, file, journal], capture_output=True, text=True, check=True
    )
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


@pytest.mark.bench
def test_few_changes_in_a_large_export_are_one_request(tmp_path: Path) -> None:
    """An hourly export of everything must cost neither the service nor this machine much."""
    file, journal = tmp_path / "pieces.csv", tmp_path / "journal.sqlite"

    _export(file, edited=0)
    first = _deliver(file, journal)
    _export(file, edited=100)
    second = _deliver(file, journal)

    for what, found in {"first delivery": first, "100 rows changed": second}.items():
        say(
            f"{what}, {ROWS:,} rows",
            f"{found['peak_mb']:.0f} MB",
            f"<= {MEMORY_MB} MB",
            f"{found['requests']} requests",
            is_met=found["peak_mb"] <= MEMORY_MB,
        )
    assert (first["requests"], second["requests"], second["changed"]) == (ROWS // 1000, 1, 100)
