"""Export files delivered to a real bulk API: only changes, checked first, nothing lost."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bulk_scene import Factory, factory, table
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localtwin.faults import parse
from twinsyncd.core.model import Fault
from twinsyncd.errors import CloudError
from twinsyncd.journal.location import JournalLocation


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Factory]:
    """A factory with project P and component C."""
    with factory(tmp_path) as made:
        yield made.with_parents()


def test_only_changed_rows_are_sent(plant: Factory) -> None:
    """An export is written whole every hour; sending all of it loads the service for nothing."""
    plant.store("pieces.csv", table(a=1, b=2, c=3))
    plant.requests.clear()

    plant.store("pieces.csv", table(a=1, b=2.5, c=3, d=4))

    sent = [json.loads(request.content)["pieces"] for request in plant.requests]
    assert [[piece["piece_id"] for piece in some] for some in sent] == [["b", "d"]]
    assert plant.lengths() == {"a": 1, "b": 2.5, "c": 3, "d": 4}


def test_a_journal_in_every_database_knows_what_changed(
    tmp_path: Path, where: JournalLocation
) -> None:
    """Two machines that share a journal deliver exports, too; databases differ in what they do."""
    with factory(tmp_path, where) as plant:
        plant.with_parents()
        plant.store("pieces.csv", table(a=1, b=2, c=3))
        plant.store("pieces.csv", table(a=1, b=2.5, c=3))
        plant.requests.clear()
        plant.store("pieces.csv", table(a=1, b=2.5, c=3.5))
        plant.store("pieces.csv", table(c=3.5, a=1, b=2.5))
        sent = [json.loads(request.content)["pieces"] for request in plant.requests]
        plant.store("projects.csv", "project\nP\nQ\n", plant.connection(snapshot=True))
        projects = plant.world.bulk_records.every(plant.company, "projects")

        assert [[piece["piece_id"] for piece in some] for some in sent] == [["c"]]
        assert plant.lengths() == {"a": 1, "b": 2.5, "c": 3.5}
        assert {project["code"] for project in projects} == {"P", "Q"}


def test_equal_rows_send_nothing(plant: Factory) -> None:
    """Also after a restart, and whatever the order of the rows."""
    plant.store("pieces.csv", table(a=1, b=2))
    plant.requests.clear()

    plant.store("pieces.csv", table(b=2, a=1))

    assert plant.requests == []


def test_many_rows_go_in_batches_of_a_thousand(plant: Factory) -> None:
    """The service refuses more; few requests is what makes a large export quick."""
    plant.store("pieces.csv", table(**{f"p{number}": number for number in range(2500)}))

    sizes = [len(json.loads(request.content)["pieces"]) for request in plant.requests]
    assert sizes == [1000, 1000, 500]
    assert len(plant.lengths()) == 2500


def test_a_wrong_cell_is_named_and_the_other_rows_go_in(plant: Factory) -> None:
    """One typing mistake must not keep a factory's other pieces waiting."""
    with pytest.raises(CloudError) as caught:
        plant.store("pieces.csv", table(a=1, b="long", c=3))

    assert caught.value.failure.fault is Fault.REFUSED
    text = caught.value.failure.message
    assert 'row 3, column length: "long" is not a number (fix: write it like 12.5)' in text
    assert plant.lengths() == {"a": 1, "c": 3}


def test_a_corrected_row_is_all_that_is_sent_next(plant: Factory) -> None:
    """Rejected rows stay pending, accepted ones are done."""
    with pytest.raises(CloudError):
        plant.store("pieces.csv", table(a=1, b="long"))
    plant.requests.clear()

    plant.store("pieces.csv", table(a=1, b=2))

    assert len(plant.requests) == 1
    assert plant.lengths() == {"a": 1, "b": 2}


def test_the_services_objection_is_mapped_to_row_and_column(plant: Factory) -> None:
    """The service counts within a request; a person looks at the file."""
    mapping = plant.mapping(
        "pieces", columns={"piece_id": "part", "outer_length": "length", "barcode": "bar"}
    )
    rows = [
        {"project": "P", "component": "C", "part": name, "length": 1, "bar": bar}
        for name, bar in (("a", "x"), ("c", "y"))
    ]
    plant.http.event_hooks["request"].append(_break_barcode)

    with pytest.raises(CloudError) as caught:
        plant.store("pieces.json", json.dumps(rows), plant.connection(pieces=mapping))

    assert "row 2, column bar: the service: Input should be a valid string" in str(caught.value)
    assert set(plant.lengths()) == {"a"}


def _break_barcode(request: object) -> None:
    """Let the service receive a list where piece c has its barcode."""
    assert isinstance(request, httpx.Request)
    body = request.read().replace(b'"barcode": "y"', b'"barcode": [1]')
    request.stream = httpx.ByteStream(body)
    request.headers["content-length"] = str(len(body))


