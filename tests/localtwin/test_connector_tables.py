"""Tables: rows are elements that keep their identity, whoever wrote the file and in which order."""

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl
import pytest
import xlsxwriter
import xlwt
from hypothesis import given, settings
from hypothesis import strategies as st
from imodel_scene import Scene, source

from localtwin.connectors.registry import connector_for
from localtwin.connectors.source import ConnectorError, Partition, SourceElement

Row: TypeAlias = Sequence[Any]
HEADER = ("Tag", "Service", "Flow", "Size")
PUMPS = (("P-1", "cooling", 12.5, 100), ("P-2", "feed", 8, 80), ("P-3", "feed", 9.25, 80))


def as_xlsx(file: Path, rows: Sequence[Row], sheet: str = "Pumps") -> Path:
    book = xlsxwriter.Workbook(file)
    page = book.add_worksheet(sheet)
    for number, row in enumerate(rows):
        page.write_row(number, 0, row)
    book.close()
    return file


def as_xlsx_of_another_writer(file: Path, rows: Sequence[Row], sheet: str = "Pumps") -> Path:
    book = openpyxl.Workbook()
    page = book.worksheets[0]
    page.title = sheet
    for row in rows:
        page.append(list(row))
    book.save(file)
    return file


def as_xls(file: Path, rows: Sequence[Row], sheet: str = "Pumps") -> Path:
    book = xlwt.Workbook()
    page = book.add_sheet(sheet)
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            page.write(number, column, value)
    book.save(str(file))
    return file


def as_csv(file: Path, rows: Sequence[Row]) -> Path:
    with file.open("w", encoding="utf-8", newline="") as lines:
        csv.writer(lines).writerows(rows)
    return file


def as_json(file: Path, rows: Sequence[Row]) -> Path:
    header, *data = rows
    file.write_text(json.dumps([dict(zip(header, row, strict=True)) for row in data]), "utf-8")
    return file


WRITERS: dict[str, Callable[[Path, Sequence[Row]], Path]] = {
    "list.xlsx": as_xlsx,
    "list.xls": as_xls,
    "list.csv": as_csv,
    "list.json": as_json,
}
TYPES = {"xlsx": "PSEXCEL", "xls": "PSEXCEL", "csv": "PSEXCEL", "json": "INTELLIPID"}


def read(file: Path) -> dict[str, SourceElement]:
    connector = connector_for(TYPES[file.suffix[1:]], file.name)
    return {
        each.identifier: each for each in connector.read(file) if isinstance(each, SourceElement)
    }


def rows_of(file: Path) -> list[dict[str, Any]]:
    found = read(file).values()
    return [dict(each.properties or {}) for each in found if each.parent is not None]


def refusal(file: Path) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        read(file)
    return caught.value


@pytest.mark.parametrize("name", WRITERS)
def test_rows_are_typed_elements_below_their_sheet(tmp_path: Path, name: str) -> None:
    """The same list must mean the same in every format that holds it."""
    found = read(WRITERS[name](tmp_path / name, [HEADER, *PUMPS]))

    sheet, *rows = found.values()
    assert [dict(row.properties or {}) for row in rows] == [
        dict(zip(HEADER, row, strict=True)) for row in PUMPS
    ]
    assert [row.code for row in rows] == ["P-1", "P-2", "P-3"]
    assert [row.label for row in rows] == ["cooling", "feed", "feed"]
    assert {row.parent for row in rows} == {sheet.identifier}
    assert {row.partition for row in rows} == {Partition.INFORMATION}
    assert (sheet.properties or {})["columns"] == sorted(HEADER)


