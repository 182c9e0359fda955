# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""From Storage into the iModel: what is ours, what a lost answer may mean, what a result proves."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from core_script import (
    ACTIVE,
    LOOK_AT_RUN,
    START,
    STARTED,
    SUCCEEDED,
    XREF,
    A,
    B,
    Script,
    ended,
    failure,
    is_idle,
    prepare,
    prepared,
    preparing,
    result,
    running,
    settles,
    settles_meanwhile,
    starting,
    storage_id,
    store,
    stored,
    storing,
    synced,
)

from twinsyncd.core import commands, facts
from twinsyncd.core.events import EventKind
from twinsyncd.core.lane_state import HALT_S
from twinsyncd.core.model import (
    IN_DOUBT,
    Fault,
    Phase,
)
from twinsyncd.core.results import Outcome
from twinsyncd.core.run_ends import RETRY_S
from twinsyncd.core.runs import CLASH_S
from twinsyncd.core.verdict import RUN_TRIES

FIND = commands.FindRun("one", "remote")
LOST = facts.StartFailed("one", failure(Fault.TRANSIENT, "the answer was lost"))


def refused(run: str, *, ours: bool = False) -> facts.RunRefused:
    """Say 303: this run is active on the iModel."""
    return facts.RunRefused("one", run, on_our_connection=ours)


# ---- the way of a run -----------------------------------------------------------------


def test_a_run_takes_a_save_into_the_imodel() -> None:
    """The main path: prepared, asked for once, looked at until it ends, and written down."""
    script = (
        preparing()
        .lane(phase=Phase.PREPARING, connection="one")
        .hears(prepared(A, last_run="run-0"))
        .says(START)
        .lane(phase=Phase.STARTING, last_run="run-0", asks=1)
        .remembers(A, covered="v1", in_connection=True)
        .hears(STARTED)
        .says()
        .lane(phase=Phase.RUNNING, run="run-1")
        .hears(after_s=0.25)
        .says(LOOK_AT_RUN)
        .hears(SUCCEEDED)
        .says()
        .lane(phase=Phase.QUIET, run="")
        .remembers(A, synced="v1", covered="")
        .rests()
    )

    (record,) = script.history
    assert (
        record.outcome,
        record.files,
        record.ended_s - record.started_s,
    ) == (Outcome.SUCCEEDED, 1, 0.25)


def test_nothing_runs_until_the_batch_was_quiet() -> None:
    """A designer saves twenty files in a row; one run shall take them all."""
    script = storing().hears(stored(A, 1)).says().hears(after_s=20).says()

    (
        settles(script, B, 1, store(B, 1))
        .hears(stored(B, 1))
        .says()
        .hears(after_s=24.9)
        .says()
        .hears(after_s=0.1)
        .says(prepare(A, B, remote=""))
    )


def test_nothing_runs_while_a_file_is_still_being_written() -> None:
    """A batch is not complete while one of its files has not come to rest."""
    script = storing().hears(stored(A, 1)).says()
    script.hears(facts.Touched(B)).meanwhile(facts.LookFailed(B, "locked"), facts.Looked(B[0], ()))

    script.meanwhile(after_s=100)

    assert prepare(A, remote="") not in script.said


def test_looks_at_a_run_grow_rarer_up_to_the_longest_poll() -> None:
    """A small run is over in a second, a big one takes an hour: one poll must fit both (P10)."""
    script = running()
    waits = []

    for _ in range(14):
        before_s = script.at_s
        while not script.said:
            script.hears(after_s=0.125)
        waits.append(script.at_s - before_s)
        script.says(LOOK_AT_RUN).hears(ACTIVE)

    assert waits == sorted(waits)
    assert waits[0] == 0.25
    assert pytest.approx(waits[-1], abs=0.25) == 10.0


def test_an_edit_during_a_run_waits_for_the_next_run() -> None:
    """What a run was started for is frozen; a newer save needs a run of its own (P4, P6)."""
    script = settles_meanwhile(running(), B, 1)

    (
        script.says()
        .remembers(B, seen="v1", stored="")
        .hears(SUCCEEDED)
        .says(store(B, 1))
        .remembers(A, synced="v1")
        .remembers(B, synced="")
        .hears(stored(B, 1))
        .says()
        .hears(after_s=25)
        .says(prepare(B))
    )


