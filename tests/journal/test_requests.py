# mypy: disable-error-code="arg-type,list-item"
# Keys, ids and digests are written as plain text here.
"""What people ask of the daemon, its sign of life, and the words for what is open."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from journal_scene import CAD, LOOK, WHOLE_DECISION, A, journal_in
from sqlalchemy.exc import DataError

from twinsyncd.core.decision import Decision
from twinsyncd.core.model import FileRow, SourceKey
from twinsyncd.core.progress import Heartbeat, RequestPacing, UploadsUnderWay
from twinsyncd.core.results import Outcome, RunRecord
from twinsyncd.errors import JournalError
from twinsyncd.journal import requests
from twinsyncd.journal.database import open_database
from twinsyncd.journal.location import JournalLocation
from twinsyncd.journal.requests import Request
from twinsyncd.journal.views import Counts, Views, total_counts
from twinsyncd.journal.writer import Journal

SYNC = Request("sync")
APPROVE = Request("approve", "one")


@pytest.fixture
def journal(where: JournalLocation) -> Iterator[Journal]:
    """A journal that a daemon keeps."""
    with journal_in(where) as journal:
        yield journal


@pytest.fixture
def views(journal: Journal, where: JournalLocation) -> Iterator[Views]:
    """What a second process sees of it."""
    views = Views(where)
    yield views
    views.close()


def test_a_request_is_taken_up_once(journal: Journal, where: JournalLocation) -> None:
    """A sync that is taken up twice costs a scan of every drive twice."""
    other = open_database(where)
    requests.add_request(other, SYNC, 1.0)
    requests.add_request(other, APPROVE, 2.0)

    asked = journal.open_requests()
    assert [each[:2] for each in asked] == [SYNC[:2], APPROVE[:2]]
    journal.commit(Decision(), [asked[0].number], 3.0)
    assert journal.open_requests() == asked[1:]
    other.dispose()


def test_a_request_is_taken_up_with_the_rows_or_not_at_all(
    journal: Journal, where: JournalLocation
) -> None:
    """A crash in between would lose what a person has approved (P8)."""
    other = open_database(where)
    request = requests.add_request(other, APPROVE, 1.0)
    impossible = FileRow(A, LOOK, attempts=2**70)

    with pytest.raises((OverflowError, DataError)):
        journal.commit(Decision(files=(impossible,)), [request], 2.0)

    assert [each.number for each in journal.open_requests()] == [request]
    assert requests.handled_s(other, request) is None
    other.dispose()


def test_requests_are_taken_up_in_bounded_portions(
    journal: Journal, where: JournalLocation
) -> None:
    """A script that went wild must not stop the daemon."""
    other = open_database(where)
    for _ in range(requests.REQUESTS_MAX + 1):
        requests.add_request(other, SYNC, 1.0)

    asked = [each.number for each in journal.open_requests()]
    journal.commit(Decision(), asked, 2.0)

    assert len(asked) == requests.REQUESTS_MAX
    assert len(journal.open_requests()) == 1
    other.dispose()


def test_a_request_waits_for_a_daemon_that_is_down(where: JournalLocation) -> None:
    """A row survives what a signal does not."""
    engine = open_database(where)
    request = requests.add_request(engine, SYNC, 1.0)
    engine.dispose()

    with journal_in(where) as journal:
        journal.commit(Decision(), [each.number for each in journal.open_requests()], 9.0)
    engine = open_database(where)
    assert requests.handled_s(engine, request) == 9.0
    engine.dispose()


def test_an_unknown_request_was_never_taken(journal: Journal, where: JournalLocation) -> None:
    """Numbers are given by the journal; a wrong one is not an answer."""
    other = open_database(where)

    assert requests.handled_s(other, 12_345) is None
    other.dispose()


def test_the_newest_daemon_is_the_one_that_is_shown(journal: Journal, views: Views) -> None:
    """A row of a process long dead would make the status say that all is well."""
    journal.register("1.0", 10.0)
    journal.register("2.0", 20.0)
    uploads = UploadsUnderWay(2, 5, 10, 1.5)
    before = views.status().daemon
    pacing = RequestPacing("api.example.com", 3, 500, 60.0)
    beat = Heartbeat(True, 7, (), uploads, pacing, (SourceKey("one/cad"),), -90.5)
    journal.beat(25.0, beat)

    daemon = views.status().daemon
    assert daemon is not None
    assert (daemon.pid, daemon.version, daemon.started_s) == (os.getpid(), "2.0", 20.0)
    assert (daemon.beat_s, daemon.is_idle, daemon.unsettled) == (25.0, True, 7)
    assert (daemon.uploads, daemon.pacing) == (uploads, pacing)
    assert (daemon.unlisted, daemon.ahead_of_platform_s) == (("one/cad",), -90.5)
    assert before is not None
    assert before.unlisted is None, "nothing is known of what it has looked at"


@pytest.mark.parametrize(
    ("versions", "asked"),
    [(["1.0"], 0), (["1.0", "1.0"], 0), (["1.0", "2.0"], 1), (["2.0", "1.0", "1.0"], 1)],
)
def test_another_version_is_asked_once_to_try_again(
    journal: Journal, versions: list[str], asked: int
) -> None:
    """It may manage what the last one set aside (P9); a row, so that no crash forgets it (P8)."""
    for version in versions:
        journal.register(version, 10.0, Request("retry"))

    assert [each.kind for each in journal.open_requests()] == ["retry"] * asked


def test_a_journal_nobody_ever_kept_shows_no_daemon(views: Views) -> None:
    """It is a fact of its own, not an error."""
    assert views.status().daemon is None


def test_a_status_before_the_first_start_says_what_to_do(tmp_path: Path) -> None:
    """It is the first thing that many people try; and looking must not make a file."""
    with pytest.raises(JournalError, match="no journal") as caught:
        Views(tmp_path / "journal.sqlite")

    assert "twinsyncd run" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_journal_is_told_in_words(tmp_path: Path) -> None:
    """The status is read by people who have never seen a traceback."""
    file = tmp_path / "journal.sqlite"
    file.write_bytes(b"no database" * 500)

    with pytest.raises(JournalError):
        Views(file)


def test_a_journal_that_one_may_not_look_at_is_told_in_words(tmp_path: Path) -> None:
    """The daemon has an account and a folder of its own; people try their own first."""
    with pytest.raises(JournalError, match="cannot be read") as caught:
        Views(tmp_path / ("x" * 300) / "journal.sqlite")

    assert "account" in caught.value.hint


def test_runs_are_shown_newest_first_and_only_so_many(journal: Journal, views: Views) -> None:
    """The last run is the one that people ask about."""
    runs = [
        RunRecord("imodel", "one", f"run-{n}", Outcome.SUCCEEDED, n, n + 1, 1) for n in range(5)
    ]
    for run in runs:
        journal.commit(Decision(history=(run,)))

    assert views.status(runs=2).runs == (runs[4], runs[3])
    assert views.status(runs=0).runs == ()


def test_sources_that_are_offline_are_shown_with_the_reason(journal: Journal, views: Views) -> None:
    """Everything may be synced and a drive unplugged all the same."""
    journal.commit(WHOLE_DECISION)

    assert views.status().offline == {CAD: "offline"}
    assert views.status().lanes == WHOLE_DECISION.lanes


def test_the_total_of_nothing_is_nothing() -> None:
    """A fresh journal has no counts at all."""
    assert total_counts([]) == Counts("")
    assert total_counts([Counts("a", 3, 1, 1, 1), Counts("b", 2, 2)]) == Counts("", 5, 3, 1, 1)
