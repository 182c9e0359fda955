"""What drawings name is read after they settle, kept, and looked for until it is there."""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from twinsyncd.config.patterns import matcher
from twinsyncd.core.decision import Decision
from twinsyncd.core.facts import Hashed
from twinsyncd.core.model import Digest, FileKey, FileRow, Fingerprint, SourceKey
from twinsyncd.core.references import DrawingReferences
from twinsyncd.disk.reference_process import ReferenceProcess
from twinsyncd.disk.tree import Tree
from twinsyncd.errors import JournalError
from twinsyncd.journal.database import open_database
from twinsyncd.journal.drawing_references import (
    ReferenceStore,
    SettledDrawing,
    naming,
    read_open,
    read_references,
)
from twinsyncd.journal.writer import Journal
from twinsyncd.runtime.reference_closure import closure_lines
from twinsyncd.runtime.reference_reader import ReadSource, ReferenceReader
from twinsyncd.runtime.reference_words import advice, open_references
from twinsyncd.runtime.share_threads import ShareThreads

CAD = SourceKey("Bridge/cad")
A, B = FileKey(CAD, "a.ifc"), FileKey(CAD, "b.ifc")
LOOK = Fingerprint(1, 1)
V1, V2 = Digest("1" * 64), Digest("2" * 64)


def ifc(*names: str) -> bytes:
    lines = "".join(f"#{i}=IFCDOCUMENTREFERENCE('{name}',$,$);\n" for i, name in enumerate(names))
    return f"ISO-10303-21;\nDATA;\n{lines}ENDSEC;\nEND-ISO-10303-21;\n".encode()


class Site:
    """A drive with its journal, and readers of it one after the other."""

    def __init__(self, folder: Path) -> None:
        self.drive = folder / "cad"
        self.drive.mkdir()
        self.engine = open_database(folder / "journal.sqlite")
        self.journal = Journal(self.engine)
        self.store = ReferenceStore(self.engine)
        self.now_s = 100.0
        self.processes: list[ReferenceProcess] = []

    def settled(self, key: FileKey, content: bytes, digest: Digest = V1) -> Hashed:
        (self.drive / key.path).write_bytes(content)
        self.journal.commit(Decision(files=(FileRow(key, LOOK, seen=digest),)))
        return Hashed(key, LOOK, digest)

    def reads(self, *facts: Hashed, also: str = "docs/**") -> None:
        """Let a reader read what is left and what is noted, to its end; `also`: references."""
        reader = self.reader(drains=True, also=also)
        with reader:
            for fact in facts:
                reader.note(fact)

    def reader(self, *, drains: bool, also: str = "docs/**") -> ReferenceReader:
        takes = matcher(["**/*.ifc"], [also])
        threads = ShareThreads(CAD, check_s=0.01)
        sources = {CAD: ReadSource(Tree(self.drive), threads, takes)}
        process, wall = ReferenceProcess(), lambda: self.now_s
        self.processes.append(process)
        return ReferenceReader(
            sources, self.store, process, drains=drains, wall=wall, clock=lambda: 0.0
        )

    def known(self, key: FileKey) -> DrawingReferences | None:
        with self.engine.connect() as connection:
            return read_references(connection, key)

    def words(self) -> tuple[str, str, float]:
        with self.engine.connect() as connection:
            found = read_open(connection).get(CAD)
        return (open_references(found), advice(found), found.since_s) if found else ("", "", 0.0)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Close the journal at the end."""
    made = Site(tmp_path)
    yield made
    made.journal.close()
    for process in made.processes:
        process.close()


def test_what_is_missing_or_not_taken_is_named_with_the_way_out(site: Site) -> None:
    """Before the run, not by a connector's warning after it."""
    (site.drive / "plan.pdf").write_bytes(b"x")
    (site.drive / "docs").mkdir()
    (site.drive / "docs" / "there.pdf").write_bytes(b"x")
    noted = site.settled(A, ifc("docs/there.pdf", "gone.pdf", "plan.pdf"))

    site.reads(noted)

    text, fix, since_s = site.words()
    assert text.startswith("1 file names others that are missing or not taken: ")
    assert "a.ifc misses gone.pdf; a.ifc needs plan.pdf, which no pattern takes" in text
    assert "copy what is missing" in fix
    assert 'references = ["plan.pdf"]' in fix
    assert since_s == 100.0


def test_what_a_stop_left_is_read_by_the_next_start(site: Site) -> None:
    """Start-up is the same as recovery; a journal of an older version is read, too (P8)."""
    site.settled(A, ifc("gone.pdf"))
    site.reads()
    site.settled(A, ifc("b.ifc"), V2)
    site.settled(B, ifc())
    site.now_s = 200.0

    site.reads()

    assert site.words() == ("", "", 0.0)
    found = site.known(A)
    assert found is not None
    assert [each.path for each in found.references] == ["b.ifc"]
    assert site.store.unread(CAD, (".ifc",), "", 10) == []


def test_many_drawings_are_kept_in_one_commit(site: Site) -> None:
    """Uploads wait for each commit: a first sync of thousands of drawings would take twice as long.

    The other commit forgets what is gone.
    """
    for number in range(20):
        site.settled(FileKey(CAD, f"{number}.ifc"), ifc("gone.pdf"))
    commits: list[object] = []
    event.listen(site.engine, "commit", commits.append)

    site.reads()

    assert site.words()[0].startswith("20 files name others")
    assert len(commits) == 2


