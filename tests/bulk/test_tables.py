"""Export files as tables: quick and exact reading agree, and digests differ where rows do."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinsyncd.targets.bulk.batches import ArrowBatch, Batch, RowBatch
from twinsyncd.targets.bulk.tables import BadTableError, Table

_SALT = b"0123456789abcdef"
_CELL = st.text(st.sampled_from('ab1 ä\0\1;,"\n'), max_size=4)
_ROW = st.tuples(_CELL, _CELL)


def _split(batch: Batch) -> list[bytes]:
    digests = batch.digests(_SALT)
    return [digests[first : first + 8] for first in range(0, len(digests), 8)]


def _csv(rows: list[tuple[str, ...]], **how: object) -> str:
    text = io.StringIO()
    csv.writer(text, **how).writerows([("one", "two"), *rows])  # type: ignore[arg-type]
    return text.getvalue()


@given(st.lists(_ROW, max_size=8), st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans())
def test_every_csv_file_gives_its_rows_and_their_lines(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, str]],
    end: str,
    quoted: bool,
    whole: bool,
) -> None:
    """Whichever reader is used, a row is what was written, and its number is that of its line."""
    rows = [(one.replace("\0", ""), two.replace("\0", "")) for one, two in rows]
    quoting = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    text = _csv(list(rows), lineterminator=end, quoting=quoting)
    file = tmp_path_factory.mktemp("csv") / "x.csv"
    file.write_bytes(text.removesuffix("" if whole else end).encode())

    read = list(Table(file, ".csv", ("one", "two")).rows())

    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    expected = [(reader.line_num, tuple(row)) for row in reader if row][1:]
    assert expected == read


@given(st.lists(_ROW, min_size=1, max_size=6))
def test_digests_are_equal_exactly_where_rows_are(rows: list[tuple[str, str]]) -> None:
    """An unseen change is never delivered; and both kinds of batches must agree on texts."""
    columns = [pa.array(list(column), pa.string()) for column in zip(*rows, strict=True)]

    by_arrow = _split(ArrowBatch(columns, 1))
    by_rows = _split(RowBatch(list(enumerate(rows))))

    assert by_arrow == by_rows
    assert len(set(by_rows)) == len(set(rows))


def test_values_of_another_kind_have_another_digest() -> None:
    """A text 7 and a number 7 make different records where the field is not known."""
    columns: list[pa.Array] = [
        pa.array(["7"]),
        pa.array([7]),
        pa.array([7.5]),
        pa.array([True]),
        pa.array([None], pa.string()),
        pa.array([0], pa.timestamp("s")),
    ]

    by_arrow = [_split(ArrowBatch([column], 1))[0] for column in columns]
    by_rows = [_split(RowBatch([(1, (cell,))]))[0] for cell in ("7", 7, 7.5, True, None)]

    assert len(set(by_arrow)) == len(columns)
    assert len(set(by_rows)) == 5
    assert by_arrow[0] == by_rows[0]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"one,two\n1,2,3\n", "the header, which has 2 (line 2 has 3)"),
        (b'one,two\n"1,2\n', "line 2: unexpected end of data; look for a missing quote"),
        (b'one,two\n"1"x,2\n', "line 2: ',' expected after '\"'"),
        (b"one,one,two\n1,2,3\n", '2 columns are called "one" (columns 1, 2); rename those'),
        (b"", "it is empty; the first line must name the columns"),
        (b"one,two\na,b\nM\xfcller,1\n", 'it is not UTF-8 text: line 3 after "M"; fix'),
        (b"PK\x03\x04x", "it is a workbook (.xlsx), not text; give it the ending of what it is"),
    ],
)
def test_what_is_wrong_with_a_csv_file_is_named(tmp_path: Path, raw: bytes, text: str) -> None:
    """With the line, and with what to do."""
    file = tmp_path / "x.csv"
    file.write_bytes(raw)

    with pytest.raises(BadTableError) as caught:
        list(Table(file, ".csv", ("one", "two")).rows())

    assert text.removesuffix("; fix") in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "encoding"),
    [
        ("\ufeffone;two\nMüller;1\n".encode(), "utf-8"),
        ("one;two\r\nMüller;1\r\n".encode("cp1252"), "cp1252"),
        ("\ufeffone\ttwo\r\nMüller\t1\r\n".encode("utf-16-le"), "utf-8"),
        ("one|two\nMüller|1".encode("utf-16-be"), "utf-8"),
        ("\n\none,two\n\nMüller,1\n\n".encode(), "utf-8"),
    ],
)
def test_text_of_any_encoding_is_read(tmp_path: Path, raw: bytes, encoding: str) -> None:
    """Excel writes UTF-16 and cp1252 as readily as UTF-8."""
    file = tmp_path / "x.csv"
    file.write_bytes(raw)

    rows = list(Table(file, ".csv", ("one", "two"), encoding=encoding).rows())

    assert [cells for _, cells in rows] == [("Müller", "1")]


def test_a_json_export_without_a_wanted_member_is_refused(tmp_path: Path) -> None:
    """A renamed member would silently empty a field of every record."""
    file = tmp_path / "x.ndjson"
    file.write_text('{"one": 1, "tow": 2}\n{"one": 3, "tow": 4}\n')

    with pytest.raises(BadTableError, match='no column "two"; did you mean "tow"'):
        list(Table(file, ".ndjson", ("one", "two")).rows())
