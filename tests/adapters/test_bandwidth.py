"""Limits of bandwidth: what people write, when each holds, and that uploads keep to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cloud_script import BLOB, BlobHost, Bytes
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from twinsyncd.cloud.blobs import Blobs
from twinsyncd.cloud.send_rate import PIECE_LEAST_BYTES, SendRate, paced
from twinsyncd.cloud.upload_limits import BLOCK_BYTES
from twinsyncd.config import load
from twinsyncd.config.bandwidth import bandwidth, rate
from twinsyncd.config.timetable import window
from twinsyncd.errors import ConfigError

MONDAY = datetime(2026, 3, 2)  # noqa: DTZ001 - office hours have no zone
"""00:00 of a Monday, in this machine's time."""


def at(text: str) -> datetime:
    """Return a moment of a week, like "Wed 17:59"."""
    day, time = text.split()
    hours, minutes = map(int, time.split(":"))
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun").index(day)
    return MONDAY + timedelta(days=days, hours=hours, minutes=minutes)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("always", ("Mon 00:00", "Sun 23:59"), ()),
        (
            "Mon-Fri 08:00-18:00",
            ("Mon 08:00", "Fri 17:59"),
            ("Mon 07:59", "Fri 18:00", "Sat 12:00"),
        ),
        ("22:00-06:00", ("Tue 23:00", "Wed 05:59", "Mon 00:00"), ("Wed 06:00", "Wed 21:59")),
        ("Fri 22:00-06:00", ("Fri 22:00", "Sat 05:59"), ("Fri 05:00", "Sat 22:00")),
        ("Sun 22:00-06:00", ("Sun 23:00", "Mon 05:00"), ("Mon 06:00", "Sun 05:00")),
        ("Sat,Sun", ("Sat 00:00", "Sun 23:59"), ("Fri 23:59", "Mon 00:00")),
        ("sat-mon 6:00-24:00", ("Sat 06:00", "Mon 23:59"), ("Sun 05:59", "Tue 06:00")),
        ("Mon,Wed-Thu 12:00-13:00", ("Mon 12:30", "Thu 12:59"), ("Tue 12:30", "Fri 12:30")),
    ],
)
def test_a_window_means_what_people_read_in_it(
    text: str, inside: tuple[str, ...], outside: tuple[str, ...]
) -> None:
    """A limit that holds an hour too long costs the office an hour of its line."""
    times = window(text)

    assert [each for each in inside if not times.contains(at(each))] == []
    assert [each for each in outside if times.contains(at(each))] == []


@given(st.integers(0, 6), st.integers(0, 6), st.integers(0, 1439), st.integers(0, 1439))
def test_two_windows_that_share_their_ends_make_up_the_days(
    first: int, last: int, begin: int, end: int
) -> None:
    """No minute belongs to both halves of a day, and none to neither."""
    if begin == end:
        return
    names = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    clock = f"{begin // 60:02d}:{begin % 60:02d}-{end // 60:02d}:{end % 60:02d}"
    rest = "-".join(reversed(clock.split("-")))
    minutes = [MONDAY + timedelta(minutes=minute) for minute in range(0, 7 * 1440, 7)]

    whole, other = window(clock), window(rest)
    some = window(f"{names[first]}-{names[last]} {clock}")

    assert all(whole.contains(each) is not other.contains(each) for each in minutes)
    assert all(whole.contains(each) for each in minutes if some.contains(each))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Mon-Fri 8-18", "not a time of the week"),
        ("Mo-Fr 08:00-18:00", "not a time of the week"),
        ("Mon-Fry 08:00-18:00", 'the day "Fry"'),
        ("08:00-25:00", "no time 25:00"),
        ("08:61-09:00", "no time 08:61"),
        ("08:00-08:00", "begins and ends at once"),
        ("", "not a time of the week"),
        (7, "not a time of the week"),
    ],
)
def test_a_window_that_nobody_can_read_is_refused(text: object, named: str) -> None:
    """A mistake in it would show at three in the morning."""
    with pytest.raises(PydanticCustomError, match=named):
        window(text)


@pytest.mark.parametrize(
    ("text", "bytes_per_s"),
    [
        ("20 MB/s", 20e6),
        ("20MiB/s", 20 * 2**20),
        ("100 Mbit/s", 12.5e6),
        ("0.5 Gbit/s", 62.5e6),
        ("640 kbit/s", 80e3),
        ("640 KB/s", 640e3),
        ("unlimited", None),
    ],
)
def test_rates_are_written_with_their_unit(text: str, bytes_per_s: float | None) -> None:
    """Bits and bytes differ by eight; providers sell bits, programs show bytes."""
    assert rate(text) == bytes_per_s