@pytest.mark.parametrize("name", WRITERS)
@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    order=st.permutations(range(8)),
    gone=st.sets(st.integers(0, 7), max_size=3),
    edited=st.sets(st.integers(0, 7), max_size=3),
    added=st.integers(0, 3),
)
def test_generated_edits_are_counted_exactly(
    name: str, order: list[int], gone: set[int], edited: set[int], added: int
) -> None:
    """Sorted and inserted rows are no modifications; all others are reported one by one."""
    old = [(f"P-{n}", f"service {n}", n + 0.5, n) for n in range(8)]
    new = [
        (tag, "edited" if n in edited else service, flow, size)
        for n, (tag, service, flow, size) in ((n, old[n]) for n in order)
        if n not in gone
    ]
    new[:0] = [(f"N-{n}", "new", 1, 2) for n in range(added)]
    with TemporaryDirectory() as folder, TemporaryDirectory() as other:
        scene, fresh, file = Scene(Path(folder)), Scene(Path(other)), Path(folder) / name
        as_type = TYPES[file.suffix[1:]]
        scene.run(source(WRITERS[name](file, [HEADER, *old]), as_type=as_type))
        WRITERS[name](file, [HEADER, *new])

        report = scene.run(source(file, as_type=as_type))
        fresh.run(source(file, as_type=as_type))

        counted = report.sources[0]
        assert (counted.inserted, counted.updated, counted.deleted) == (
            added,
            len(edited - gone),
            len(gone),
        )
        held = "SELECT Identifier, Checksum FROM bis_ExternalSourceAspect ORDER BY 1"
        assert scene.rows(held) == fresh.rows(held)
        assert bool(report.changesets) == bool(added or gone or edited - gone)


def test_noise_and_empty_columns_of_another_writer_make_no_changeset(tmp_path: Path) -> None:
    """Excel writes 17 digits, others 16; and some write the empty cells before a table."""
    scene, file = Scene(tmp_path), tmp_path / "list.xlsx"
    rows = [("", "", n, 1.0413926851582251 * n) for n in range(1, 9)]
    scene.run(source(as_xlsx(file, rows), as_type="PSEXCEL"))
    seen = rows_of(file)
    other = [(None, None, n, float(f"{value:.16g}")) for _, _, n, value in rows]
    as_xlsx_of_another_writer(file, other)

    report = scene.run(source(file, as_type="PSEXCEL"))

    assert seen[0] == {"Column C": 1, "Column D": 1.041392685158}
    assert report.changesets == ()


def test_a_value_before_a_table_without_header_renames_no_column(tmp_path: Path) -> None:
    """The letters of columns are those that people see, wherever the first value is."""
    rows = [(None, n, n + 0.5) for n in range(4)]
    before = rows_of(as_xlsx_of_another_writer(tmp_path / "a.xlsx", rows))
    after = rows_of(as_xlsx_of_another_writer(tmp_path / "b.xlsx", [(7, *rows[0][1:]), *rows[1:]]))

    assert before[0] == {"Column B": 0, "Column C": 0.5}
    assert after == [{"Column A": 7, **before[0]}, *before[1:]]


def test_separators_within_quoted_texts_separate_nothing(tmp_path: Path) -> None:
    """A separator that would make the file invalid is none, however even its rows are."""
    file = tmp_path / "list.csv"
    file.write_text('"Tag","\tNote"\n"a","\tx"\n"b","\ty","z"\n"c","\tz","z"\n', "utf-8")

    assert [row["Tag"] for row in rows_of(file)] == ["a", "b", "c"]


def test_a_workbook_of_another_writer_makes_no_changeset(tmp_path: Path) -> None:
    """Programs write the same cells in different XML; only what they mean counts."""
    scene, file = Scene(tmp_path), tmp_path / "list.xlsx"
    scene.run(source(as_xlsx(file, [HEADER, *PUMPS]), as_type="PSEXCEL"))
    as_xlsx_of_another_writer(file, [HEADER, *PUMPS])

    report = scene.run(source(file, as_type="PSEXCEL"))

    assert report.changesets == ()
    assert report.sources[0].result == "Success"


