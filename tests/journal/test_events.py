# mypy: disable-error-code="arg-type,index"
# Keys, ids and digests are written as plain text here.
"""The history in the journal: events, and what each run proved of each file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from journal_scene import WHOLE_DECISION, A
from sqlalchemy import Engine, Table, select

from twinsyncd.core.decision import Decision
from twinsyncd.core.events import Event, EventKind
from twinsyncd.core.model import FileKey, FileRow
from twinsyncd.core.results import Outcome, RunFile
from twinsyncd.journal import retention, tables
from twinsyncd.journal.database import open_database
from twinsyncd.journal.file_changes import RECENT
from twinsyncd.journal.history import read_evidence
from twinsyncd.journal.reader import JournalReader
from twinsyncd.journal.retention import KEPT_S
from twinsyncd.journal.writer import Journal

PROOF = RunFile(
    "one", "run-1", A.source, A.path, "item-1", "v1", Outcome.SUCCEEDED, 1_000.0, "task-1", "c-1"
)
SEEN = Event(EventKind.FILE_SEEN, 1_000.0, "one", A.source, A.path, "v1")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An empty journal's database."""
    engine = open_database(tmp_path / "journal.db")
    yield engine
    engine.dispose()


def rows_in(engine: Engine, table: Table) -> list[dict[str, Any]]:
    """Return all rows of a table without their numbers, oldest first."""
    with engine.connect() as connection:
        found = connection.execute(select(table).order_by(table.c.id)).mappings().all()
    return [{name: row[name] for name in row if name != "id"} for row in found]


def test_events_and_evidence_are_committed_with_the_rows_of_their_decision(engine: Engine) -> None:
    """A history with gaps, or with what did not happen, is worse than none."""
    Journal(engine).commit(WHOLE_DECISION)

    assert rows_in(engine, tables.events) == [asdict(each) for each in WHOLE_DECISION.events]
    assert rows_in(engine, tables.run_files) == [asdict(each) for each in WHOLE_DECISION.run_files]


def test_a_decision_that_only_notes_events_is_durable() -> None:
    """A request of a person changes no row, and belongs to the audit all the same."""
    assert Decision(events=(SEEN,)).is_durable


def test_where_people_worked_lately_is_known_after_a_restart(engine: Engine) -> None:
    """Those folders are looked into often where nothing else reports a save."""
    paths = ("b/1.dgn", "a/1.dgn", "a/deep/1.dgn", "b/2.dgn", "plan.dgn")
    events = tuple(replace(SEEN, path=path) for path in paths)
    of_run = replace(SEEN, kind=EventKind.RUN_STARTED, source="", path="")
    Journal(engine).commit(Decision(events=(*events, of_run)))

    journal = Journal(engine)

    assert journal.recent_folders(A.source) == ["", "b", "a/deep", "a"]
    journal.commit(Decision(files=(FileRow(FileKey(A.source, "a/1.dgn")),)))
    assert journal.recent_folders(A.source) == ["a", "", "b", "a/deep"]
    assert journal.recent_folders("another") == []


def test_of_many_folders_the_last_ones_are_those_where_people_work(engine: Engine) -> None:
    """A first sync goes through all of them."""
    journal = Journal(engine)
    for number in range(RECENT + 2):
        row = FileRow(FileKey(A.source, f"{number}/plan.dgn"))
        journal.commit(Decision(files=(row,)))

    folders = journal.recent_folders(A.source)

    assert folders == [str(number) for number in range(RECENT + 1, 1, -1)]


def test_what_is_older_than_a_year_is_deleted_and_nothing_else(engine: Engine) -> None:
    """The machine runs for years, and nobody looks at its disk."""
    run = WHOLE_DECISION.history[0]
    old = replace(WHOLE_DECISION, events=(SEEN,), history=(replace(run, ended_s=1_000.0),))
    Journal(engine).commit(old, now_s=1_000.0)
    young = replace(SEEN, at_s=1_001.0)
    Journal(engine).commit(Decision(events=(young,)), now_s=1_001.0)

    Journal(engine).commit(Decision(events=(SEEN,)), now_s=1_000.5 + KEPT_S)

    assert [row["at_s"] for row in rows_in(engine, tables.events)] == [1_001.0, 1_000.0]
    assert rows_in(engine, tables.runs) == []


def test_the_newest_proof_of_each_file_is_kept_for_ever(engine: Engine) -> None:
    """A file that nobody has touched for years is still proven; `verify` said it was not."""
    of_a = replace(PROOF, digest="v1")
    newer = replace(PROOF, digest="v2", run="run-2")
    failed = replace(PROOF, digest="v2", run="run-3", outcome=Outcome.FAILED)
    elsewhere = replace(PROOF, path="b.dgn", storage_id="item-2")
    stranger = replace(PROOF, source="", path="x.dgn", outcome=Outcome.FAILED)
    files = (of_a, newer, failed, elsewhere, stranger)
    Journal(engine).commit(Decision(run_files=files, events=(SEEN,)), now_s=1_000.0)

    Journal(engine).commit(Decision(events=(SEEN,)), now_s=2_000.0 + KEPT_S)

    assert rows_in(engine, tables.run_files) == [asdict(newer), asdict(elsewhere)]
    assert read_evidence(JournalReader(engine), [A.source]).by_id["item-1"] == newer


def test_of_too_many_events_the_oldest_are_deleted(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A million files that are saved each night must not fill the disk within a year."""
    monkeypatch.setattr(retention, "ROWS_MAX", 3)

    for number in range(5):
        Journal(engine).commit(Decision(events=(replace(SEEN, text=str(number)),)), now_s=1_000.0)

    assert [row["text"] for row in rows_in(engine, tables.events)] == ["2", "3", "4"]
