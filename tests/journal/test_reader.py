# mypy: disable-error-code="arg-type,list-item"
# Keys, ids and digests are written as plain text here.
"""What the journal remembers, against a dictionary that cannot forget."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from journal_scene import CAD, FILES, KEYS

from twinsyncd.core.decision import Decision
from twinsyncd.core.model import ABSENT, IN_DOUBT, FileKey, FileRow, Fingerprint, Need, need
from twinsyncd.journal.database import open_database
from twinsyncd.journal.views import Counts, Views, total_counts
from twinsyncd.journal.writer import Journal

SOURCES = (CAD, "two/bim")


@cache
def empty_journal() -> bytes:
    """Return a fresh journal; migrating one for each example would take most of the time."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "journal.sqlite"
        open_database(file).dispose()
        return file.read_bytes()


def _in_order(rows: list[FileRow]) -> list[FileRow]:
    return sorted(rows, key=lambda row: row.key)


class JournalMachine(RuleBasedStateMachine):
    """Steps, reopenings and reads in any order; the journal must answer like the dictionary."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.file = Path(self.folder.name) / "journal.sqlite"
        self.file.write_bytes(empty_journal())
        self.journal = Journal(open_database(self.file))
        self.journal.register("1.0", 1.0)
        self.views = Views(self.file)
        self.rows: dict[FileKey, FileRow] = {}

    def teardown(self) -> None:
        self.views.close()
        self.journal.close()
        self.folder.cleanup()

    @rule(rows=st.lists(FILES, max_size=6, unique_by=lambda row: row.key))
    def a_step_is_committed(self, rows: list[FileRow]) -> None:
        self.journal.commit(Decision(files=tuple(rows)))
        self.rows.update((row.key, row) for row in rows)

    @rule()
    def the_process_restarts(self) -> None:
        self.journal.close()
        self.journal = Journal(open_database(self.file))

    @rule(keys=st.lists(KEYS, max_size=5))
    def rows_are_read(self, keys: list[FileKey]) -> None:
        keys += list(self.rows)[:5]
        for key in keys:
            assert self.journal.get(key) == self.rows.get(key)
        for source in SOURCES:
            paths = [key.path for key in keys]
            expected = {
                path: row for path in paths if (row := self.rows.get(FileKey(source, path)))
            }
            assert self.journal.get_many(source, paths) == expected

    @rule(others=st.lists(FILES, max_size=3), source=st.sampled_from(SOURCES))
    def rows_are_looked_up(self, others: list[FileRow], source: str) -> None:
        wanted = [*others, *list(self.rows.values())[:3]]
        contents = {row.seen for row in wanted}
        file_ids = {row.fingerprint.file_id for row in wanted if row.fingerprint}
        ids = [row.storage_id for row in wanted]
        rows = [row for row in self.rows.values() if row.key.source == source]

        found = (
            self.journal.with_content([source], contents),
            self.journal.with_file_id([source], file_ids),
            self.journal.having([source], ids),
        )

        looks = [(row, row.fingerprint) for row in rows]
        expected = (
            [row for row in rows if row.stored in contents],
            [row for row, look in looks if look is not None and look.file_id in file_ids],
            [row for row in rows if row.storage_id in ids],
        )
        assert [_in_order(each) for each in expected] == [_in_order(each) for each in found]

    @invariant()
    def the_working_set_is_what_has_work_left(self) -> None:
        is_open = [
            r
            for r in self.rows.values()
            if need(r) is not Need.NOTHING or r.covered or r.stored == IN_DOUBT
        ]
        assert set(self.journal.active(SOURCES)) == set(is_open)
        for source in SOURCES:
            every = {row for row in self.rows.values() if row.key.source == source}
            assert set(self.journal.every([source])) == every
            assert set(self.journal.active([source])) == every & set(is_open)
        assert list(self.journal.every([])) == []

    @invariant()
    def scans_compare_with_what_was_hashed(self) -> None:
        for source in SOURCES:
            rows = [r for r in self.rows.values() if r.key.source == source and r.fingerprint]
            folders = {row.key.path.rpartition("/")[0] for row in rows}
            assert set(self.journal.folders(source)) == folders
            for folder in folders | {"nowhere"}:
                expected = {
                    row.key.path.rpartition("/")[2]: row.fingerprint
                    for row in rows
                    if row.key.path.rpartition("/")[0] == folder
                }
                assert dict(self.journal.files(source, folder)) == expected
            self.pages_hold_the_same(source, folders)

    def pages_hold_the_same(self, source: str, folders: set[str]) -> None:
        """Read ahead in small pages: each folder comes once, whole, and in order."""
        read: list[tuple[str, dict[str, Fingerprint]]] = []
        start, is_end = "", False
        while not is_end:
            page, is_end = self.journal.files_from(source, start, 2)
            read += [
                (folder, {name: Fingerprint(*look) for name, *look in looks})
                for folder, looks in page
            ]
            start = read[-1][0] + "\0" if read else ""
        assert [folder for folder, _ in read] == sorted(folders)
        assert all(files == self.journal.files(source, folder) for folder, files in read)

    @invariant()
    def the_views_count_the_same(self) -> None:
        status = self.views.status(open_files=3)
        expected = [counts_of(source, self.rows) for source in sorted(SOURCES)]
        expected = [each for each in expected if each]
        assert list(status.counts) == expected
        is_open = [r for r in self.rows.values() if need(r) is not Need.NOTHING or r.covered]
        assert status.open_total == len(is_open)
        listed = [tuple(each.key) for each in status.open_files]
        people_first = sorted((not (r.aside or r.unread), *r.key) for r in is_open)
        assert listed == [(source, path) for _, source, path in people_first[:3]]
        known = total_counts(status.counts).known
        assert known == sum(each.known for each in status.counts)


def counts_of(source: str, rows: dict[FileKey, FileRow]) -> Counts | None:
    """Count a source's rows by the core's own rule; None if there are none."""
    mine = [row for row in rows.values() if row.key.source == source]
    if not mine:
        return None
    here = [row for row in mine if row.seen != ABSENT or row.unread]
    needs = [need(row) for row in here]
    left_over = [row for row in mine if row not in here and row.aside]
    gone = [row for row in mine if row not in here and not row.aside]
    return Counts(
        source,
        known=len(here),
        synced=needs.count(Need.NOTHING),
        to_store=needs.count(Need.STORE),
        to_run=needs.count(Need.RUN),
        aside=needs.count(Need.ASIDE) + len(left_over),
        gone=sum(1 for row in gone if row.synced != ABSENT),
    )


JournalMachine.TestCase.settings = settings(
    max_examples=10, stateful_step_count=8, deadline=None, derandomize=True, database=None
)
TestJournal = JournalMachine.TestCase