@pytest.mark.parametrize("name", WRITERS)
def test_columns_in_another_order_make_no_changeset(tmp_path: Path, name: str) -> None:
    """Who drags a column elsewhere looks at the table otherwise; no row says anything else."""
    scene, file = Scene(tmp_path), tmp_path / name
    header = (*HEADER, "Name", "name", "Id (key)", "Ref (key)")
    rows = [header, *((*row, "pump", "Pump", f"a{n}", f"b{n}") for n, row in enumerate(PUMPS))]
    as_type = TYPES[file.suffix[1:]]
    scene.run(source(WRITERS[name](file, rows), as_type=as_type))
    WRITERS[name](file, [row[::-1] for row in rows])

    report = scene.run(source(file, as_type=as_type))

    assert report.changesets == ()


@pytest.mark.parametrize(
    "content",
    [
        "Tag;Flow;Note\r\nP-1;12,50;ä\r\n".encode("cp1252"),
        "Tag;Flow;Note\nP-1;12.5;ä\n".encode(),
        b"\xef\xbb\xbf" + 'sep=|\nTag|Flow|Note\n"P-1"|"12.50"|ä\n'.encode(),
        "Tag\tFlow\tNote\r\nP-1\t12.5\tä\r\n".encode("utf-16"),
        "Note,Tag,Flow\nä,P-1,12.5\n".encode(),
    ],
    ids=["german Excel", "UTF-8", "sep line", "UTF-16", "other order of columns"],
)
def test_encodings_and_separators_of_csv_mean_the_same(tmp_path: Path, content: bytes) -> None:
    """A list saved again on another desk must not change all its rows."""
    file = tmp_path / "list.csv"
    file.write_bytes(content)

    (row,) = (each for each in read(file).values() if each.parent)

    assert row.identifier == "Rows/P-1"
    assert row.properties == {"Tag": "P-1", "Flow": 12.5, "Note": "ä"}


def test_numbers_of_json_are_compared_by_value(tmp_path: Path) -> None:
    """Python writes 2.0 where JavaScript writes 2, and one saves what the other wrote."""
    file = tmp_path / "a.json"
    file.write_text('{"rate": 1.0, "pumps": [{"id": 7.0, "flow": 1e3, "at": {"z": [-0.0, 0.5]}}]}')
    before = {key: each.checksum() for key, each in read(file).items()}

    file.write_text('{"rate": 1, "pumps": [{"id": 7, "flow": 1000, "at": {"z": [0, 0.50]}}]}')

    assert {key: each.checksum() for key, each in read(file).items()} == before
    assert "pumps/7" in before


def test_json_in_utf_16_means_the_same(tmp_path: Path) -> None:
    """PowerShell writes it so where its output is sent to a file."""
    file, text = tmp_path / "a.json", '[{"id": 12345678901234567890, "name": "Größe"}]'
    file.write_text(text, "utf-8")
    before = read(file)

    file.write_text(text, "utf-16")

    assert read(file) == before
    assert (before["Rows/12345678901234567890"].properties or {})["name"] == "Größe"


def test_what_a_number_would_lose_stays_text(tmp_path: Path) -> None:
    """An item code that becomes a number is another item."""
    file = tmp_path / "list.csv"
    file.write_text("Item ID,A,B,C\n007,1E5,12345678901234567890,true\n", "utf-8")

    assert rows_of(file) == [{"Item ID": "007", "A": "1E5", "B": "12345678901234567890", "C": True}]


def test_rows_without_a_key_are_their_content(tmp_path: Path) -> None:
    """A row's position must not identify it: one row inserted at the top would change them all."""
    before = read(as_csv(tmp_path / "a.csv", [("Colour", "Size"), ("red", 1), ("blue", 2)]))
    after = read(
        as_csv(tmp_path / "b.csv", [("Colour", "Size"), ("grey", 3), ("blue", 2), ("red", 1)])
    )

    assert before.keys() < after.keys()
    assert len(after.keys() - before.keys()) == 1