def test_only_what_was_covered_at_the_start_counts_as_synced() -> None:
    """The run may have read the file before or after any later store: only the start is sure."""
    script = settles_meanwhile(running(), A, 2)

    (
        script.remembers(A, seen="v2", stored="v1", covered="v1")
        .meanwhile(SUCCEEDED)
        .remembers(A, seen="v2", stored=IN_DOUBT, synced="", covered="")
    )
    synced = [each for each in script.journal.events if each.kind is EventKind.FILE_SYNCED]
    assert [each.digest for each in synced] == ["v1"]


def test_a_connection_that_lacks_files_is_not_run() -> None:
    """Without its file as source file a run would end well and sync nothing."""
    (
        preparing()
        .hears(prepared())
        .says()
        .remembers(A, covered="", in_connection=False)
        .hears(after_s=1)
        .says(prepare(A))
        .hears(prepared(A))
        .says(START)
    )


def test_a_file_the_connection_refuses_is_set_aside_and_the_rest_is_run() -> None:
    """A format that the service does not know must not hold up the others (P9)."""
    script = settles(storing(), B, 1, store(B, 1)).hears(stored(A, 1), stored(B, 1)).says()

    (
        script.hears(after_s=25)
        .says(prepare(A, B, remote=""))
        .hears(facts.Prepared("one", "remote", "", (A,), ((B, "unknown format"),)))
        .says(START)
        .remembers(A, covered="v1")
        .remembers(B, covered="", aside="unknown format")
    )


def test_a_connection_with_every_file_refused_is_not_run() -> None:
    """A run without content costs the office's quota for nothing (P5)."""
    (
        preparing()
        .hears(facts.Prepared("one", "remote", "", (), ((A, "unknown format"),)))
        .says()
        .lane(phase=Phase.QUIET)
        .rests()
    )


def test_a_reference_is_covered_without_being_a_source_file() -> None:
    """A changed reference makes the run due, but is never a source file itself."""
    (
        settles(is_idle(), XREF, 1, store(XREF, 1))
        .hears(stored(XREF, 1))
        .says()
        .hears(after_s=25)
        .says(prepare(remote=""))
        .hears(prepared())
        .says(START)
        .remembers(XREF, covered="v1", in_connection=False)
        .hears(STARTED)
        .says()
        .hears(after_s=0.25)
        .says(LOOK_AT_RUN)
        .hears(ended(Outcome.SUCCEEDED))
        .says()
        .remembers(XREF, synced="v1")
    )


def test_a_connection_that_was_made_anew_consumes_everything_again() -> None:
    """Somebody deleted the connection; the new one holds no file and has consumed none."""
    (
        settles(synced(), B, 1, store(B, 1))
        .hears(stored(B, 1))
        .says()
        .hears(after_s=25)
        .says(prepare(B))
        .hears(facts.Prepared("one", "another", "", (B,)))
        .says()
        .remembers(A, synced="", in_connection=False)
        .hears(after_s=1)
        .says(prepare(B, A, remote="another"))
        .hears(facts.Prepared("one", "another", "", (B, A)))
        .says(commands.StartRun("one", "another"))
        .remembers(A, covered="v1")
        .remembers(B, covered="v1")
    )


# ---- other people's runs --------------------------------------------------------------


def test_a_foreign_run_is_waited_for_and_its_success_never_counts() -> None:
    """Its read of our file may lie before our store; only a run of ours is proof (P3)."""
    theirs = commands.LookAtRun("one", "theirs")
    (
        starting()
        .hears(refused("theirs"))
        .says()
        .lane(phase=Phase.BLOCKED, run="theirs", asks=0)
        .remembers(A, covered="")
        .hears(after_s=0.25)
        .says(theirs)
        .hears(ended(Outcome.SUCCEEDED, result(A), run="theirs"))
        .remembers(A, synced="", covered="")
        .says(prepare(A))
        .hears(prepared(A, last_run="theirs"))
        .says(START)
    )


def test_a_foreign_run_on_our_connection_is_not_ours_when_we_asked_only_once() -> None:
    """Its 303 proves that our one request started nothing, so it must be a person's (P3)."""
    (
        starting()
        .hears(refused("run-9", ours=True))
        .says()
        .lane(phase=Phase.BLOCKED, run="run-9")
        .remembers(A, covered="")
    )


@pytest.mark.parametrize("fault", [Fault.GONE, Fault.REFUSED])
def test_a_foreign_run_that_cannot_be_seen_does_not_block_for_ever(fault: Fault) -> None:
    """A run of a connection that we may not read answers 403; asking again tells when it ended."""
    (
        starting()
        .hears(refused("theirs"))
        .says()
        .hears(after_s=0.25)
        .says(commands.LookAtRun("one", "theirs"))
        .hears(facts.RunLookFailed("one", "theirs", failure(fault)))
        .says()
        .lane(phase=Phase.QUIET, halt="")
        .hears(after_s=0.5)
        .says(prepare(A))
    )


