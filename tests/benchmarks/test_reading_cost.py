"""What large drawings and workbooks cost, beside the library that reads them: parse and map."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest

from .figures import say
from .reading_cost import write_drawing, write_workbook
from .steps import measured

pytestmark = pytest.mark.bench

ENTITIES: Final = int(os.environ.get("DXF_ENTITIES", "150000"))
ROWS: Final = int(os.environ.get("XLSX_ROWS", "1000000"))
DXF_LIMIT: Final = 1.3  # of the time that ezdxf takes to load the drawing
TABLE_MB_MAX: Final = 500.0
MEGABYTE: Final = 1e6


def test_a_large_drawing_costs_little_more_than_loading_it(tmp_path: Path) -> None:
    """A drawing is read at every save."""
    write_drawing(tmp_path / "drawing.dxf", ENTITIES)

    parse, mapped = (
        measured("reading_cost", step, tmp_path, ENTITIES) for step in ("parse_dxf", "map_dxf")
    )

    ratio = mapped["cpu_s"] / parse["cpu_s"]
    say(
        f"DXF of {ENTITIES:,} entities: parse with ezdxf / map",
        f"{parse['cpu_s']:.1f} / {mapped['cpu_s']:.1f} s,"
        f" peak {parse['peak_mb']:.0f} / {mapped['peak_mb']:.0f} MB",
        f"<= {DXF_LIMIT} x parse",
        f"{ratio:.2f} x",
        is_met=ratio <= DXF_LIMIT,
    )
    assert parse["result"] == ENTITIES
    assert mapped["result"] >= ENTITIES
    assert ratio <= DXF_LIMIT


def test_a_large_workbook_stays_in_bounded_memory(tmp_path: Path) -> None:
    """The library keeps a whole sheet; what we add to it must stay small."""
    write_workbook(tmp_path / "table.xlsx", ROWS)

    parse, mapped = (
        measured("reading_cost", step, tmp_path, ROWS) for step in ("parse_xlsx", "map_xlsx")
    )

    say(
        f"XLSX of {ROWS:,} rows: parse with calamine / map",
        f"{parse['cpu_s']:.1f} / {mapped['cpu_s']:.1f} s,"
        f" peak {parse['peak_mb']:.0f} / {mapped['peak_mb']:.0f} MB",
        f"<= {TABLE_MB_MAX:.0f} MB",
        f"{mapped['peak_mb'] / parse['peak_mb']:.2f} x the library's memory",
        is_met=mapped["peak_mb"] <= TABLE_MB_MAX,
    )
    assert mapped["result"] == ROWS + 1
    assert mapped["peak_mb"] <= TABLE_MB_MAX
