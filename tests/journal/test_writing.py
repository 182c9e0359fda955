# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""The one writer: whole steps, on disk, as they were given."""

from __future__ import annotations

import sys
from dataclasses import fields, replace
from pathlib import Path

import pytest
from journal_scene import CAD, LOOK, WHOLE_DECISION, A, journal_in
from sqlalchemy.exc import IntegrityError, StatementError

from twinsyncd.core.decision import Decision, SavedState
from twinsyncd.core.model import (
    FileKey,
    FileRow,
    LaneRow,
)
from twinsyncd.core.results import RunRecord
from twinsyncd.journal.location import JournalLocation
from twinsyncd.journal.views import Views


def memory_of(decision: Decision) -> SavedState:
    """Return what a start after this decision must find."""
    return SavedState(
        lanes={row.key: row for row in decision.lanes},
        connections={row.key: row for row in decision.connections},
        sources={row.key: row for row in decision.sources},
        lengths_s={
            row.key: [
                run.ended_s - run.started_s for run in decision.history if run.connection == row.key
            ]
            for row in decision.connections
        },
    )


def test_a_step_survives_the_process(where: JournalLocation) -> None:
    """The journal is the memory: what it loses or bends is done twice or never (P8)."""
    with journal_in(where) as journal:
        journal.commit(WHOLE_DECISION)

    with journal_in(where) as journal:
        assert journal.saved_state() == memory_of(WHOLE_DECISION)
        assert journal.get(A) == WHOLE_DECISION.files[0]
    views = Views(where)
    assert views.status().runs == WHOLE_DECISION.history
    views.close()


@pytest.mark.parametrize(
    "row", [*WHOLE_DECISION.files, *WHOLE_DECISION.lanes], ids=lambda row: type(row).__name__
)
def test_no_column_of_the_whole_step_holds_its_default(row: FileRow | LaneRow) -> None:
    """Else a column that is not written at all would still be read back as it was."""
    plain = type(row)(row.key)
    same = [f.name for f in fields(row) if getattr(row, f.name) == getattr(plain, f.name)]

    assert set(same) - {"key"} <= {"aside"}


def test_a_later_step_replaces_rows_and_leaves_the_others(where: JournalLocation) -> None:
    """A decision names only what changed."""
    other = FileRow(FileKey(CAD, "b.dgn"), seen="v9")
    newer = replace(WHOLE_DECISION.files[0], aside="refused", seen="v3", unread="")
    with journal_in(where) as journal:
        journal.commit(replace(WHOLE_DECISION, files=(*WHOLE_DECISION.files, other)))

        journal.commit(Decision(files=(newer,)))

        assert journal.get(A) == newer
        assert journal.get(other.key) == other
        assert journal.saved_state() == memory_of(WHOLE_DECISION)


def test_a_step_that_fails_in_the_middle_leaves_nothing(where: JournalLocation) -> None:
    """Half a decision is a lie: a run counted as ended with its files still unsynced (P8)."""
    good = WHOLE_DECISION.history[0]
    broken = RunRecord("imodel", "one", None, good.outcome, 0, 0, 0)  # NULL
    before = replace(WHOLE_DECISION, files=(FileRow(A, LOOK, "v1"),), lanes=(LaneRow("imodel"),))
    with journal_in(where) as journal:
        journal.commit(before)
        assert journal.get(A) == before.files[0]  # so that it is cached

        with pytest.raises(IntegrityError):
            journal.commit(replace(WHOLE_DECISION, history=(good, broken)))

        assert journal.get(A) == before.files[0]
        assert journal.saved_state() == memory_of(before)
        journal.commit(WHOLE_DECISION)  # the writer is usable after a failure
        assert journal.get(A) == WHOLE_DECISION.files[0]


def test_an_empty_step_can_be_committed(where: JournalLocation) -> None:
    """Decisions without changes are the usual ones."""
    with journal_in(where) as journal:
        journal.commit(Decision())

        assert journal.saved_state() == SavedState({}, {}, {})