def test_start_requests_that_clash_are_asked_again_soon() -> None:
    """409 says that none of ours was taken: no doubt is left, so nothing needs looking up."""
    (
        starting()
        .hears(facts.StartClashed("one"))
        .says()
        .lane(phase=Phase.STARTING, asks=0)
        .hears(after_s=CLASH_S - 0.1)
        .says()
        .hears(after_s=0.1)
        .says(START)
        .lane(asks=1)
    )


def test_what_the_service_says_of_starts_that_clash_again_and_again_is_kept_until_a_run() -> None:
    """Whoever asks why nothing runs needs the service's words, not the count of our starts."""
    (
        starting()
        .hears(facts.StartClashed("one", "busy"))
        .says()
        .lane(wait_reason="")
        .hears(after_s=CLASH_S)
        .says(START)
        .hears(facts.StartClashed("one", "busy"))
        .says()
        .lane(phase=Phase.STARTING, wait_reason="busy")
        .hears(after_s=CLASH_S)
        .says(START)
        .hears(STARTED)
        .says()
        .lane(phase=Phase.RUNNING, wait_reason="")
    )


# ---- answers that were lost -----------------------------------------------------------


def test_after_a_lost_answer_the_new_run_is_adopted() -> None:
    """POST is not idempotent: asking blindly again would double the run (P3)."""
    (
        starting()
        .hears(LOST)
        .says()
        .lane(phase=Phase.STARTING, asks=1)
        .hears(after_s=1)
        .says(FIND)
        .hears(facts.RunFound("one", "run-1"))
        .says()
        .lane(phase=Phase.RUNNING, run="run-1", asks=0)
        .remembers(A, covered="v1")
    )


@pytest.mark.parametrize("newest", ["", "run-0"])
def test_after_a_lost_answer_without_a_new_run_it_is_asked_for_again(newest: str) -> None:
    """A request that never arrived leaves the newest run of before."""
    (
        starting()
        .hears(LOST)
        .says()
        .hears(after_s=1)
        .says(FIND)
        .hears(facts.RunFound("one", newest))
        .says(START)
        .lane(asks=2)
    )


def test_a_late_request_that_blocks_the_second_is_adopted() -> None:
    """The first request arrived after the look; its run began after our stores, so it is ours."""
    (
        starting()
        .hears(LOST)
        .says()
        .hears(after_s=1)
        .says(FIND)
        .hears(facts.RunFound("one", "run-0"))
        .says(START)
        .hears(refused("run-1", ours=True))
        .says()
        .lane(phase=Phase.RUNNING, run="run-1")
        .remembers(A, covered="v1")
    )


@pytest.mark.parametrize(
    ("run", "ours"), [("run-0", True), ("theirs", False)], ids=["older", "elsewhere"]
)
def test_a_second_request_does_not_adopt_what_cannot_be_ours(run: str, *, ours: bool) -> None:
    """An older run, or one of another connection, has not read what we stored (P3, P6)."""
    (
        starting()
        .hears(LOST)
        .says()
        .hears(after_s=1)
        .says(FIND)
        .hears(facts.RunFound("one", ""))
        .says(START)
        .hears(refused(run, ours=ours))
        .says()
        .lane(phase=Phase.BLOCKED)
        .remembers(A, covered="")
    )


def test_a_look_for_a_lost_run_that_fails_keeps_the_doubt() -> None:
    """While nobody can say whether a run began, none may be asked for (P3)."""
    (
        starting()
        .hears(LOST)
        .says()
        .hears(after_s=1)
        .says(FIND)
        .hears(facts.RunLookFailed("one", "", failure(Fault.TRANSIENT)))
        .says()
        .hears(after_s=2)
        .says(FIND)
    )


@pytest.mark.parametrize(
    ("fault", "wait_s"),
    [(Fault.THROTTLED, 7.0), (Fault.UNAUTHORISED, HALT_S), (Fault.QUOTA, HALT_S)],
)
def test_a_start_that_did_not_happen_is_asked_for_again_in_the_same_place(
    fault: Fault, wait_s: float
) -> None:
    """The service said that nothing happened, so there is nothing to look up."""
    (
        starting()
        .hears(facts.StartFailed("one", failure(fault, "no luck", 7.0)))
        .says()
        .lane(phase=Phase.STARTING, asks=0)
        .hears(after_s=wait_s - 0.1)
        .says()
        .hears(after_s=0.1)
        .says(START)
    )


