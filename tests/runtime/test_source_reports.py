"""What people read before they approve what is wrong with a source."""

from __future__ import annotations

import pytest

from twinsyncd.core.model import HeldSource, SourceKey
from twinsyncd.runtime.source_reports import consequence

CAD = SourceKey("bridge/cad")


@pytest.mark.parametrize(
    ("on_delete", "follows"),
    [
        ("keep", "they are reported, and kept in Storage and in the iModel"),
        ("unmap", "they are taken out of the connection, and kept in Storage"),
        ("delete", "they are taken out of the connection and deleted in Storage"),
    ],
)
def test_what_an_approval_deletes_is_said_before_it_is_given(on_delete: str, follows: str) -> None:
    """On the terminal and on the page; kept and deleted are not the same to a person."""
    text = consequence(HeldSource(CAD, "d1", 25), on_delete)

    assert text.startswith("up to 25 missing files on d1 count as gone")
    assert text.endswith(follows)


def test_an_approval_of_another_drive_deletes_nothing() -> None:
    """Its files are compared anew, and a loss there is asked about by itself."""
    text = consequence(HeldSource(CAD, "d2", 0), "delete")

    assert "the drive that is there now, d2, counts" in text
    assert "deleted" not in text
