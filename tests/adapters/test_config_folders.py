"""Looking at configured folders: a share that does not answer is a reason, not a wait."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from twinsyncd.config.folders import Reason, find_unreachable, unreachable, within


@pytest.fixture
def hang() -> Iterator[threading.Event]:
    """A server that answers only after the test."""
    event = threading.Event()
    yield event
    event.set()


def test_a_folder_that_does_not_answer_is_named_beside_those_that_do(
    tmp_path: Path, hang: threading.Event
) -> None:
    """One dead server must not hide a slip in the path of another source."""
    hung, missing = tmp_path / "hung", tmp_path / "none"

    def look(folder: Path) -> Reason | None:
        if folder == hung:
            hang.wait()
        return unreachable(folder)

    found = find_unreachable([hung, tmp_path, missing], look=look, answer_s=0.2)

    assert list(found) == [hung, missing]
    assert "does not answer" in found[hung][0]
    assert "there is no folder" in found[missing][0]


def test_a_comparison_that_takes_too_long_is_left_out(hang: threading.Event) -> None:
    """It only warns of mistakes; the start is worth more."""
    assert within(hang.wait, 0.01, default=False) is False
    assert within(lambda: True, 10.0, default=False) is True


def test_an_error_of_the_comparison_is_raised() -> None:
    """A bug must not look like an answer that was late."""
    with pytest.raises(ZeroDivisionError):
        within(lambda: 1 // 0, 10.0, default=0)