def test_a_connection_that_is_gone_at_the_start_is_prepared_anew() -> None:
    """Somebody deleted it between our two calls; it must be found or made again."""
    (
        starting()
        .hears(facts.StartFailed("one", failure(Fault.GONE)))
        .says()
        .lane(phase=Phase.QUIET)
        .remembers(A, covered="")
        .hears(after_s=1)
        .says(prepare(A))
    )


def test_a_connection_that_somebody_deleted_is_made_anew_with_all_its_files() -> None:
    """It held files that count as synced; without them the new one would never hold them."""
    (
        preparing()
        .hears(prepared(A))
        .says(START)
        .hears(facts.StartFailed("one", failure(Fault.GONE)))
        .says()
        .hears(after_s=1)
        .says(prepare(A))
        .hears(facts.PrepareFailed("one", failure(Fault.GONE)))
        .says()
        .lane(phase=Phase.PREPARING, halt="")
        .remembers(A, in_connection=False, synced="")
        .hears(after_s=2)
        .says(prepare(A, remote=""))
    )


@pytest.mark.parametrize(
    ("fault", "wait_s", "halt"),
    [
        (Fault.TRANSIENT, 1.0, ""),
        (Fault.THROTTLED, 7.0, ""),
        (Fault.UNAUTHORISED, HALT_S, "no luck"),
        (Fault.REFUSED, HALT_S, "no luck"),
        (Fault.GONE, HALT_S, "no luck"),
    ],
)
def test_a_connection_that_cannot_be_prepared_is_tried_again(
    fault: Fault, wait_s: float, halt: str
) -> None:
    """Every failure has a wait with an end, and says so where only a person can help."""
    retry_after_s = 7.0 if fault is Fault.THROTTLED else 0.0
    (
        preparing()
        .hears(facts.PrepareFailed("one", failure(fault, "no luck", retry_after_s)))
        .says()
        .lane(phase=Phase.PREPARING, halt=halt)
        .hears(after_s=wait_s - 0.1)
        .says()
        .hears(after_s=0.1)
        .says(prepare(A, remote=""))
        .hears(prepared(A))
        .says(START)
        .lane(halt="", attempts=0)
    )


# ---- how it ended ---------------------------------------------------------------------


def test_a_run_that_took_nothing_is_tried_again_after_a_wait() -> None:
    """The fault was the run's, so no file is blamed and none is stored anew."""
    failing = ended(Outcome.FAILED, result(A, Outcome.FAILED))
    (
        running()
        .hears(after_s=0.25)
        .says(LOOK_AT_RUN)
        .hears(failing)
        .says()
        .remembers(A, stored="v1", synced="", covered="", aside="", attempts=1)
        .works()
        .hears(after_s=RETRY_S - 0.1)
        .says()
        .hears(after_s=0.1)
        .says(prepare(A))
    )


def test_a_file_that_fails_while_others_get_through_is_set_aside() -> None:
    """A broken drawing would otherwise cost a run of the whole project again and again (P9)."""
    script = settles(storing(), B, 1, store(B, 1)).hears(stored(A, 1), stored(B, 1)).says()
    script.hears(after_s=25).says(prepare(A, B, remote="")).hears(prepared(A, B)).says(START)

    for attempt in range(1, RUN_TRIES + 1):
        script.hears(facts.RunStarted("one", "run-1")).hears(after_s=0.25).says(LOOK_AT_RUN)
        script.hears(ended(Outcome.PARTIAL, result(A), result(B, Outcome.FAILED, message="torn")))
        script.says().remembers(A, synced="v1").remembers(B, synced="", attempts=attempt)
        if attempt < RUN_TRIES:
            script.remembers(B, aside="").hears(after_s=RETRY_S * 2.0 ** (attempt - 1))
            script.says(prepare(B)).hears(prepared(B)).says(START)

    script.remembers(B, aside="torn").rests().hears(after_s=10_000).says()


def test_a_file_that_a_person_must_mend_is_set_aside_at_once() -> None:
    """The service says itself that no repetition helps."""
    hopeless = result(A, Outcome.FAILED, message="password", user_must_act=True)
    (
        running()
        .hears(after_s=0.25)
        .says(LOOK_AT_RUN)
        .hears(ended(Outcome.FAILED, hopeless))
        .says()
        .remembers(A, aside="password", covered="")
        .rests()
    )


