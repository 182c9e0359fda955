# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""How the records of export files stand: the same numbers on the page, in JSON and in metrics."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from twinsyncd.core.decision import Decision
from twinsyncd.core.events import Event, EventKind
from twinsyncd.core.model import FileKey
from twinsyncd.runtime.conditions import Kind, conditions_of

from .page_scene import BRIDGE, CAD, NOW_S, Office, open_office
from .test_programs import scraped

CURRENT = "a" * 64
WRONG = {"row": 4, "column": "Length", "message": '"long" is not a number', "fix": "write 12.5"}
SENT = {"rows": 5000, "acknowledged": 2999, "rejected": 1, "batches": 5, "done": 3}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """An office of which each of 42 files is in sync, as far as files go."""
    with open_office(tmp_path / "office") as office:
        yield office


def deliver(office: Office, number: int, digest: str, **delivery: Any) -> FileKey:
    """Note a delivery of one of the files; return its key."""
    key, own = FileKey(CAD, f"plan/sheet-{number:02}.dgn"), {"digest": digest, "at_s": NOW_S}
    office.journal.bulk_files().note_delivery(BRIDGE, key, "pieces", own | delivery)
    return key


def records(office: Office) -> dict[str, Any]:
    """Return the connection's records as programs get them."""
    document = office.browser.get("/api/status").json()
    jsonschema.validate(document, office.browser.get("/api/status/schema").json())
    return next(each["records"] for each in document["connections"] if each["name"] == BRIDGE)


def test_records_on_the_drive_are_counted_by_what_became_of_them(office: Office) -> None:
    """A file that is set aside for one row says nothing of the other 4,999."""
    deliver(office, 1, CURRENT, **SENT, rejected_rows=[WRONG])
    deliver(office, 2, CURRENT, rows=7, acknowledged=7, batches=1, done=1)

    found = records(office)
    metrics = scraped(office)

    names = ("on_drive", "acknowledged", "rejected", "waiting", "batches", "batches_done")
    assert [found[name] for name in names] == [5007, 3006, 1, 2000, 5, 3]
    assert [metrics["twinsyncd_records", BRIDGE, name] for name in names[:4]] == [
        5007,
        3006,
        1,
        2000,
    ]
    assert metrics["twinsyncd_record_batches", BRIDGE, "done"] == 3
    assert found["state"]["level"] == "bad"
    assert "; 3 of 5 batches sent" in found["state"]["text"]
    first = found["files"][0]
    assert (first["path"], first["rejected_rows"][0]["row"]) == ("plan/sheet-01.dgn", 4)


def test_a_delivery_of_an_earlier_content_is_not_counted(office: Office) -> None:
    """What was acknowledged of yesterday's export proves nothing of today's."""
    deliver(office, 1, "b" * 64, rows=9, acknowledged=9)

    found = records(office)

    assert (found["on_drive"], found["acknowledged"]) == (0, 0)
    assert found["files"][0]["is_current"] is False
    assert found["files_not_counted"] == 40
    assert found["state"]["level"] == "waits"


@pytest.mark.parametrize("is_bulk", [True, False])
def test_what_differs_is_nobodys_doing_where_nothing_is_read_back(
    office: Office, is_bulk: bool
) -> None:
    """Another export came, and that was shown as what others had done in the cloud."""
    text = "records of other files came, changed or went, so its rows are compared again"
    event = Event(EventKind.FILE_DIFFERS, NOW_S, BRIDGE, CAD, "plan/sheet-01.dgn", text=text)
    office.journal.commit(Decision(events=(event,)))
    if is_bulk:
        deliver(office, 1, CURRENT, **SENT)

    kinds = [each.kind for each in conditions_of(office.report(), NOW_S)]

    assert (Kind.DIFFERED in kinds) is not is_bulk


def test_the_page_names_each_rejected_row(office: Office) -> None:
    """Whoever corrects the export sees the cell without opening a terminal."""
    key = deliver(office, 1, CURRENT, **SENT, rejected_rows=[WRONG])

    overview = office.browser.get("/").text
    page = office.browser.get("/file", params={"source": key.source, "path": key.path}).text

    assert "2,999 of 5,000 pieces in the service, 1 rejected, 3 of 5 batches sent" in overview
    assert "row 4, column Length: &#34;long&#34; is not a number" in page


def test_a_connection_without_records_says_nothing_of_them(office: Office) -> None:
    """Drawings have no records; a row of zeros would puzzle everybody."""
    assert records(office) is None
    assert not [name for name, *_ in scraped(office) if name.startswith("twinsyncd_record")]
