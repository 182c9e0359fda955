# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""What is said of a file that is gone: no more than is true of it."""

from __future__ import annotations

import pytest

from twinsyncd.core.model import MAY_STAY, STAYS, FileKey, FileRow, Fingerprint
from twinsyncd.runtime.file_state import explain_file
from twinsyncd.runtime.found_files import Cloud, Drive, JournalEntry
from twinsyncd.runtime.verified_file import Verdict, judge

A = FileKey("one/cad", "a.dgn")
OUT = f"runs do not keep it up any more; {MAY_STAY}"
GONE = "not on the drive any more, or not taken; "


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (FileRow(A, seen="", stored="v1", synced="v1"), "it stays in the iModel"),
        (FileRow(A, seen="", stored="v1", note=STAYS), OUT),
        (FileRow(A, seen="", note=STAYS), OUT),
        (
            FileRow(A, seen="", stored="v1"),
            "it stays in Storage, and no run has brought it into the iModel",
        ),
        (FileRow(A), "nothing of it is in Storage"),
    ],
    ids=["kept", "taken out", "deleted", "never run", "never stored"],
)
def test_of_a_file_that_is_gone_is_said_what_is_left(row: FileRow, words: str) -> None:
    """A file that never came into the iModel was said to stay there; one that was there, not."""
    assert explain_file(row, ignored=False) == (f"{GONE}{words}", True)


def test_a_reference_is_not_called_synced() -> None:
    """A run that began after a missing xref appeared left the unchanged drawing as it was."""
    row = FileRow(A, Fingerprint(1, 1), "v1", "v1", "v1", storage_id="i1")

    state, done = explain_file(row, ignored=False, is_reference=True)

    assert (state.startswith("uploaded: "), done) == (True, True)
    assert "the service does not report" in state


@pytest.mark.parametrize("note", ["", STAYS])
def test_verify_names_content_that_stays_of_a_file_taken_out(note: str) -> None:
    """Whoever checks the iModel finds its elements there, and must be able to explain them."""
    look = Fingerprint(1, 1)
    row = FileRow(A, look, seen="", note=note)

    found = judge(A, JournalEntry(row), Drive(), Cloud({}, "", frozenset(), True), None)

    assert found.drive == f"not there any more{f'; {MAY_STAY}' if note else ''}"
    assert found.verdict is Verdict.KEPT
