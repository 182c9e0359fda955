"""A secret that was corrected is tried at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from twinsyncd.core.facts import Fact, SignedIn
from twinsyncd.runtime.secret_watch import SecretWatch


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file with a secret."""
    file = tmp_path / "client_secret"
    file.write_text("wrong")
    return file


def test_a_replaced_secret_lets_a_halted_lane_sign_in_at_once(secret: Path) -> None:
    """Its owner watches the status; five minutes of the old answer look like a second mistake."""
    posted: list[Fact] = []
    watch = SecretWatch([secret], posted.append)
    watch.look()
    watch.look()
    (secret.parent / "new").write_text("right")
    (secret.parent / "new").replace(secret)

    watch.look()
    watch.look()

    assert posted == [SignedIn()]


def test_a_secret_that_can_be_read_again_counts_as_replaced(secret: Path) -> None:
    """Its mode was wrong, and the lane halted because of that."""
    posted: list[Fact] = []
    stamps = iter([(1, 1, 1), None, None, (1, 1, 1)])
    watch = SecretWatch([secret], posted.append, lambda _file: next(stamps))
    for _ in range(3):
        watch.look()
    unread = list(posted)

    watch.look()

    assert (unread, posted) == ([], [SignedIn()])


def test_nothing_is_posted_to_an_engine_that_ends(secret: Path) -> None:
    """Its inbox is closed by then."""
    posted: list[Fact] = []
    watch = SecretWatch([secret], posted.append)
    watch.look()
    secret.write_text("another")
    watch.__exit__(None, None, None)

    watch.look()

    assert posted == []