def test_a_run_whose_owner_is_signed_out_waits_and_blames_no_file() -> None:
    """The connection's owner must sign in again; all content stays as good as it was."""
    signed_out = facts.RunSeen("one", "run-1", Outcome.FAILED, "sign in again", unauthorised=True)
    (
        running()
        .hears(after_s=0.25)
        .says(LOOK_AT_RUN)
        .hears(signed_out)
        .says()
        .lane(phase=Phase.QUIET, halt="", wait_reason="sign in again", needs_person=True)
        .remembers(A, synced="", covered="", attempts=0, aside="")
        .hears(after_s=HALT_S)
        .says(prepare(A))
    )


def test_a_run_that_does_not_exist_any_more_proves_nothing() -> None:
    """Its connection was deleted; what it was started for needs another run."""
    (
        running()
        .hears(after_s=0.25)
        .says(LOOK_AT_RUN)
        .hears(facts.RunLookFailed("one", "run-1", failure(Fault.GONE)))
        .says()
        .lane(phase=Phase.QUIET, run="")
        .remembers(A, synced="", covered="")
        .hears(after_s=0.5)
        .says(prepare(A))
    )


@pytest.mark.parametrize(
    ("fault", "wait_s"),
    [
        (Fault.TRANSIENT, 1.0),
        (Fault.THROTTLED, 1.0),
        (Fault.UNAUTHORISED, HALT_S),
        (Fault.REFUSED, HALT_S),
    ],
)
def test_a_look_that_failed_says_nothing_about_the_run(fault: Fault, wait_s: float) -> None:
    """Until it is known how the run ended, Storage must not change (P4)."""
    (
        running()
        .hears(after_s=0.25)
        .says(LOOK_AT_RUN)
        .hears(facts.RunLookFailed("one", "run-1", failure(fault)))
        .says()
        .lane(phase=Phase.RUNNING, run="run-1")
        .hears(after_s=wait_s)
        .says(LOOK_AT_RUN)
    )


def test_a_result_about_an_unknown_item_changes_nothing() -> None:
    """Other files of the connection, added by people, have results as well."""
    stranger = facts.RunSeen(
        "one", "run-1", Outcome.SUCCEEDED, "", (result(B), result(A, Outcome.SUCCEEDED))
    )
    script = running().hears(after_s=0.25).says(LOOK_AT_RUN).hears(stranger).says().rests()

    assert {A} == set(script.journal.files)
    assert storage_id(A) == script.journal.files[A].storage_id


def starts_within(script: Script, answer: Callable[[Script], object], seconds: int) -> int:
    """Count the start requests of so many seconds when each is answered like this."""
    starts = 0
    for _ in range(seconds):
        for _ in range(8):
            if START in script.open:
                starts += 1
            if not script.open:
                break
            answer(script)
        script.meanwhile(after_s=1.0)
    return starts


def gone(script: Script) -> None:
    """Accept every start; the run it names does not exist."""
    answer_all(script, STARTED, facts.RunLookFailed("one", "run-1", failure(Fault.GONE)))


def stale(script: Script) -> None:
    """Refuse every start in favour of a run that has ended."""
    ended = facts.RunSeen("one", "theirs", Outcome.SUCCEEDED)
    answer_all(script, refused("theirs"), ended)


def clashing(script: Script) -> None:
    """Let every start meet another one."""
    answer_all(script, facts.StartClashed("one"), ACTIVE)


def answer_all(script: Script, start: facts.Fact, look: facts.Fact) -> None:
    """Answer whatever is open once."""
    for command in list(script.open):
        match command:
            case commands.Prepare():
                script.meanwhile(prepared(A, last_run="run-0"))
            case commands.StartRun():
                script.meanwhile(start)
            case commands.LookAtRun():
                script.meanwhile(look)
            case _:
                pytest.fail(f"this play is not about {command}")


@pytest.mark.parametrize("answer", [gone, stale, clashing])
def test_starts_that_bring_nothing_grow_rarer(answer: Callable[[Script], object]) -> None:
    """A service that answers wrongly would otherwise get 60 starts a minute (P10)."""
    assert starts_within(starting(), answer, 600) <= 12


def test_throttling_without_a_time_is_answered_with_growing_waits() -> None:
    """A constant second is a request rate of its own, which is what was complained about (P10)."""
    script, tries = storing(), 0

    for _ in range(120):
        if store(A, 1) in script.open:
            tries += 1
            script.meanwhile(facts.StoreFailed(A, failure(Fault.THROTTLED)))
        script.meanwhile(after_s=1.0)

    assert tries <= 8