@pytest.mark.parametrize(
    "path",
    [
        "naïve/Größe.dgn",
        "nai\u0308ve/Gro\u0308\u00dfe.dgn",
        "図面/一階.dwg",
        "🏗/plan.ifc",
        "it's; DROP TABLE files;--.dgn",
        "%_\\'\"`$(x).dgn",
        "line\nbreak\ttab.dgn",
        "\u202eright-to-left.dgn",
        "/".join(["a" * 250] * 130) + ".dgn",
        " leading and trailing .dgn ",
    ],
    ids=["composed", "decomposed", "cjk", "astral", "sql", "wild", "control", "bidi", "long", "sp"],
)
def test_any_name_a_drive_can_hold_is_kept_to_the_letter(where: JournalLocation, path: str) -> None:
    """A name that comes back changed is a deleted file and a new one at the next scan."""
    key = FileKey(CAD, path)
    with journal_in(where) as journal:
        journal.commit(Decision(files=(FileRow(key, LOOK, "v1"),)))

        folder, _, name = path.rpartition("/")
        assert journal.get(key) == FileRow(key, LOOK, "v1")
        assert [*journal.get_many(CAD, [path, "other"])] == [path]
        assert [*journal.folders(CAD)] == [folder]
        assert dict(journal.files(CAD, folder)) == {name: LOOK}


def test_a_commit_counts_as_a_change_of_its_folders_alone(where: JournalLocation) -> None:
    """A scan compares again what changed since it read the rows, and nothing else."""
    with journal_in(where) as journal:
        journal.commit(Decision(files=(FileRow(FileKey(CAD, "one/a.dgn"), LOOK, "v1"),)))
        read_at = journal.changes()
        journal.commit(Decision(files=(FileRow(FileKey(CAD, "two/a.dgn"), LOOK, "v1"),)))

        assert journal.changed_at(CAD, "one") <= read_at < journal.changed_at(CAD, "two")
        assert journal.changed_in(CAD) > read_at
        assert journal.changed_in("another/source") <= read_at


def test_composed_and_decomposed_names_are_two_files(where: JournalLocation) -> None:
    """Linux keeps both side by side, so the journal must."""
    keys = [FileKey(CAD, "\u00e9.dgn"), FileKey(CAD, "e\u0301.dgn"), FileKey(CAD, "É.dgn")]
    with journal_in(where) as journal:
        journal.commit(
            Decision(files=tuple(FileRow(key, seen=f"v{n}") for n, key in enumerate(keys)))
        )

        assert [row.seen for key in keys if (row := journal.get(key))] == ["v0", "v1", "v2"]


def test_a_name_that_is_no_unicode_is_refused_without_harm(where: JournalLocation) -> None:
    """The drive's side keeps such names out; should one slip through, all else stays usable."""
    key = FileKey(CAD, "caf\udce9.dgn")
    with journal_in(where) as journal:
        with pytest.raises((UnicodeEncodeError, StatementError)):
            journal.commit(Decision(files=(FileRow(A, LOOK, "v1"), FileRow(key, LOOK, "v1"))))

        assert journal.get(A) is None
        journal.commit(Decision(files=(FileRow(A, LOOK, "v1"),)))
        assert journal.get(A) is not None


def test_file_ids_beyond_63_bits_and_times_before_1970_are_kept(where: JournalLocation) -> None:
    """ReFS has ids of 128 bits, and archives have files from before the epoch."""
    look = replace(LOOK, file_id=2**128 - 1, mtime_ns=-1)
    with journal_in(where) as journal:
        journal.commit(Decision(files=(FileRow(A, look),)))

        row = journal.get(A)
        assert row is not None
        assert row.fingerprint == look


def test_many_paths_are_read_at_once(where: JournalLocation) -> None:
    """A part of a scan asks for hundreds of rows; SQLite bounds the variables of a statement."""
    keys = [FileKey(CAD, f"{number}.dgn") for number in range(5_000)]
    with journal_in(where) as journal:
        journal.commit(Decision(files=tuple(FileRow(key, seen="v1") for key in keys)))

        assert len(journal.get_many(CAD, [key.path for key in keys])) == len(keys)
        assert journal.get_many(CAD, []) == {}


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes")
def test_nobody_else_may_look_into_the_folder_of_the_journal(tmp_path: Path) -> None:
    """It names every file of the office (P11)."""
    file = tmp_path / "state" / "journal.sqlite"
    with journal_in(file):
        assert (file.parent.stat().st_mode & 0o777) == 0o700
