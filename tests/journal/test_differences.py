# mypy: disable-error-code="arg-type"
# Keys and paths are written as plain text here.
"""What others did in the cloud is found in the events: the last day of it, by connection."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import event

from twinsyncd.core.decision import Decision
from twinsyncd.core.events import Event, EventKind
from twinsyncd.core.model import FileKey
from twinsyncd.journal.database import open_database
from twinsyncd.journal.differences import TOLD_S, Differences, read_differences
from twinsyncd.journal.writer import Journal

NOW_S = 1_700_000_000.0


def differs(at_s: float, path: str, text: str = "added again", connection: str = "one") -> Event:
    """Return the event of a file that a comparison found different."""
    source = f"{connection}/cad"
    return Event(EventKind.FILE_DIFFERS, at_s, connection, source, path, text=text)


def test_differences_are_counted_by_connection_and_file_over_a_day(tmp_path: Path) -> None:
    """One that is found twice is one file; what was found before that day is old."""
    events = (
        differs(NOW_S - TOLD_S - 1.0, "old.dgn"),
        differs(NOW_S - 60.0, "a.dgn"),
        differs(NOW_S - 30.0, "b.dgn", connection="two"),
        differs(NOW_S - 20.0, "a.dgn"),
        Event(EventKind.FILE_STORED, NOW_S - 10.0, "one", "one/cad", "c.dgn"),
        differs(NOW_S, "b.dgn", "uploaded again"),
        differs(NOW_S, "d.dgn", "it is gone from the drive, and it is out of the connection now"),
        differs(NOW_S, "e.dgn", "the configuration leaves it out, and gone from Storage now"),
    )
    engine = open_database(tmp_path / "journal.sqlite")
    statements: list[str] = []
    note = lambda *called: statements.append(called[2])  # noqa: E731
    event.listen(engine, "before_cursor_execute", note)
    Journal(engine).commit(Decision(events=events))

    with engine.connect() as connection:
        found = read_differences(connection)
        asked = [text for text in statements if "file.differs" in text]
        values = (0.0,) * asked[0].count("?")
        plan = connection.exec_driver_sql(f"explain query plan {asked[0]}", values).all()

    engine.dispose()
    assert found == {
        "one": Differences(2, NOW_S - 60.0, NOW_S, FileKey("one/cad", "b.dgn"), "uploaded again"),
        "two": Differences(
            1, NOW_S - 30.0, NOW_S - 30.0, FileKey("two/cad", "b.dgn"), "added again"
        ),
    }
    assert "events_of_differences" in str(plan), "a year of events is not read for it"