def test_numbers_that_count_the_rows_are_no_identity(tmp_path: Path) -> None:
    """They are given anew with each inserted row, and every row below would look modified."""
    file = as_csv(tmp_path / "a.csv", [("Number", "Colour"), (1, "red"), (2, "blue")])

    connector = connector_for("PSEXCEL", file.name)
    rows = [each for each in connector.read(file) if isinstance(each, SourceElement)][1:]

    assert [row.code for row in rows] == ["", ""]
    assert any("no column identifies them" in each for each in connector.remarks())


def test_a_repeated_key_changes_the_identity_of_no_other_row(tmp_path: Path) -> None:
    """People copy a row and forget the tag; the other rows must stay what they are."""
    before = read(as_csv(tmp_path / "a.csv", [HEADER, *PUMPS]))
    copied = (PUMPS[0][0], "copied", 1, 1)
    after = read(as_csv(tmp_path / "b.csv", [HEADER, copied, *PUMPS]))

    kept = {"sheet Rows", "Rows/P-2", "Rows/P-3"}
    assert before.keys() & after.keys() == kept
    assert len(after.keys() - kept) == 2
    assert all(identifier.startswith("Rows/P-1 ") for identifier in after.keys() - kept)


def test_a_column_can_be_marked_as_the_key(tmp_path: Path) -> None:
    """No list of names knows every office's own."""
    rows = [("Id", "Loop (key)"), (1, "FIC-7"), (2, "FIC-8")]

    found = read(as_csv(tmp_path / "a.csv", rows))

    assert {"Rows/FIC-7", "Rows/FIC-8"} < found.keys()


def test_a_title_above_the_header_is_kept_with_the_sheet(tmp_path: Path) -> None:
    """Lists made for people begin with a title, which is no row and no header."""
    rows = [("Pump list", None, None, None), ("Rev. 3",), HEADER, *PUMPS]

    found = read(as_xlsx(tmp_path / "list.xlsx", rows))

    assert (found["sheet Pumps"].properties or {})["heading"] == ["Pump list", "Rev. 3"]
    assert "Pumps/P-3" in found


def test_every_list_in_a_json_file_is_a_table(tmp_path: Path) -> None:
    """Exports wrap their lists in an object that says where they come from."""
    file = tmp_path / "export.json"
    content = {
        "project": "North",
        "data": {"pumps": [{"id": 1, "at": {"x": 1.0}}, {"id": 2, "none": None}], "pump": "no"},
        "valves": [{"tag": "V-1", "open": True}],
    }
    file.write_text(json.dumps(content), "utf-8-sig")

    found = read(file)

    assert (found["data.pumps/1"].properties or {}) == {"id": 1, "at": {"x": 1.0}}
    assert (found["data.pumps/2"].properties or {}) == {"id": 2}
    assert (found["valves/V-1"].properties or {}) == {"tag": "V-1", "open": True}
    assert (found["sheet data.pumps"].properties or {})["project"] == "North"