def test_since_when_something_is_missing_survives_another_save(site: Site) -> None:
    """A drawing that is saved daily would never be old news."""
    site.reads(site.settled(A, ifc("gone.pdf")))
    site.now_s = 200.0

    site.reads(site.settled(A, ifc("gone.pdf", "also.pdf"), V2))

    assert site.words()[2] == 100.0


def test_a_drawing_that_is_gone_misses_nothing(site: Site) -> None:
    """Its row stays for its history; its references are nobody's trouble."""
    site.reads(site.settled(A, ifc("gone.pdf")))
    site.journal.commit(Decision(files=(FileRow(A, None),)))

    assert site.words() == ("", "", 0.0)
    site.reads()
    assert site.known(A) is None


def test_all_that_a_drawing_needs_is_followed_once(site: Site) -> None:
    """Drawings refer to each other in circles."""
    site.settled(A, ifc("b.ifc", "gone.pdf"))
    site.settled(B, ifc("a.ifc", "docs/x.pdf"))
    site.reads()

    with site.engine.connect() as connection:
        lines = list(closure_lines(A, lambda key: read_references(connection, key)))
        needed_by = list(naming(connection, B))

    assert lines == [
        "document b.ifc",
        "  document a.ifc",
        "  document docs/x.pdf: missing in this source",
        "document gone.pdf: missing in this source",
    ]
    assert needed_by == ["a.ifc"]


def test_a_file_that_cannot_be_taken_apart_says_so_and_is_not_tried_for_ever(site: Site) -> None:
    """Only another save can change that."""
    key = FileKey(CAD, "bad.dwg")
    site.settled(key, b"AC1032" + b"\xff" * 900)
    site.reads()
    found = site.known(key)

    assert found is not None
    assert found.trouble
    assert site.store.unread(CAD, (".dwg",), "", 10) == []
    assert site.words() == ("", "", 0.0)


def test_what_came_meanwhile_is_found_by_looking_again(site: Site) -> None:
    """Nobody saves the drawing again only because its reference was copied there."""
    site.reads(site.settled(A, ifc("b.ifc")))
    before = site.words()[0]
    (site.drive / "b.ifc").write_bytes(ifc())
    [(drawing, known)] = site.store.open_ones(CAD, 10)

    site.reader(drains=False).look_again()

    assert "a.ifc misses b.ifc" in before
    assert drawing == SettledDrawing(A, V1)
    assert known.missing
    assert site.words() == ("", "", 0.0)


def test_a_pattern_that_was_added_as_advised_counts_at_the_next_start(site: Site) -> None:
    """A single sync after the change must not repeat the advice; nobody saves the drawing again."""
    (site.drive / "plan.pdf").write_bytes(b"x")
    site.reads(site.settled(A, ifc("plan.pdf")))
    before = site.words()[0]

    site.reads(also="**/*.pdf")

    assert "which no pattern takes" in before
    assert site.words() == ("", "", 0.0)


def test_a_drive_that_refused_is_read_later(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A share that is silent for a minute must not leave a drawing unread until a restart."""
    noted = site.settled(A, ifc("gone.pdf"))
    refusals = iter([PermissionError(errno.EACCES, "Permission denied")])
    opens = Tree.open

    def refusing(tree: Tree, path: str) -> int:
        for refusal in refusals:
            raise refusal
        return opens(tree, path)

    monkeypatch.setattr(Tree, "open", refusing)
    reader = site.reader(drains=True)
    reader.note(noted)
    reader.read_noted()
    before = site.known(A)

    reader.look_again()
    reader.read_noted()

    assert before is None
    assert "a.ifc misses gone.pdf" in site.words()[0]


def test_what_could_not_be_kept_is_read_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is noted before its row is committed, so the journal may not know it as unread yet."""
    (site.drive / "a.ifc").write_bytes(ifc("gone.pdf"))
    failures = iter([JournalError("the disk is full", may_pass=True)])
    saves = ReferenceStore.save

    def failing(*arguments: Any) -> None:
        for failure in failures:
            raise failure
        saves(*arguments)

    monkeypatch.setattr(ReferenceStore, "save", failing)
    reader = site.reader(drains=True)
    reader.note(Hashed(A, LOOK, V1))
    with pytest.raises(JournalError):
        reader.read_noted()

    reader.read_noted()

    found = site.known(A)
    assert found is not None
    assert [each.written for each in found.missing] == ["gone.pdf"]


def test_a_journal_that_cannot_be_used_ends_no_reading(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is full for a minute is no reason to read nothing for months (P15)."""
    noted = site.settled(A, ifc("gone.pdf"))
    failures = iter([JournalError("the disk is full", may_pass=True)])
    saves, tried = ReferenceStore.save, threading.Semaphore(0)

    def failing(*arguments: Any) -> None:
        tried.release()
        for failure in failures:
            raise failure
        saves(*arguments)

    monkeypatch.setattr(ReferenceStore, "save", failing)
    reader = site.reader(drains=False)

    with reader:
        reader.note(noted)
        assert tried.acquire(timeout=20)
        reader.note(noted)
        assert tried.acquire(timeout=20)
        reader.note(noted)
        assert tried.acquire(timeout=20)

    assert "a.ifc misses gone.pdf" in site.words()[0]
