# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""A lane whose person is signed out or has not agreed: it waits, loses nothing, and is woken."""

from __future__ import annotations

import pytest
from core_script import (
    LOOK_AT_RUN,
    START,
    STARTED,
    A,
    Script,
    failure,
    prepare,
    prepared,
    store,
    stored,
    storing,
)

from twinsyncd.core import authorization, facts
from twinsyncd.core.authorization import DAY_S, LIFE_S
from twinsyncd.core.events import EventKind
from twinsyncd.core.model import ConnectionRow, Fault, Now, Phase
from twinsyncd.core.results import Outcome

AUTHORISED = facts.Prepared("one", "remote", "", (A,), authorised=True)
ROW = ConnectionRow("one", "remote")


def to_store() -> Script:
    """One file has settled, and its store has begun."""
    return storing()


def kinds(script: Script) -> list[EventKind]:
    """Return the kinds of all events so far."""
    return [event.kind for event in script.journal.events]


@pytest.mark.parametrize("fault", [Fault.SIGNED_OUT, Fault.NOT_AUTHORISED])
def test_a_store_that_nobody_is_signed_in_for_waits_and_is_done_after_the_sign_in(
    fault: Fault,
) -> None:
    """Whoever signs in must not have to find out which files were forgotten."""
    script = to_store().hears(facts.StoreFailed(A, failure(fault, "signed out"))).says()

    script.lane(halt="", wait_reason="signed out", needs_person=True)
    assert script.machine.waits(for_person=True) == {"imodel": "signed out"}
    script.hears(facts.SignedIn()).says(store(A, 1)).hears(stored(A, 1)).says()
    script.lane(wait_reason="", needs_person=False, attempts=0)
    assert EventKind.SIGN_IN_NEEDED in kinds(script)
    assert EventKind.LANE_HALTED not in kinds(script)


def test_the_same_lapse_is_said_once() -> None:
    """A lane that waits over a weekend must not fill the history with one sentence."""
    script = to_store()

    for _ in range(3):
        script.hears(facts.StoreFailed(A, failure(Fault.SIGNED_OUT, "signed out"))).says()
        script.hears(after_s=10.0).says(store(A, 1))

    assert kinds(script).count(EventKind.SIGN_IN_NEEDED) == 1


def test_a_halted_lane_goes_on_after_a_sign_in_too() -> None:
    """Signing in as somebody with more rights is how a missing right is corrected."""
    script = to_store().hears(facts.StoreFailed(A, failure(Fault.UNAUTHORISED))).says()

    script.hears(facts.SignedIn()).says(store(A, 1))


def test_consent_that_is_missing_keeps_the_run_waiting_not_failing() -> None:
    """A run without consent would fail in the cloud, be paid for, and blame the files."""
    script = ready_to_prepare()
    refused = facts.PrepareFailed("one", failure(Fault.NOT_AUTHORISED, "open https://a.example"))

    script.hears(refused).says()

    script.lane(phase=Phase.PREPARING, wait_reason="open https://a.example", needs_person=True)
    script.hears(facts.SignedIn(authorised=True)).says(prepare(A, remote=""))
    script.hears(AUTHORISED).says(START).hears(STARTED).says()
    script.lane(phase=Phase.RUNNING, needs_person=False)


def ready_to_prepare() -> Script:
    """One file is stored, and the connection is asked for."""
    script = to_store().hears(stored(A, 1)).says()
    return script.hears(after_s=60.0).says(prepare(A, remote=""))


def test_how_long_runs_may_act_is_counted_from_when_it_was_first_seen() -> None:
    """The service tells whether, never since when; without a memory nobody could be warned."""
    script = ready_to_prepare().hears(AUTHORISED).says(START)

    assert script.journal.connections["one"].authorised_s == script.now.wall_s


def test_a_lapse_starts_the_count_again() -> None:
    """A count from an earlier consent would warn on the wrong day."""
    script = ready_to_prepare().hears(AUTHORISED).says(START).hears(STARTED).says()
    end = facts.RunSeen("one", "run-1", Outcome.FAILED, "sign in", unauthorised=True)
    script.hears(after_s=0.25).says(LOOK_AT_RUN).hears(end).says()

    script.hears(after_s=300.0).says(prepare(A))
    script.hears(facts.PrepareFailed("one", failure(Fault.NOT_AUTHORISED))).says()

    assert script.journal.connections["one"].authorised_s == 0.0


def test_a_service_has_no_horizon() -> None:
    """Warning an administrator of a lapse that cannot come is noise for ever."""
    script = ready_to_prepare().hears(prepared(A)).says(START)

    assert script.journal.connections["one"].authorised_s == 0.0


def test_warnings_come_ten_five_and_one_day_before_the_end_and_each_once() -> None:
    """One warning is overlooked on a holiday; one per minute is filtered away."""
    row, given = authorization.authorised(ROW, Now(0.0, 1000.0)), []

    for hours in range(31 * 24):
        now = Now(0.0, 1000.0 + hours * 3600.0)
        if days := authorization.warning_days(row, now):
            given.append((hours / 24, days))
            row = ConnectionRow("one", "remote", 0.0, row.authorised_s, days)

    assert given == [(20.0, 10), (25.0, 5), (29.0, 1)]


def test_a_daemon_that_was_off_gives_the_warning_that_is_true_now() -> None:
    """Ten days left, said on the last day, is worse than nothing."""
    row = ConnectionRow("one", "remote", 0.0, 1000.0)

    assert authorization.warning_days(row, Now(0.0, 1000.0 + 29.5 * DAY_S)) == 1


def test_who_agreed_again_is_not_warned() -> None:
    """The link was opened; the count begins anew."""
    row = ConnectionRow("one", "remote", 0.0, 1000.0, 5)

    renewed = authorization.renewed(row, Now(0.0, 1000.0 + 26 * DAY_S))

    assert authorization.warning_days(renewed, Now(0.0, 1000.0 + 27 * DAY_S)) == 0
    assert authorization.warning_days(renewed, Now(0.0, 1000.0 + 47 * DAY_S)) == 10


def test_consent_that_outlives_its_days_was_renewed_at_the_earliest_possible_day() -> None:
    """Renewal leaves no sign; the safe guess is the one that warns too early."""
    row = ConnectionRow("one", "remote", 0.0, 1000.0, 1)
    now = Now(0.0, 1000.0 + LIFE_S + 1.0)

    found = authorization.authorised(row, now)

    assert (found.authorised_s, found.warned_days) == (1000.0 + 20 * DAY_S, 0)


def test_the_warning_is_an_event_of_its_connection_and_survives_a_restart() -> None:
    """Status and mail speak from events; a restart must not repeat them."""
    script = ready_to_prepare().hears(AUTHORISED).says(START).hears(STARTED).says()
    script.hears(after_s=0.25).says(LOOK_AT_RUN).dies(for_s=21 * DAY_S).meanwhile().meanwhile()

    script.dies().meanwhile()

    warned = [e for e in script.journal.events if e.kind is EventKind.AUTHORIZATION_ENDS]
    assert [(event.connection, event.text[:41]) for event in warned] == [
        ("one", "runs may act for the user for 10 days mor")
    ]
