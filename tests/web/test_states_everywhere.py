"""Each of the twenty states says the same on a terminal and in a message as on the page."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from twinsyncd.cli.status_text import status_lines
from twinsyncd.core.events import EventKind
from twinsyncd.notify.messages import began_words
from twinsyncd.notify.plan import Timing, plan
from twinsyncd.runtime.conditions import conditions_of
from twinsyncd.runtime.formatting import clock_time
from twinsyncd.runtime.overall_state import OverallState

from .page_scene import HOUR_S, NOW_S
from .states import ARTICLE, CONSENT, STATES, State, office_in, waiting

ONLY_ON_THE_PAGE = ("Approve", "Try again now", "Try again", "40 missing files")
"""Names of buttons, and what stands beside them."""


def state_of(state: State, folder: Path) -> OverallState:
    """Return what the journal of this state says."""
    with office_in(state, folder) as office:
        report, figures = office.report(), office.data.figures(NOW_S - 24 * HOUR_S)
        return OverallState(report, figures, conditions_of(report, NOW_S), NOW_S)


def words_of(state: State) -> list[str]:
    """Return the words that must be understood without the page's buttons and links."""
    named = [ARTICLE if word.startswith("href=") else word for word in state.words]
    return [word for word in named if word not in ONLY_ON_THE_PAGE]


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
def test_a_terminal_shows_each_state_with_what_to_do(state: State, tmp_path: Path) -> None:
    """Many administrators never open the page."""
    seen = state_of(state, tmp_path)
    console = Console(width=100, no_color=True, file=(out := StringIO()))
    for line in status_lines(seen, files=20):
        console.print(line, soft_wrap=True)
    shown = out.getvalue()

    meant = next(each for each in seen.conditions if each.kind is state.kind)
    assert [word for word in words_of(state) if word not in shown] == []
    assert f"→ {meant.fix}" in shown
    assert not meant.since_s or f"since {clock_time(meant.since_s)}" in shown
    needs_person = shown.index("\nneeds a person") if state.level.value == "bad" else -1
    assert needs_person < shown.index(f"{meant.about}: ")
    assert len(shown.splitlines()) <= 45, "it must fit on a screen"


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
def test_a_message_says_each_state_with_what_to_do(state: State, tmp_path: Path) -> None:
    """It is read on a lock screen, by somebody who is not at their desk."""
    seen = state_of(state, tmp_path)
    timing = Timing(group_s=0.0, outage_s=0.0)
    alerts = plan(seen.conditions, {}, timing, NOW_S).began

    title, body = began_words(alerts, NOW_S)

    meant = next(each for each in seen.conditions if each.kind is state.kind)
    about_it = [word for word in words_of(state) if word in f"{meant.about} {meant.text}"]
    assert title.startswith("Needs a person: ") is (state.level.value == "bad")
    assert meant.about.rpartition("/")[2] in f"{title}\n{body}"
    assert about_it
    assert [word for word in about_it if word not in body] == []
    assert meant.fix in body


@pytest.mark.parametrize(
    ("reason", "more", "fix"),
    [
        (f"not agreed; open {CONSENT}", {"needs_person": True}, "open the page named above"),
        ("nobody has signed in", {"needs_person": True}, "run: twinsyncd login"),
        ("HTTP 429", {"throttles": 3}, "nothing to do: it goes on by itself"),
        ("HTTP 503", {}, "it is tried again by itself; act if the reason"),
    ],
)
def test_a_wait_says_what_its_reader_can_do(
    reason: str, more: dict[str, bool | int], fix: str, tmp_path: Path
) -> None:
    """Who is signed out looked for a page that nobody named; a rate limit is no errand at all."""
    kind = EventKind.SIGN_IN_NEEDED if "needs_person" in more else EventKind.LANE_WAITS
    state = replace(STATES[0], decision=waiting(reason, kind, **more))

    (found,) = (each for each in state_of(state, tmp_path).conditions if reason in each.text)

    assert found.fix.startswith(fix)
