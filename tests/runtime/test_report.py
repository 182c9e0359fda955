# mypy: disable-error-code="arg-type,dict-item"
# Keys, ids and digests are written as plain text here.
"""The words that people read about the state, whoever shows them."""

from __future__ import annotations

import pytest

from twinsyncd.core.events import Event, EventKind
from twinsyncd.core.model import (
    IN_DOUBT,
    UNLIKE_ANY,
    FileKey,
    FileRow,
    Fingerprint,
    LaneRow,
    Phase,
)
from twinsyncd.runtime.event_words import event_words
from twinsyncd.runtime.file_state import explain_file
from twinsyncd.runtime.open_files import AWAITS_NAME, as_last_listed, open_file

CAD = "one/cad"
A = FileKey(CAD, "a.dgn")
LOOK = Fingerprint(100, 10**9, 7)


@pytest.mark.parametrize(
    ("row", "state", "reason"),
    [
        (FileRow(A, LOOK, "v1", unread="locked", aside="x"), "cannot be read", "locked"),
        (FileRow(A, LOOK, "v1", unread="cannot read /d/a.dgn: defect"), "cannot be read", "defect"),
        (
            FileRow(A, LOOK, "v1", unread="/d/a.dgn is incomplete: x"),
            "set aside",
            "it is incomplete: x",
        ),
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


@pytest.mark.parametrize(
    ("phase", "asks", "state"),
    [
        (Phase.RUNNING, 0, "its run is active"),
        (Phase.STARTING, 1, "its run is asked for"),
        (Phase.STARTING, 0, "waits for a run"),
    ],
)
def test_a_file_that_a_run_is_to_take_says_whether_that_was_asked_for(
    phase: Phase, asks: int, state: str
) -> None:
    """After a refused start nothing is active, and nothing was asked for."""
    row = FileRow(A, LOOK, "v1", "v1", "", covered="v1")
    lane = LaneRow("imodel", phase=phase, asks=asks)

    assert open_file(row, lane).state == state
    assert explain_file(row, ignored=False, lane=lane) == (f"uploaded; {state}", False)


def test_a_next_try_that_is_over_is_none() -> None:
    """ "Next try" named a moment of yesterday."""
    row = FileRow(A, LOOK, "v1", next_try_s=100.0)

    assert [open_file(row, None, now_s).next_try_s for now_s in (99.0, 100.0)] == [100.0, 0.0]


def test_a_file_whose_twin_is_gone_needs_no_person() -> None:
    """Who renamed or removed the other file has done all that there is to do."""
    reason = "/drive/Plan.dgn has the name of /drive/plan.dgn for Windows and Storage: they differ"
    twin = open_file(FileRow(FileKey(CAD, "Plan.dgn"), UNLIKE_ANY, unread=reason))
    assert (twin.state, twin.needs_person) == ("set aside", True)

    (there,) = as_last_listed([twin], {CAD: {"other.dgn"}})
    (gone,) = as_last_listed([twin], {CAD: {"plan.dgn"}})

    assert there == twin
    assert (gone.state, gone.needs_person) == (AWAITS_NAME, False)
    assert gone.reason == (
        "it takes the place of plan.dgn, which is not on the drive any more, once that counts as"
        " gone"
    )


def test_a_file_that_is_not_there_any_more_is_not_to_be_uploaded() -> None:
    """Saved and deleted within a minute: nothing of it will be uploaded."""
    saved = open_file(FileRow(A, LOOK, "v1"))
    assert saved.state == "to be uploaded"

    (there,) = as_last_listed([saved], {CAD: {"other.dgn"}})
    (gone,) = as_last_listed([saved], {CAD: {A.path}})

    assert there == saved
    assert gone.state == "not on the drive any more"
    assert gone.reason == "it counts as gone once a list a minute later lacks it"


def test_a_file_that_waits_for_its_name_needs_no_person() -> None:
    """It goes on by itself within some minutes."""
    reason = "it takes the place of plan.dgn, which is not on the drive any more; it is"

    shown = open_file(FileRow(FileKey(CAD, "Plan.dgn"), UNLIKE_ANY, unread=reason))

    assert (shown.state, shown.needs_person) == (AWAITS_NAME, False)


def test_the_history_of_a_renamed_file_says_what_it_was() -> None:
    """ "new.dgn: old.dgn" read as if it had become old.dgn."""
    renamed = Event(EventKind.FILE_RENAMED, 1.0, "one", CAD, "new.dgn", text="one/cad/old.dgn")

    assert event_words(renamed) == "it was one/cad/old.dgn"
