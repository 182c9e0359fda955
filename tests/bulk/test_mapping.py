"""Cells of odd exports: each becomes the value that is meant, or a mistake with a fix."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinsyncd.targets.bulk.mapping import BadRowError, RowMapping, RowReader
from twinsyncd.targets.bulk.tables import BadTableError, Table

COMPANY = "0a1b2c3d-1111-4222-8333-444455556666"
GUID = "0a1b2c3d-1111-4222-8333-444455556667"


def _reader(field: str, decimal: str = ".") -> RowReader:
    entity = "components" if field == "quantity" else "pieces"
    needed = {"code": "C"} if entity == "components" else {"piece_id": "1", "component_guid": GUID}
    columns = {"guid": "id", field: "cell"}
    constants = {"project_guid": GUID, **needed}
    return RowReader(RowMapping(entity, COMPANY, columns, {}, constants, decimal))


def _value(field: str, cell: Any, decimal: str = ".") -> Any:
    reader = _reader(field, decimal)
    cells = (GUID, cell)
    return reader.record(cells, reader.guid(cells)).get(field)


@pytest.mark.parametrize(
    ("field", "cell", "decimal", "value"),
    [
        ("outer_length", "12,5", ",", 12.5),
        ("outer_length", " 12.5 ", ".", 12.5),
        ("outer_length", Decimal("1.25"), ".", 1.25),
        ("quantity", "4.0", ".", 4),
        ("quantity", "9007199254740993", ".", 9007199254740993),  # a float has no such number
        ("barcode", 7.0, ".", "7"),
        ("barcode", Decimal("12345678901234567890"), ".", "12345678901234567890"),
        ("barcode", Decimal("7.00"), ".", "7"),
        ("barcode", Decimal("70"), ".", "70"),
        ("barcode", Decimal("7.50"), ",", "7.5"),
        ("quantity", Decimal("9007199254740993.0"), ".", 9007199254740993),
        ("colour", Decimal("1.5"), ".", 1.5),  # a field that is not known is sent as it is
        ("colour", date(2026, 12, 31), ".", "2026-12-31"),
        ("assembly_guid", "{0A1B2C3D-1111-4222-8333-444455556667}", ".", GUID),
        ("outer_length", "", ".", None),
    ],
)
def test_a_cell_becomes_the_value_that_is_meant(
    field: str, cell: Any, decimal: str, value: Any
) -> None:
    """Exactly: a service keeps what it gets."""
    assert value == _value(field, cell, decimal)


@pytest.mark.parametrize(
    ("field", "cell", "decimal", "message"),
    [
        ("outer_length", "1.234", ",", '"1.234" is not a number'),  # one thousand, surely
        ("outer_length", "1.234,5", ",", '"1.234,5" is not a number'),
        ("outer_length", "1,234.5", ".", '"1,234.5" is not a number'),
        ("outer_length", "1_000", ".", '"1_000" is not a number'),
        ("outer_length", "1e400", ".", '"1e400" is not a number'),
        ("outer_length", "NaN", ".", '"NaN" is not a number'),
        ("outer_length", 10**400, ".", "..."),
        ("quantity", "2.5", ".", '"2.5" is not a whole number'),
        ("quantity", "1e30", ".", '"1e30" is not a whole number'),
        ("quantity", float("nan"), ".", '"nan" is not a whole number'),
        ("colour", float("inf"), ".", '"inf" is not a number'),
        ("barcode", "#REF!", ".", "the cell shows the error #REF!"),
        ("barcode", {"a": 1}, ".", "it holds several values"),
        ("barcode", ["a"], ".", "it holds several values"),
        ("assembly_guid", "0a1b2c3d", ".", '"0a1b2c3d" is not a GUID'),
    ],
)
def test_a_cell_that_may_mean_something_else_is_a_mistake(
    field: str, cell: Any, decimal: str, message: str
) -> None:
    """A wrong length that was sent is sawn; a mistake that is named is corrected."""
    with pytest.raises(BadRowError) as caught:
        _value(field, cell, decimal)

    (mistake,) = caught.value.mistakes
    assert mistake.column == "cell"
    assert message in mistake.message
    assert mistake.fix


def test_workbooks_give_values_by_the_rows_that_people_see(tmp_path: Path) -> None:
    """Dates are dates, empty rows are counted, and of merged cells the first has the value."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["id", "cell"])
    sheet.append([GUID, date(2026, 12, 31)])
    sheet.append([])
    sheet.append([GUID, "four"])
    sheet.append([7.0, "merged"])
    sheet.merge_cells("A5:A6")
    sheet["B6"] = "below"
    written = io.BytesIO()
    book.save(written)
    file = tmp_path / "x.xlsx"
    file.write_bytes(written.getvalue())

    rows = dict(Table(file, ".xlsx", ("id", "cell")).rows())

    assert str(rows[2][1]).startswith("2026-12-31")
    assert rows[4][1] == "four"
    assert (rows[5], rows[6][1]) == ((7.0, "merged"), "below")
    assert 3 not in rows


