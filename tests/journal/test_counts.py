# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""Counting a million files must not read a million rows: status and the page do it all the time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from journal_scene import journal_in
from sqlalchemy import event

from twinsyncd.core.decision import Decision
from twinsyncd.core.model import FileKey, FileRow, Fingerprint
from twinsyncd.journal.counts import Counts, read_counts
from twinsyncd.journal.database import open_database

LOOK = Fingerprint(100, 10**9, 7)
ROWS = (
    FileRow(FileKey("one/cad", "synced.dgn"), LOOK, "v1", "v1", "v1"),
    FileRow(FileKey("one/cad", "saved.dgn"), LOOK, "v2", "v1", "v1"),
    FileRow(FileKey("one/cad", "stored.dgn"), LOOK, "v2", "v2", "v1"),
    FileRow(FileKey("one/cad", "kept.dgn"), None, "", "v1", "v1"),
    FileRow(FileKey("one/cad", "never stored.dgn"), None, "", "", ""),
    FileRow(FileKey("two/bim", "aside.ifc"), LOOK, "v1", "", "", aside="no way"),
    FileRow(FileKey("old/bim", "synced.ifc"), LOOK, "v1", "v1", "v1"),
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A journal with a file of each kind."""
    file = tmp_path / "state" / "journal.sqlite"
    with journal_in(file) as journal:
        journal.commit(Decision(files=ROWS))
    return file


def test_each_file_is_counted_once_and_only_of_the_sources_asked_for(file: Path) -> None:
    """A file that is gone is not known any more; what is not configured is nobody's."""
    engine = open_database(file)

    with engine.connect() as connection:
        counted = read_counts(connection, {"one/cad", "two/bim", "empty/gis"})
    engine.dispose()

    assert counted == (
        Counts("one/cad", known=3, synced=1, to_store=1, to_run=1, gone=1),
        Counts("two/bim", known=1, aside=1),
    )


def test_no_row_of_a_file_that_rests_is_read(file: Path) -> None:
    """With 250,000 files reading them all took longer than the rest of status."""
    engine, asked = open_database(file), []

    @event.listens_for(engine, "before_cursor_execute")
    def note(_connection: Any, _cursor: Any, query: str, values: Any, *_: Any) -> None:
        if query.startswith("SELECT files"):
            asked.append((query, values))

    with engine.connect() as connection:
        read_counts(connection, {"one/cad", "two/bim"})
        plans = [
            connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", values).mappings().one()
            for query, values in asked
        ]
    engine.dispose()

    resting, gone, left = (plan["detail"] for plan in plans)
    assert "USING COVERING INDEX files_open" in resting
    assert "USING INDEX files_gone" in gone
    assert "USING INDEX files_open (is_open=? AND source=?)" in left