@pytest.mark.parametrize("text", ["20", "20 MB", "fast", "0 MB/s", "1 kB/s", "20 Mb/s", 20])
def test_a_rate_that_could_mean_two_things_is_refused(text: object) -> None:
    """A guess would be wrong by a factor of eight, or of a thousand."""
    with pytest.raises(PydanticCustomError):
        rate(text)


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("500KB", 'write "500 kB/s"'),
        ("2,5 mbit", 'write "2.5 Mbit/s"'),
        ("20 MBps", 'write "20 MB/s"'),
        ("20 Mb/s", 'write "20 MB/s" for bytes, or "20 Mbit/s" for bits'),
        ("3 mib/sec", 'write "3 MiB/s"'),
        ("fast", 'write a number and a unit, like "20 MB/s"'),
    ],
)
def test_the_rate_that_was_meant_is_named(text: str, fix: str) -> None:
    """Every program writes its units in other letters."""
    with pytest.raises(PydanticCustomError) as refused:
        rate(text)

    assert str((refused.value.context or {})["fix"]).startswith(fix)


def test_the_first_window_that_fits_decides() -> None:
    """Office hours come before "always", in the order in which people wrote them."""
    limits = bandwidth(
        {"Mon-Fri 08:00-18:00": "2 MB/s", "Sat,Sun": "unlimited", "always": "8 MB/s"}
    )

    found = [limits.at(at(each)) for each in ("Tue 09:00", "Sat 09:00", "Tue 20:00")]

    assert found == [2e6, None, 8e6]


def test_outside_of_all_windows_there_is_no_limit() -> None:
    """A table of office hours alone says nothing about the night."""
    assert bandwidth({"Mon-Fri 08:00-18:00": "2 MB/s"}).at(at("Sat 09:00")) is None


def test_a_mistake_is_reported_with_its_line(tmp_path: Path) -> None:
    """The error names file, line, key and fix, like every other."""
    file = tmp_path / "twinsyncd.toml"
    file.write_text('[daemon]\nuploads = 8\nbandwidth = "20 Mb/s"\n', "utf-8")

    with pytest.raises(ConfigError) as caught:
        load(file, {})

    mistakes = [each for each in caught.value.mistakes if "bandwidth" in each.key]
    assert [(each.line, "20 Mbit/s" in each.fix) for each in mistakes] == [(3, True)]


# ---- keeping to it ----------------------------------------------------------------------------


@dataclass
class Clock:
    """Seconds that pass while somebody sleeps."""

    now_s: float = 0.0
    naps: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now_s += seconds


def test_sending_takes_as_long_as_the_rate_says() -> None:
    """Ten megabytes at one megabyte a second are ten seconds, whatever the pieces."""
    clock = Clock()
    limit = SendRate(lambda: 1e6, sleep=clock.sleep, clock=clock)
    pieces = [bytes(1 << 20), bytes(3_000_000), bytes(5_951_424)]

    sent = b"".join(paced(pieces, [limit]))

    assert sent == b"".join(pieces)
    assert clock.now_s == pytest.approx(len(sent) / 1e6, abs=0.26)


def test_no_pause_is_long_enough_for_a_server_to_hang_up() -> None:
    """At a slow rate a whole block would be sent at once, and nothing for a minute after."""
    clock = Clock()
    limit = SendRate(lambda: 64e3, sleep=clock.sleep, clock=clock)

    sizes = [len(piece) for piece in paced([bytes(1 << 20)], [limit])]

    assert max(sizes) == PIECE_LEAST_BYTES
    assert max(clock.naps) < 1.0


def test_the_tightest_of_several_limits_counts() -> None:
    """The connection's limit holds within that of the program, not beside it."""
    clock = Clock()
    limits = [
        SendRate(lambda speed=speed: speed, sleep=clock.sleep, clock=clock)  # type: ignore[misc]
        for speed in (4e6, 1e6)
    ]

    list(paced([bytes(4_000_000)], limits))

    assert clock.now_s == pytest.approx(4.0, abs=0.3)


def test_a_limit_that_ends_in_the_middle_lets_the_rest_go() -> None:
    """At 18:00 the line is free; a file that began at noon must not crawl on until midnight."""
    clock = Clock()
    limit = SendRate(lambda: 1e6 if clock.now_s < 2.0 else None, sleep=clock.sleep, clock=clock)

    list(paced([bytes(1_000_000)] * 60, [limit]))

    assert clock.now_s == pytest.approx(2.0, abs=0.3)


def test_uploads_keep_to_the_limit_of_the_program_and_of_their_connection() -> None:
    """The limit reaches the bytes, in small files and in blocks."""
    clock, host = Clock(), BlobHost()
    http = httpx.Client(transport=httpx.MockTransport(host))
    total = SendRate(lambda: 8e6, sleep=clock.sleep, clock=clock)
    own = SendRate(lambda: 4e6, sleep=clock.sleep, clock=clock)
    blobs, data = Blobs(http, rate=total), bytes(2 * BLOCK_BYTES)

    blobs.upload(Bytes(data), BLOB, str, first=True, rate=own)
    blobs.upload(Bytes(data[:BLOCK_BYTES]), BLOB.replace("one", "two"), str, first=True)

    assert [len(content) for _, content in host.blobs.values()] == [2 * BLOCK_BYTES, BLOCK_BYTES]
    assert clock.now_s >= 2 * BLOCK_BYTES / 4e6 + BLOCK_BYTES / 8e6 - 0.6