def test_parquet_columns_of_all_kinds_are_read(tmp_path: Path) -> None:
    """Dictionaries, decimals, moments, texts that are not marked as such, and nothing at all."""
    columns = {
        "dictionary": pa.array(["a", "b"]).dictionary_encode(),
        "decimal": pa.array([Decimal("1.5"), None]),
        "moment": pa.array([0, 1], pa.timestamp("ms")),
        "bytes": pa.array([b"x", b"y"]),
        "nothing": pa.nulls(2),
    }
    file = tmp_path / "x.parquet"
    pq.write_table(pa.table(columns), file)
    table = Table(file, ".parquet", tuple(columns))

    (batch,) = table.batches()
    rows = [cells for _, cells in batch.rows([0, 1])]

    assert [row[0] for row in rows] == ["a", "b"]
    assert [row[1] for row in rows] == [Decimal("1.5"), None]
    assert [row[3:] for row in rows] == [("x", None), ("y", None)]
    assert len({batch.digests(b"k")[:8], batch.digests(b"k")[8:]}) == 2


@pytest.mark.parametrize(
    ("values", "cell"),
    [
        (pa.array([UUID(GUID).bytes], pa.uuid()), GUID),
        (pa.array([b"A-07"], pa.binary(4)), "A-07"),
        (pa.array([1_000_000_789], pa.timestamp("ns", "UTC")), "1970-01-01 00:00:01+00:00"),
        (pa.array([1_000_000_789], pa.time64("ns")), "00:00:01"),
        (pa.array([1_000_000_789], pa.duration("ns")), "0:00:01"),
    ],
)
def test_parquet_columns_that_python_has_no_value_for_are_read(
    tmp_path: Path, values: pa.Array, cell: str
) -> None:
    """Databases and data frames write GUIDs as 16 bytes, and moments in nanoseconds."""
    file = tmp_path / "x.parquet"
    pq.write_table(pa.table({" cell ": values}), file)

    (batch,) = Table(file, ".parquet", ("cell",)).batches()

    assert [str(cells[0]) for _, cells in batch.rows([0])] == [cell]
    assert len(batch.digests(b"k")) == 8


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (pa.array([[1], [2]]), "holds list"),
        (pa.array([b"\xff", b"x"]), "holds bytes that are not text"),
    ],
)
def test_parquet_columns_without_one_plain_value_per_row_are_refused(
    tmp_path: Path, values: pa.Array, text: str
) -> None:
    """By the name of the column, and with what to do."""
    file = tmp_path / "x.parquet"
    pq.write_table(pa.table({"cell": values}), file)

    with pytest.raises(BadTableError) as caught:
        list(Table(file, ".parquet", ("cell",)).rows())

    assert 'column "cell"' in str(caught.value)
    assert text in str(caught.value)


@given(st.tuples(*[st.text(st.characters(exclude_categories=["Cs"]), min_size=1)] * 2))
def test_guids_of_names_are_those_of_the_standard(names: tuple[str, str]) -> None:
    """They are made by hand for speed, and must stay those that the service has already."""
    keys = {"guid": ("project", "part"), "project_guid": ("project",)}
    reader = RowReader(RowMapping("components", COMPANY, {}, keys, {"code": "C"}))
    project, part = (name.strip() for name in names)

    if project and part:
        guid = reader.guid(names)
        company = UUID(COMPANY)
        assert UUID(bytes=guid) == uuid5(uuid5(company, "components"), f"{project}\x1f{part}")
        assert reader.record(names, guid) == {
            "guid": str(UUID(bytes=guid)),
            "project_guid": str(uuid5(uuid5(company, "projects"), project)),
            "company_guid": COMPANY,
            "code": "C",
        }
