"""When a window for runs opens: in this machine's time, over the week and over clock changes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cli_scene import CAD, CONFIG, IMODEL, Office

from twinsyncd.config import load, setup_of
from twinsyncd.config.timetable import window
from twinsyncd.core.decision import Decision
from twinsyncd.core.model import (
    ConnectionKey,
    ConnectionRow,
    Digest,
    FileKey,
    FileRow,
    Fingerprint,
    LaneKey,
    LaneRow,
    SourceKey,
)
from twinsyncd.core.setup import always_open
from twinsyncd.runtime.formatting import clock_time

LOOK = Fingerprint(100, 10**9, 7)
V1 = Digest("v1")
WAITING = FileRow(FileKey(SourceKey(CAD), "a.dgn"), LOOK, V1, V1, in_connection=True)


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine in central Europe, whose clock changes twice a year."""
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("berlin")
@pytest.mark.parametrize(
    ("text", "now", "opens"),
    [
        ("Mon-Fri 18:00-06:00", "2026-03-02T12:00:30+01:00", "2026-03-02T18:00:00+01:00"),
        ("Mon-Fri 18:00-06:00", "2026-03-03T05:59:59+01:00", "2026-03-03T05:59:59+01:00"),
        ("Mon-Fri 18:00-06:00", "2026-03-03T06:00:00+01:00", "2026-03-03T18:00:00+01:00"),
        ("Mon-Fri 18:00-06:00", "2026-03-07T12:00:00+01:00", "2026-03-09T18:00:00+01:00"),
        ("Sun 22:00-06:00", "2026-03-02T06:30:00+01:00", "2026-03-08T22:00:00+01:00"),
        ("always", "2026-03-02T12:00:00+01:00", "2026-03-02T12:00:00+01:00"),
        ("Sun 03:30-05:00", "2026-03-28T20:00:00+01:00", "2026-03-29T03:30:00+02:00"),
        ("Sun 02:30-05:00", "2026-10-25T02:15:00+01:00", "2026-10-25T02:30:00+01:00"),
    ],
    ids=["day", "night", "end", "weekend", "week", "always", "summer", "the hour comes twice"],
)
def test_a_window_opens_when_people_expect_it(text: str, now: str, opens: str) -> None:
    """An hour too early is a run in office hours."""
    found = window(text).opens_s(datetime.fromisoformat(now).timestamp())

    assert datetime.fromtimestamp(found, UTC) == datetime.fromisoformat(opens)


@pytest.fixture
def office(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Office:
    """An office whose runs begin in a window that is closed now, with one file that waits."""
    office = Office(tmp_path, monkeypatch, capsys)
    office.save("a.dgn")
    day = datetime.fromtimestamp(time.time() + 3 * 86_400.0)  # noqa: DTZ006 - of this machine
    named = f'imodel_id = "{IMODEL}"'
    office.configure(CONFIG.replace(named, f'{named}\nwindow = "{day:%a} 10:00-11:00"'))
    lane = LaneRow(LaneKey(IMODEL), connection=ConnectionKey("Bridge 12"))
    office.remember(Decision(files=(WAITING,), lanes=(lane,)), beat_s=time.time())
    return office


def test_status_says_when_the_window_opens_and_how_not_to_wait(office: Office) -> None:
    """ "Waiting" without an hour is a call to the help desk."""
    config = load(office.config)
    opens_s = config.connection[0].window.opens_s(time.time())

    with office.daemon_runs():
        printed = office.types("status").out

    assert f"waits for the window: 1 file uploaded, opens {clock_time(opens_s)}" in printed
    assert 'run now: twinsyncd publish "Bridge 12"' in printed
    assert opens_s > time.time()


def test_nothing_waits_once_it_was_published(office: Office) -> None:
    """The request is on its way; to ask again would not help."""
    published = ConnectionRow(
        ConnectionKey("Bridge 12"), "c1", 1_700_000_000.0, published_s=time.time()
    )
    office.remember(Decision(connections=(published,)), beat_s=time.time())

    with office.daemon_runs():
        printed = office.types("status").out

    assert "waits for the window" not in printed


def test_publishing_asks_the_running_daemon(office: Office) -> None:
    """As everything a person asks, it is a row that survives a crash."""
    with office.daemon_runs():
        printed = office.types("publish", "Bridge 12")

    assert printed.code == 0
    assert "twinsyncd status --watch" in printed.out
    assert office.asked() == [("publish", '"Bridge 12"')]


def test_publishing_a_connection_that_does_not_exist_asks_nothing(office: Office) -> None:
    """A slip must not publish all of them."""
    printed = office.types("publish", "Bridge 13")

    assert printed.code == 1
    assert "there is no connection Bridge 13" in printed.err
    assert office.asked() == []


def test_only_a_connection_with_a_timetable_is_asked_for_the_time(office: Office) -> None:
    """Thousands of connections that always run cost nothing at each decision."""
    timed = setup_of(load(office.config)).connections[0]
    office.configure(CONFIG)
    untimed = setup_of(load(office.config)).connections[0]

    assert timed.opens_s is not always_open
    assert untimed.opens_s is always_open
