"""How far uploads are: counted while they are sent, and written for people."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from twinsyncd.core.progress import RequestPacing, UploadsUnderWay
from twinsyncd.journal.views import DaemonRow
from twinsyncd.runtime.formatting import clock_time
from twinsyncd.runtime.report_lines import daemon_line
from twinsyncd.runtime.upload_progress import WINDOW_S, UploadProgress

MIB = 1 << 20


@dataclass
class Clock:
    """Seconds that pass when the test says so."""

    now_s: float = 100.0

    def __call__(self) -> float:
        return self.now_s


def line(uploads: UploadsUnderWay | None) -> str:
    """Return what status says of a daemon with these uploads."""
    row = DaemonRow(7, "1.0", 0.0, 1000.0, is_idle=False, unsettled=0, uploads=uploads)
    return str(daemon_line(row, running=True, now_s=1001.0))


def test_uploads_under_way_are_counted_together() -> None:
    """People ask how far it is, not which thread is where."""
    clock = Clock()
    progress = UploadProgress(clock=clock)

    with progress.upload(10 * MIB) as first, progress.upload(30 * MIB) as second:
        clock.now_s += 4.0
        first(4 * MIB)
        second(4 * MIB)
        seen = progress.now()

    assert seen == UploadsUnderWay(2, 8 * MIB, 40 * MIB, 2.0 * MIB)
    assert seen.left_s == pytest.approx(16.0)


def test_an_upload_that_ended_is_not_shown() -> None:
    """A finished file that goes on being shown looks like one that hangs."""
    progress = UploadProgress(clock=Clock())

    with progress.upload(MIB) as taken:
        taken(MIB)

    assert progress.now() is None


def test_the_speed_is_that_of_the_last_seconds() -> None:
    """At 18:00 the limit ends; the time left must not remember the whole day."""
    clock = Clock()
    progress = UploadProgress(clock=clock)

    with progress.upload(100 * MIB) as taken:
        taken(50 * MIB)
        clock.now_s += WINDOW_S + 1.0
        taken(MIB)
        seen = progress.now()

    assert seen is not None
    assert seen.bytes_per_s == pytest.approx(MIB / WINDOW_S)


def test_a_line_that_stands_still_has_no_time_left() -> None:
    """A number made of nothing would be a lie."""
    clock = Clock()
    progress = UploadProgress(clock=clock)

    with progress.upload(MIB):
        clock.now_s += 60.0
        seen = progress.now()

    assert seen == UploadsUnderWay(1, 0, MIB, 0.0)
    assert seen.left_s is None


def test_content_that_is_read_twice_is_never_more_than_all_of_it() -> None:
    """A retry begins again; 130 % would make people doubt everything else."""
    progress = UploadProgress(clock=Clock())

    with progress.upload(MIB) as taken:
        taken(MIB)
        taken(MIB)
        seen = progress.now()

    assert seen is not None
    assert (seen.sent_bytes, seen.total_bytes) == (MIB, MIB)


def test_status_says_how_far_how_fast_and_how_long() -> None:
    """Whoever waits for a gigabyte wants to know whether to fetch a coffee or to go home."""
    uploads = UploadsUnderWay(2, 1536 * MIB, 3072 * MIB, 32.0 * MIB)

    assert "uploading 2 files: 1.5 GiB of 3.0 GiB at 32.0 MiB/s, 48 s left" in line(uploads)


def test_status_says_nothing_of_uploads_when_there_are_none() -> None:
    """Most of the time nothing goes up."""
    assert "uploading" not in line(None)


def test_status_names_the_rate_limit_that_keeps_work_slow() -> None:
    """An office that waits must not look for the fault in its own line."""
    pacing = RequestPacing("api.example.com", 12, 500, 1_700_000_060.0)
    row = DaemonRow(7, "1.0", 0.0, 1000.0, is_idle=False, unsettled=0, pacing=pacing)

    printed = str(daemon_line(row, running=True, now_s=1000.0))

    assert "kept slow by the rate limit of api.example.com: 12 requests of 500 left" in printed
    assert printed.endswith(f"left until {clock_time(1_700_000_060.0)}")
