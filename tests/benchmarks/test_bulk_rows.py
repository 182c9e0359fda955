"""A large export of pieces: bounded memory, and few requests for few changes."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from .figures import say

ROWS = 1_000_000
EDITED = 100
SLICE = 50_000  # rows that are written at once
PEAK_MB = 200
PROGRAM = Path(__file__).with_name("bulk_rows.py")
COLUMNS = ("project", "component", "part", "length", "barcode")


def _rows(first: int, edited: int) -> Iterator[tuple[str, str, str, float, str]]:
    for number in range(first, min(first + SLICE, ROWS)):
        length = number % 977 + (0.5 if number < edited else 0)
        yield f"P{number % 50}", f"C{number % 500}", f"part-{number:07}", length, f"{number:012}"


def _export(file: Path, *, edited: int) -> None:
    schema = pa.schema([(name, pa.string()) for name in COLUMNS if name != "length"])
    schema = schema.insert(3, pa.field("length", pa.float64()))
    with ExitStack() as stack:
        if file.suffix == ".csv":
            lines = csv.writer(stack.enter_context(file.open("w", encoding="utf-8", newline="")))
            lines.writerow(COLUMNS)
        else:
            table = stack.enter_context(pq.ParquetWriter(file, schema))
        for first in range(0, ROWS, SLICE):
            some = list(_rows(first, edited))
            if file.suffix == ".csv":
                lines.writerows(some)
            else:
                columns = dict(zip(COLUMNS, zip(*some, strict=True), strict=True))
                table.write_table(pa.table(columns, schema))


def _deliver(file: Path, journal: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, PROGRAM, file, journal], capture_output=True, text=True, check=True
    )
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


@pytest.mark.bench
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_few_changes_in_a_large_export_are_one_request(tmp_path: Path, ending: str) -> None:
    """An hourly export of everything must cost neither the service nor this machine much."""
    file, journal = tmp_path / f"pieces.{ending}", tmp_path / "journal.sqlite"

    _export(file, edited=0)
    first = _deliver(file, journal)
    _export(file, edited=EDITED)
    second = _deliver(file, journal)

    of = f"{ROWS} rows of {ending}"
    say("first sync", str(first), f"{PEAK_MB} MB", of)
    say(f"{EDITED} rows changed", str(second), f"{PEAK_MB} MB, 1 request", of)
    assert (first["requests"], second["requests"], second["changed"]) == (ROWS // 1000, 1, EDITED)
    assert second["ratio"] < 1  # reading and digests are most of the work
    assert max(first["peak_mb"], second["peak_mb"]) <= PEAK_MB
