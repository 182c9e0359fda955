"""Exports as programs write them in practice: read as meant, or refused with what to do."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bulk_scene import CONNECTION, Factory, factory

from twinsyncd.core.commands import Place
from twinsyncd.core.model import FileKey, SourceKey, StorageId
from twinsyncd.errors import CloudError

HEADER = "project,component,part,length\n"
OBJECT = '{"project": "P", "component": "C", "part": "a", "length": 1}'


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Factory]:
    """A factory with project P and component C."""
    with factory(tmp_path) as made:
        yield made.with_parents()


def _parquet(lengths: list[object]) -> bytes:
    rows = len(lengths)
    parts = [f"p{number}" for number in range(rows)]
    columns = {"project": ["P"] * rows, "component": ["C"] * rows, "part": parts}
    written = io.BytesIO()
    pq.write_table(pa.table({**columns, "length": lengths}), written)
    return written.getvalue()


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("pieces.csv", "sep=;\r\nproject;component;part;length\r\nP;C;a;1\r\n"),
        ("pieces.csv", f'"sep=,"\n{HEADER}P,C,a,1\n'),
        ("pieces.csv", 'project;component;part;length;"x, y, z, u, v"\nP;C;a;1;2\n'),
        ("pieces.csv", "x, mm;y, mm;z, mm;project;component;part;length\n1;2;3;P;C;a;1\n"),
        ("pieces.csv", f"{HEADER}P,C,a,1\n\x1a"),
        ("pieces.json", f'{{"meta": {{"rows": 1}}, "pieces": [{OBJECT}]}}'),
        ("pieces.json", f'{{"data": {{"count": 1, "pieces": [{OBJECT}]}}}}'),
    ],
)
def test_what_is_around_the_rows_does_not_matter(plant: Factory, path: str, data: str) -> None:
    """Excel's hint of the separator, the end of a file from the days of DOS, wrapped lists."""
    plant.store(path, data)

    assert plant.lengths() == {"a": 1}


def test_a_zero_byte_in_a_cell_makes_no_other_encoding(plant: Factory) -> None:
    """One damaged cell must not turn the whole file into Chinese signs."""
    plant.store("pieces.csv", f"{HEADER}P,C,a\0b,1\n")

    assert plant.lengths() == {"a\0b": 1}