def test_two_rows_with_one_identity_are_both_rejected(plant: Factory) -> None:
    """Which of them is meant is not known, and the service would refuse the whole request."""
    data = table(a=1, b=2) + "P,C,a,9\n"

    with pytest.raises(CloudError) as caught:
        plant.store("pieces.csv", data)

    assert "row 2, column project + part: row 4 has the same identity" in str(caught.value)
    assert plant.lengths() == {"b": 2}


def test_a_missing_column_sends_nothing_and_names_the_nearest(plant: Factory) -> None:
    """A renamed column is the commonest change of an export."""
    with pytest.raises(CloudError) as caught:
        plant.store("pieces.csv", table(a=1).replace("length", "lenght"))

    assert 'there is no column "length"; did you mean "lenght"?; nothing was sent' in str(
        caught.value
    )
    assert plant.requests == []


def test_pieces_wait_for_their_parents(tmp_path: Path) -> None:
    """A piece that comes first is sent once, and once more when its parents came."""
    with factory(tmp_path) as plant:
        with pytest.raises(CloudError) as caught:
            plant.store("pieces.csv", table(a=1))
        assert caught.value.failure.fault is Fault.REFUSED
        plant.with_parents()

        plant.store("pieces.csv", table(a=1))

        assert plant.lengths() == {"a": 1}


def test_a_file_of_parents_that_begins_a_moment_later_goes_first(tmp_path: Path) -> None:
    """An office exports all kinds together; which file begins first is chance."""
    with factory(tmp_path) as plant, ThreadPoolExecutor(1) as other:
        target, begun = plant.connection(grace_s=60.0), Event()
        components = ("components.csv", "project,component\nP,C\n", target)
        later = other.submit(plant.store, *components, note=lambda _: begun.set())
        begun.wait()

        plant.store("projects.csv", "project\nP\n", target)

        assert later.result().text.endswith("1 inserted, 0 updated in 1 request")
        paths = [request.url.path.rpartition("/")[2] for request in plant.requests]
        assert paths == ["projects", "components"]


def test_a_withdrawn_key_stops_everything_with_words(plant: Factory) -> None:
    """No file is to blame, so none is set aside."""
    plant.world.faults.add(parse("signed-out@/api x1"))

    with pytest.raises(CloudError) as caught:
        plant.store("pieces.csv", table(a=1))

    assert caught.value.failure.fault is Fault.UNAUTHORISED
    assert "api_key_file" in caught.value.failure.message


def test_an_outage_repeats_one_batch_at_most(plant: Factory) -> None:
    """What a batch brought is durable before the next is sent."""
    data = table(**{f"p{number}": number for number in range(3000)})
    plant.http.event_hooks["request"].append(_fail_from_third(plant))

    with pytest.raises(CloudError):
        plant.store("pieces.csv", data)
    plant.world.faults.clear()
    plant.http.event_hooks["request"] = [plant.requests.append]
    plant.requests.clear()
    plant.store("pieces.csv", data)

    assert len(plant.requests) == 1
    assert len(plant.lengths()) == 3000


def _fail_from_third(plant: Factory) -> Callable[[object], None]:
    seen: list[object] = []

    def count(request: object) -> None:
        seen.append(request)
        if len(seen) == 3:
            plant.world.faults.add(parse("error=503@/api"))

    return count


@pytest.mark.parametrize(
    "fault", ["error=503@/api x1", "throttle=1@/api x1", "lost-answer@/api x1"]
)
def test_a_short_outage_is_overcome_at_once(plant: Factory, fault: str) -> None:
    """An upsert by GUID may be repeated; people need not hear of it."""
    plant.world.faults.add(parse(fault))

    plant.store("pieces.csv", table(a=1))

    assert plant.lengths() == {"a": 1}


_LENGTH = st.integers(0, 3)
_EXPORT = st.dictionaries(st.sampled_from("abcdef"), _LENGTH, min_size=1)
_FAULT = st.sampled_from(["", "error=503@/api x9", "lost-answer@/api x9", "signed-out@/api x1"])


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(_EXPORT, _FAULT), min_size=1, max_size=6))
def test_after_any_edits_and_faults_the_service_has_what_the_file_has(
    plant: Factory, history: list[tuple[dict[str, int], str]]
) -> None:
    """The promise of this target; what left the file stays, as an upsert deletes nothing."""
    for export, fault in history:
        if fault:
            plant.world.faults.add(parse(fault))
        with suppress(CloudError):
            plant.store("pieces.csv", table(**export))
        plant.world.faults.clear()

    last = history[-1][0]
    plant.store("pieces.csv", table(**last))

    assert {part: plant.lengths()[part] for part in last} == last
    plant.requests.clear()
    plant.store("pieces.csv", table(**last))
    assert plant.requests == []