@pytest.mark.parametrize(
    ("name", "content", "code", "words"),
    [
        ("a.csv", b"", "FileEmpty", "empty"),
        ("a.csv", b"PK\x03\x04\x14\x00", "FileTypeMismatch", "ZIP"),
        ("a.csv", b'Tag,Note\nP-1,"open\nP-2,x\n', "FileIncomplete", "Line 3"),
        ("a.json", b'[{"id": 1}, {"id"', "FileIncomplete", "not valid JSON"),
        ("a.csv", b"<html><body>Sign in</body></html>", "FileTypeMismatch", "a web page"),
        ("a.json", b"[" * 300 + b"]" * 300, "FileUnreadable", "200 levels"),
        ("a.json", b"\xff\xfe[", "FileUnreadable", "not valid JSON"),
        ("a.json", b"Tag;Flow", "FileUnreadable", "not valid JSON"),
        ("a.xlsx", b"%PDF-1.7", "FileTypeMismatch", "PDF"),
        ("a.xlsx", b"PK\x03\x04 and no more", "FileIncomplete", "incomplete"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and no more", "FileIncomplete", "damaged"),
    ],
)
def test_what_is_no_table_is_refused_by_its_reason(
    tmp_path: Path, name: str, content: bytes, code: str, words: str
) -> None:
    """The owner of the file must be able to mend it without asking anybody."""
    (tmp_path / name).write_bytes(content)

    error = refusal(tmp_path / name)

    assert words in error.message
    assert error.code == code
    assert error.can_user_fix


def test_a_cell_in_a_far_corner_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    """The library keeps the rectangle around all cells, here seventeen thousand million."""
    book = openpyxl.Workbook()
    book.worksheets[0].cell(1, 1, "Tag")
    book.worksheets[0].cell(1_048_576, 16_384, 1)
    book.save(tmp_path / "far.xlsx")

    error = refusal(tmp_path / "far.xlsx")

    assert error.code == "FileTooLarge"
    assert "1,048,576" in error.message


def test_an_archive_that_explodes_is_refused(tmp_path: Path) -> None:
    """A few kilobytes must not cost the machine its memory."""
    file = tmp_path / "bomb.xlsx"
    with (
        ZipFile(file, "w", ZIP_DEFLATED) as archive,
        archive.open("xl/worksheets/sheet1.xml", "w") as entry,
    ):
        for _ in range(110):
            entry.write(bytes(1 << 20))

    assert refusal(file).code == "FileTooLarge"


def test_a_workbook_that_states_more_than_it_has_is_refused(tmp_path: Path) -> None:
    """The library reserves what is stated, and memory that is not there ends the whole worker."""
    file = as_xls(tmp_path / "list.xls", [HEADER, *PUMPS])
    data = bytearray(file.read_bytes())
    at = data.index("Workbook".encode("utf-16-le"))
    data[at + 120 : at + 124] = (0x7FFFFFF0).to_bytes(4, "little")
    file.write_bytes(data)

    assert refusal(file).code == "FileIncomplete"


def test_a_cell_in_a_column_that_xls_does_not_have_is_refused(tmp_path: Path) -> None:
    """One damaged byte must not cost 22 GB."""
    file = as_xls(tmp_path / "list.xls", [HEADER, *PUMPS])
    data = bytearray(file.read_bytes())
    cell = data.index(b"\xfd\x00\x0a\x00")  # the first cell with a text: row, then column
    data[cell + 7] = 60
    file.write_bytes(data)

    error = refusal(file)

    assert error.code == "FileIncomplete"
    assert "no column" in error.message


def test_an_old_workbook_behind_a_password_says_so(tmp_path: Path) -> None:
    """All after the record of the password is noise, which must not be called damage."""
    file = as_xls(tmp_path / "list.xls", [HEADER, *PUMPS])
    data = bytearray(file.read_bytes())
    at = data.index(b"\x42\x00\x02\x00")  # the record of the code page, in which texts begin
    data[at : at + 2] = (0x2F).to_bytes(2, "little")
    file.write_bytes(data)

    assert refusal(file).code == "FileEncrypted"


def test_a_whole_number_beyond_64_bits_is_kept(tmp_path: Path) -> None:
    """Such numbers are valid JSON; some programs write their handles so."""
    file = tmp_path / "list.json"
    file.write_text('[{"id": "P1", "handle": 123456789012345678901234567890}]')

    (row,) = [each for each in read(file).values() if each.code == "P1"]

    assert (row.properties or {})["handle"] == 123456789012345678901234567890


def test_a_workbook_behind_a_password_says_so(tmp_path: Path) -> None:
    """Excel packs such a workbook into a container that has nothing of a table in it."""
    data = bytearray(as_xls(tmp_path / "list.xls", [HEADER, *PUMPS]).read_bytes())
    at = data.index("Workbook".encode("utf-16-le"))
    name = "EncryptedPackage".encode("utf-16-le")
    data[at : at + 64] = name.ljust(64, b"\x00")
    data[at + 64] = len(name) + 2
    (tmp_path / "list.xlsx").write_bytes(data)

    error = refusal(tmp_path / "list.xlsx")

    assert error.code == "FileEncrypted"
    assert "without the password" in error.description