@pytest.mark.parametrize(
    ("path", "data", "text"),
    [
        ("pieces.csv", f'{HEADER}P,C,a,"1,5"\n', 'or add decimal = "," below'),
        ("pieces.csv", f"Export of Mill\n{HEADER}P,C,a,1\n", "delete lines above the header"),
        ("pieces.ndjson", OBJECT + '\n{"project": "P', "line 2 is not JSON: Unterminated string"),
        ("pieces.ndjson", OBJECT + '\n{"project": "P', "the file may be cut off"),
        ("pieces.json", f'{{"a": [{OBJECT}], "b": []}}', "several lists (a, b): export one"),
        ("pieces.json", OBJECT, "it must be a list of objects"),
        (
            "pieces.json",
            f"[{OBJECT}]".replace('"a"', '"\\ud83d"'),
            "row 1, column project + part: it holds a broken character",
        ),
        ("pieces.parquet", _parquet([True]), 'column length: "True" is not a number'),
        (
            "pieces.parquet",
            _parquet([datetime(2026, 1, 1, tzinfo=UTC)]),
            'column length: "2026-01-01 00:00:00+00:00" is not a number',
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_fix(
    plant: Factory, path: str, data: str | bytes, text: str
) -> None:
    """Whoever reads it has the export before them, and not this program."""
    with pytest.raises(CloudError) as caught:
        plant.store(path, data)

    assert text in caught.value.failure.message
    assert plant.lengths() == {}


def test_a_renamed_export_keeps_its_counts(plant: Factory) -> None:
    """Nothing is sent for a new name, so what is known has to follow it."""
    stored = plant.store("pieces.csv", f"{HEADER}P,C,a,1\n")
    target, source = plant.connection(), SourceKey("Factory/exports")

    for path in ("pieces.second.csv", "pieces.third.csv"):
        target.place(Place(FileKey(source, path), CONNECTION, stored.storage_id))
    target.place(Place(FileKey(source, "other.csv"), CONNECTION, StorageId("unknown")))

    found = [each for each in plant.files.deliveries(CONNECTION) if each.entity == "pieces"]
    assert [(each.key.path, each.acknowledged) for each in found] == [("pieces.third.csv", 1)]


def test_a_renamed_export_keeps_its_identity_beside_one_with_its_old_name(plant: Factory) -> None:
    """Exports are rotated: an id that was lost looks as if somebody had deleted the file."""
    first = plant.store("pieces.csv", f"{HEADER}P,C,a,1\n")

    renamed = plant.store("pieces.old.csv", f"{HEADER}P,C,b,2\n", known_as=first.storage_id)
    other = plant.store("pieces.csv", f"{HEADER}P,C,a,2\n")

    assert first.storage_id == renamed.storage_id
    assert other.storage_id not in ("", first.storage_id)


def _workbook(rows: list[list[object]], merged: str = "") -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    if merged:
        sheet.merge_cells(merged)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def test_titles_above_the_header_of_a_workbook_do_not_matter(plant: Factory) -> None:
    """A report has its name in merged cells above the table; nobody deletes it every day."""
    title: list[list[object]] = [
        ["Pieces of today"],
        [],
        ["project", "component", "part", "length"],
    ]
    rows: list[list[object]] = [["P", "C", "a", 1], [], ["P", "C", "", 2]]

    with pytest.raises(CloudError) as caught:
        plant.store("pieces.xlsx", _workbook(title + rows, merged="A1:D1"))

    assert plant.lengths() == {"a": 1}
    assert "row 6, column project + part: it is empty" in str(caught.value)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["P,C,a,x"], "1 of 1 row is not in the service: row 2"),
        (["P,C,a,1", "P,C,b,x"], r"1 of 2 rows is not in the service \(the other is\): row 3"),
        (
            ["P,C,a,1", "P,C,b,x", "P,C,c,y", "P,C,d,1"],
            r"2 of 4 rows .*\(the others are\): row 3",
        ),
        (
            [f"P,C,{n},x" for n in range(4)],
            "4 of 4 rows are not in the service: .*; and 1 more row$",
        ),
    ],
)
def test_rejected_rows_are_counted_in_english(plant: Factory, rows: list[str], words: str) -> None:
    """Whoever corrects the file at night reads this line once."""
    with pytest.raises(CloudError) as caught:
        plant.store("pieces.csv", HEADER + "\n".join(rows) + "\n")

    assert re.search(words, str(caught.value))


@pytest.mark.parametrize("end", ["", 'P,C,"e",5\n', "\nP,C,e,5\n"])
def test_a_line_with_a_comma_too_many_is_named_and_the_others_go_in(
    plant: Factory, end: str
) -> None:
    """Somebody writes a decimal comma into one cell; a factory must not wait for it."""
    lines = "P,C,a,1\nP,C,b,1,5\nP,C,c,3\nP,C\n,,\nP,C,d,4\n"

    with pytest.raises(CloudError) as caught:
        plant.store("pieces.csv", f"{HEADER}{lines}{end}")
    plant.store("pieces.csv", f"{HEADER}P,C,a,1\nP,C,b,2\n")

    assert plant.lengths() == {"a": 1, "b": 2, "c": 3, "d": 4} | ({"e": 5} if end else {})
    message = caught.value.failure.message
    assert f"2 of {6 if end else 5} rows are not in the service" in message
    assert "row 3: the line has 5 cells, the header has 4" in message
    assert 'put texts that contain "," in quotes' in message
    assert "row 5: the line has 2 cells" in message


def test_a_file_of_which_most_lines_are_ragged_is_refused(plant: Factory) -> None:
    """Then the header or the sign between the cells is wrong, and the rest means nothing."""
    with pytest.raises(CloudError) as caught:
        plant.store("pieces.csv", f"{HEADER}P,C,a,1\nP,C,b,1,5\nP,C,c,2,5\n")

    assert "2 of 3 lines have other numbers of cells" in caught.value.failure.message
    assert plant.lengths() == {}


def test_half_a_character_in_any_field_is_named(plant: Factory) -> None:
    """JSON can hold it, and no request can."""
    rows = [
        f'{{"project": "P", "component": "C", "part": "{part}", "length": 1, "note": "{note}"}}'
        for part, note in (("a", "\\ud800"), ("b", "good"))
    ]
    columns = {"piece_id": "part", "outer_length": "length", "barcode": "note"}
    target = plant.connection(pieces=plant.mapping("pieces", columns=columns))

    with pytest.raises(CloudError) as caught:
        plant.store("pieces.ndjson", "\n".join(rows), target)

    assert "row 1, column note: it holds a broken character" in caught.value.failure.message
    assert plant.lengths() == {"b": 1}
