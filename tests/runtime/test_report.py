# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""The words that people read about the state, whoever shows them."""

from __future__ import annotations

import pytest

from twinsyncd.core.model import IN_DOUBT, FileKey, FileRow, Fingerprint
from twinsyncd.runtime.open_files import open_file

CAD = "one/cad"
A = FileKey(CAD, "a.dgn")
LOOK = Fingerprint(100, 10**9, 7)


@pytest.mark.parametrize(
    ("row", "state", "reason"),
    [
        (FileRow(A, LOOK, "v1", unread="locked", aside="x"), "cannot be read", "locked"),
        (FileRow(A, LOOK, "v1", aside="no"), "set aside", "no"),
        (FileRow(A, LOOK, "v2", "v1", "", covered="v1"), "its run is active, or asked for", ""),
        (FileRow(A, LOOK, "v1"), "to be uploaded", ""),
        (FileRow(A, LOOK, "v1", IN_DOUBT), "to be uploaded", ""),
        (FileRow(A, LOOK, "v1", "v1"), "uploaded, waits for a run", ""),
    ],
)
def test_an_open_file_says_what_it_waits_for(row: FileRow, state: str, reason: str) -> None:
    """A person must see whether to wait or to act."""
    shown = open_file(row)

    assert (shown.source, shown.path, shown.state, shown.reason) == (CAD, A.path, state, reason)