def _xlsx(rows: list[list[object]]) -> bytes:
    """Return a workbook with an empty line above the header, as people like to have."""
    lines = []
    for number, row in enumerate(rows, 2):
        cells = "".join(
            f'<c t="inlineStr"><is><t>{cell}</t></is></c>'
            if isinstance(cell, str)
            else f"<c><v>{cell}</v></c>"
            for cell in row
        )
        lines.append(f'<row r="{number}">{cells}</row>')
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    packages = "http://schemas.openxmlformats.org/package/2006/relationships"
    sheet_type = f"{office}/worksheet"
    parts = {
        "[Content_Types].xml": (
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
        ),
        "_rels/.rels": f'<Relationships xmlns="{packages}"><Relationship Id="r1" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="Parts" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{packages}"><Relationship '
        f'Id="r1" Type="{sheet_type}" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>'
        f"{''.join(lines)}</sheetData></worksheet>",
    }
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return written.getvalue()


def _parquet(rows: list[list[object]]) -> bytes:
    written = io.BytesIO()
    names = [str(name) for name in rows[0]]
    columns = list(zip(*rows[1:], strict=True))
    pq.write_table(pa.table(dict(zip(names, columns, strict=True))), written)
    return written.getvalue()


def _objects(rows: list[list[object]]) -> list[str]:
    return [json.dumps(dict(zip(rows[0], row, strict=True))) for row in rows[1:]]


FORMATS = {
    "csv": lambda rows: "\n".join(";".join(map(str, row)) for row in rows).encode("utf-8-sig"),
    "ndjson": lambda rows: "\n".join(_objects(rows)).encode(),
    "json": lambda rows: f'{{"pieces": [{",".join(_objects(rows))}]}}'.encode(),
    "xlsx": _xlsx,
    "parquet": _parquet,
}
HEADER: list[object] = ["project", "component", "part", "length"]


@pytest.mark.parametrize("ending", FORMATS)
def test_every_format_brings_the_same_records(plant: Factory, ending: str) -> None:
    """The office exports what its program can; the factory must not notice."""
    rows = [HEADER, ["P", "C", "a", 1.5], ["P", "C", "b", 2.0]]

    plant.store(f"pieces.{ending}", FORMATS[ending](rows))
    plant.requests.clear()
    plant.store(f"pieces.{ending}", FORMATS[ending](rows))

    assert plant.lengths() == {"a": 1.5, "b": 2.0}
    assert plant.requests == []


@pytest.mark.parametrize(
    ("ending", "row"), [("csv", 3), ("ndjson", 2), ("json", 2), ("xlsx", 4), ("parquet", 2)]
)
def test_every_format_names_rows_as_its_program_does(plant: Factory, ending: str, row: int) -> None:
    """Whoever corrects a cell looks for it in Excel or in an editor."""
    rows = [HEADER, ["P", "C", "a", 1.5], ["P", "C", "", 2.5]]

    with pytest.raises(CloudError) as caught:
        plant.store(f"pieces.{ending}", FORMATS[ending](rows))

    where = 'sheet "Parts", ' if ending == "xlsx" else ""
    assert f": {where}row {row}, column project + part: it is empty" in str(caught.value)


@pytest.mark.parametrize("ending", ["json", "ndjson", "xlsx", "parquet"])
def test_a_damaged_file_sends_nothing_and_says_so(plant: Factory, ending: str) -> None:
    """Half an export must not look like a small one."""
    rows = [HEADER, ["P", "C", "a", 1.5], ["P", "C", "b", 2.5]]
    whole = FORMATS[ending](rows)

    with pytest.raises(CloudError) as caught:
        plant.store(f"pieces.{ending}", whole[: len(whole) - len(whole) // 4])

    assert caught.value.failure.fault is Fault.REFUSED
    assert "nothing was sent" in str(caught.value)
    assert plant.requests == []


@pytest.mark.parametrize(
    ("row", "others"), [("P,C,a,9", "row 2, column"), ("P,C,a,1", "row 2, column")]
)
def test_a_second_row_of_a_delivered_record_is_rejected(
    plant: Factory, row: str, others: str
) -> None:
    """The first row is unchanged, so nothing but its digest says that it is there."""
    plant.store("pieces.csv", table(a=1, b=2))
    plant.requests.clear()

    with pytest.raises(CloudError) as caught:
        plant.store("pieces.csv", table(a=1, b=3) + row + "\n")

    assert f"{others} project + part: row 4 has the same identity" in str(caught.value)
    assert plant.lengths() == {"a": 1, "b": 3}


def test_empty_rows_are_no_records(plant: Factory) -> None:
    """Spreadsheets write them below the table by the hundred."""
    plant.store("pieces.csv", table(a=1) + ",,,\n,,,\n")

    assert plant.lengths() == {"a": 1}
