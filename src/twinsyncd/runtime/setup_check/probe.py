"""Probes the platform: writes into a scratch folder of Storage, and keeps what it finds out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

from ...cloud.access_check import CheckResult
from ...cloud.platform_profile import LAG_MAX_S, PlatformProfile
from ...cloud.session import open_cloud
from ...config import Config
from ...errors import CloudError
from ..cloud_wiring import cloud_settings
from ..state import journal_file

_STEP = "probe the platform"


def probe_results(config: Config) -> Iterator[CheckResult]:
    """Yield what each experiment found; the profile is kept in the state folder."""
    itwin_id = next((each.itwin_id for each in config.connection if each.target == "storage"), "")
    if not itwin_id:
        yield CheckResult(_STEP, True, "nothing to find out: no connection uses Storage")
        return
    with open_cloud(cloud_settings(config)) as cloud:
        try:
            found = replace(cloud.probe.examine(itwin_id), probed_s=time.time())
        except CloudError as exc:
            fix = "correct what failed above, then probe again"
            yield CheckResult(_STEP, False, exc.failure.message, fix)
            return
        finally:
            left_over = cloud.probe.left_over
    yield from _answers(found)
    if left_over:
        yield CheckResult(_STEP, True, left_over, "delete it in the portal")
    yield _kept(config, found)


def _kept(config: Config, found: PlatformProfile) -> CheckResult:
    try:
        file = found.write(journal_file(config).parent)
    except OSError as exc:
        fix = "give this account the right to write there"
        return CheckResult("keep the platform profile", False, str(exc), fix)
    found_there = f"{file}; a daemon that runs follows it after its next start"
    return CheckResult("keep the platform profile", True, found_there)


def _answers(found: PlatformProfile) -> Iterator[CheckResult]:
    begins_again = "a broken upload begins again" if not found.may_resume() else ""
    early = "URLs are renewed before they end" if found.renews_early() else ""
    new_file = "an upload whose URL ends begins again" if not found.renews_unfinished() else ""
    questions = (
        ("an upload URL may list the blocks it received", found.lists_blocks, begins_again),
        ("a further upload URL ends the one before", found.second_url_voids_first, early),
        ("both URLs write to one place", found.second_url_same_blob, begins_again),
        ("an unfinished file gets a further upload URL", found.reopens_unfinished, new_file),
        ("an unfinished file is listed in its folder", found.lists_unfinished, ""),
    )
    words = {True: "yes", False: "no", None: "not found out; the safest is assumed"}
    for question, answer, follows in questions:
        text = "; ".join(filter(None, (words[answer], follows)))
        yield CheckResult(f"probe: {question}", True, text)
    lag_s = found.listing_lag_s
    lag = f"not within {LAG_MAX_S:.0f} s" if lag_s is None else f"after {lag_s:.1f} s"
    wait_s = found.listing_wait_s()
    waits = f"; a doubtful listing waits {wait_s:.1f} s" if wait_s else ""
    yield CheckResult("probe: a completed file is listed", True, f"{lag}{waits}")
    names = ", ".join(found.rate_headers) or "none"
    yield CheckResult("probe: headers about the rate limit", True, names)
