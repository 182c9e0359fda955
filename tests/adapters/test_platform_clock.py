"""This machine's clock is compared with the time of each answer."""

from __future__ import annotations

import httpx
import pytest

from twinsyncd.cloud.platform_clock import PlatformClock
from twinsyncd.cloud.session import CloudSettings, open_cloud

NOON_S = 1_764_244_800.0  # 2025-11-27 12:00 UTC
TWO_HOURS_AGO = {"date": "Thu, 27 Nov 2025 10:00:00 GMT"}


@pytest.mark.parametrize(
    ("headers", "ahead_s"),
    [
        (TWO_HOURS_AGO, 7200.0),
        ({"date": "Thu, 27 Nov 2025 12:01:30 GMT"}, -90.0),
        (TWO_HOURS_AGO | {"age": "7200"}, 0.0),  # a proxy had stored it
        ({"date": "yesterday"}, 0.0),
        ({}, 0.0),
    ],
)
def test_the_time_of_an_answer_says_how_wrong_the_clock_is(
    headers: dict[str, str], ahead_s: float
) -> None:
    """Whatever else the answer says; one without a time says nothing."""
    clock = PlatformClock(lambda: NOON_S)

    clock.note(httpx.Response(503, headers=headers))

    assert clock.ahead_s == ahead_s


def test_every_client_of_the_platform_compares_the_clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused sign-in tells as well: then nothing else is answered."""
    monkeypatch.setattr("time.time", lambda: NOON_S)
    transport = httpx.MockTransport(lambda _request: httpx.Response(401, headers=TWO_HOURS_AGO))
    settings = CloudSettings("service-abc", str)

    with open_cloud(settings, transport=transport) as cloud:
        before = cloud.clock.ahead_s
        cloud.issuer.http.get("https://ims.example.com/")
        after = cloud.clock.ahead_s

    assert (before, after) == (0.0, 7200.0)
