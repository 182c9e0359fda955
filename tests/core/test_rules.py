# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""The small rules the machine is made of, as tables: waits, needs, deletions, verdicts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core_script import A, B, look, result
from hypothesis import given
from hypothesis import strategies as st

from twinsyncd.core import waits
from twinsyncd.core.facts import RunSeen
from twinsyncd.core.model import ABSENT, IN_DOUBT, FileRow, Need, need
from twinsyncd.core.results import FileResult, Outcome
from twinsyncd.core.safety import CONFIRM_S, confirmed, is_mass_deletion, still_missing
from twinsyncd.core.setup import Guard
from twinsyncd.core.verdict import NO_TASK, RUN_TRIES, judge
from twinsyncd.core.waits import CAP_S, delay_s

# ---- waits --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attempts", "jitter", "expected_s"),
    [
        (0, 0.0, 1.0),
        (1, 0.0, 1.0),
        (2, 0.0, 2.0),
        (5, 0.0, 16.0),
        (9, 0.0, 256.0),
        (10, 0.0, CAP_S),
        (10_000, 0.0, CAP_S),
        (1, 0.5, 0.75),
        (10, 0.999, CAP_S * 0.5005),
    ],
)
def test_waits_double_up_to_a_cap(attempts: int, jitter: float, expected_s: float) -> None:
    """The table says how soon an outage's end is noticed, and how little it costs till then."""
    assert delay_s(attempts, jitter) == pytest.approx(expected_s)


@given(
    attempts=st.integers(min_value=-5, max_value=10**9),
    jitter=st.floats(min_value=0.0, max_value=1.0, exclude_max=True),
    base_s=st.floats(min_value=0.01, max_value=60.0),
)
def test_no_wait_is_zero_or_longer_than_the_cap(
    attempts: int, jitter: float, base_s: float
) -> None:
    """A wait of nothing spins, a wait without end is a hang (P10)."""
    waited_s = delay_s(attempts, jitter, base_s=base_s)

    assert min(base_s, CAP_S) / 2 <= waited_s <= CAP_S
    assert waits.BASE_S < CAP_S


# ---- need ---------------------------------------------------------------------------------

KEPT = FileRow(A, look(1), seen="v1", stored="v1", synced="v1", storage_id="i", in_connection=True)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        pytest.param(FileRow(A), Need.NOTHING, id="never settled"),
        pytest.param(KEPT, Need.NOTHING, id="in sync"),
        pytest.param(FileRow(A, look(1), seen="v1"), Need.STORE, id="new"),
        pytest.param(replace(KEPT, seen="v2"), Need.STORE, id="edited"),
        pytest.param(replace(KEPT, stored=IN_DOUBT), Need.STORE, id="in doubt"),
        pytest.param(replace(KEPT, stored="v2"), Need.STORE, id="restored after a store"),
        pytest.param(replace(KEPT, synced=ABSENT), Need.RUN, id="stored"),
        pytest.param(replace(KEPT, synced="v0"), Need.RUN, id="stored again"),
        pytest.param(replace(KEPT, seen=ABSENT), Need.NOTHING, id="gone from the drive"),
        pytest.param(replace(KEPT, seen="v2", aside="no"), Need.ASIDE, id="set aside"),
        pytest.param(replace(KEPT, unread="locked"), Need.ASIDE, id="unreadable"),
        pytest.param(FileRow(A, unread="locked"), Need.ASIDE, id="never readable"),
    ],
)
def test_what_a_file_needs_is_where_its_digests_differ(row: FileRow, expected: Need) -> None:
    """There is no queue: this function alone says what work is left."""
    assert need(row) is expected


@given(
    st.builds(
        FileRow,
        key=st.just(A),
        seen=st.sampled_from([ABSENT, "v1", "v2"]),
        stored=st.sampled_from([ABSENT, IN_DOUBT, "v1", "v2"]),
        synced=st.sampled_from([ABSENT, "v1", "v2"]),
    )
)
def test_a_file_on_the_drive_needs_nothing_only_when_all_three_agree(row: FileRow) -> None:
    """This is what "in sync" means to the status, the exit code and the proof (P2)."""
    agree = row.seen == row.stored == row.synced

    assert (need(row) is Need.NOTHING) == (agree or row.seen == ABSENT)


# ---- safety -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "missing", "expected"),
    [
        (0, 0, False),
        (5, 5, False),  # a small folder may be emptied by hand
        (12, 9, False),
        (12, 10, True),
        (100, 20, False),
        (100, 21, True),
        (10_000, 2_000, False),
        (10_000, 2_001, True),
        (10, 10, True),
    ],
)
def test_many_files_gone_at_once_are_a_mishap(known: int, missing: int, *, expected: bool) -> None:
    """Both halves matter: a share of a big source, and a number worth a person's time."""
    assert is_mass_deletion(known, missing, Guard()) is expected


@pytest.mark.parametrize(
    ("guard", "expected"),
    [
        (Guard(share=0.5, least=10), False),
        (Guard(share=0.2, least=31), False),
        (Guard(share=0.2, least=30), True),
        (Guard(share=0.29, least=1), True),
    ],
)
def test_how_many_are_a_mishap_is_configured(guard: Guard, *, expected: bool) -> None:
    """An office that tidies up in masses must not learn to approve without reading."""
    assert is_mass_deletion(100, 30, guard) is expected


def test_each_absence_counts_from_its_own_beginning() -> None:
    """A file that came back in between starts afresh; one that never did keeps its time."""
    first = still_missing({}, ["a", "b"], 100.0)
    second = still_missing(first, ["b", "c"], 160.0)

    assert second == {"b": 100.0, "c": 160.0}
    assert confirmed(second, 100.0 + CONFIRM_S - 0.1) == []
    assert confirmed(second, 100.0 + CONFIRM_S) == ["b"]


# ---- verdict ------------------------------------------------------------------------------

COVERED = FileRow(
    A,
    look(1),
    seen="v1",
    stored="v1",
    covered="v1",
    storage_id="item:a.dgn",
    in_connection=True,
    attempts=1,
)
REFERENCE = replace(COVERED, in_connection=False)
GOT_IN = replace(COVERED, synced="v1", covered=ABSENT, attempts=0)
LEFT_OUT = replace(COVERED, covered=ABSENT)
FAILED = replace(COVERED, covered=ABSENT, attempts=2, note="torn")
UNMENTIONED = replace(COVERED, covered=ABSENT, attempts=2, in_connection=False, note=NO_TASK)
TORN = result(A, Outcome.FAILED, message="torn")
OK, BAD, SOME = Outcome.SUCCEEDED, Outcome.FAILED, Outcome.PARTIAL


def seen(outcome: Outcome, *files: FileResult, unauthorised: bool = False) -> RunSeen:
    """Say how a run ended."""
    return RunSeen("one", "run-1", outcome, files=files, unauthorised=unauthorised)


@pytest.mark.parametrize(
    ("run", "row", "expected"),
    [
        pytest.param(seen(OK, result(A)), COVERED, GOT_IN, id="run and file succeeded"),
        pytest.param(seen(OK), COVERED, GOT_IN, id="a success without results"),
        pytest.param(seen(SOME, result(A)), COVERED, GOT_IN, id="one of some"),
        pytest.param(seen(BAD, result(A)), COVERED, GOT_IN, id="failed later, for another"),
        pytest.param(seen(OK, TORN), COVERED, FAILED, id="the file says otherwise"),
        pytest.param(seen(SOME, TORN), COVERED, FAILED, id="failed among others"),
        pytest.param(seen(BAD, TORN), COVERED, FAILED, id="failed with all"),
        pytest.param(seen(SOME, result(B)), COVERED, UNMENTIONED, id="no word in a partial run"),
        pytest.param(seen(BAD), COVERED, UNMENTIONED, id="no word in a failed run"),
        pytest.param(
            seen(SOME, result(B)),
            REFERENCE,
            replace(REFERENCE, synced="v1", covered=ABSENT, attempts=0),
            id="a reference in a partial run",
        ),
        pytest.param(
            seen(BAD),
            REFERENCE,
            replace(REFERENCE, covered=ABSENT, attempts=2, note=NO_TASK),
            id="a reference in a failed run",
        ),
        pytest.param(seen(BAD, unauthorised=True), COVERED, LEFT_OUT, id="signed out"),
        pytest.param(
            seen(SOME, result(A), unauthorised=True), COVERED, GOT_IN, id="in before the sign-out"
        ),
        pytest.param(
            seen(BAD, TORN),
            replace(COVERED, seen="v2"),
            replace(COVERED, seen="v2", covered=ABSENT),
            id="failed, but replaced already",
        ),
        pytest.param(
            seen(OK, result(A)),
            replace(COVERED, seen="v2"),
            replace(COVERED, seen="v2", synced="v1", covered=ABSENT, attempts=0),
            id="edited meanwhile: the covered content got in, not the newer",
        ),
        pytest.param(
            seen(OK, result(A)),
            replace(COVERED, stored=IN_DOUBT, seen="v2"),
            replace(COVERED, stored=IN_DOUBT, seen="v2", synced="v1", covered="", attempts=0),
            id="in doubt by now: what was covered got in",
        ),
    ],
)
def test_what_a_run_means_for_a_file(run: RunSeen, row: FileRow, expected: FileRow) -> None:
    """Only content the run was started for may count, and only blame that is deserved (P6, P9)."""
    (verdict,) = judge(run, [row])

    assert verdict.row == expected
    assert verdict.failed is bool(expected.note)


@pytest.mark.parametrize(
    ("outcome", "attempts", "must_act", "aside"),
    [
        (SOME, RUN_TRIES - 1, False, "torn"),
        (SOME, RUN_TRIES - 2, False, ""),
        (BAD, 100, False, ""),  # a run that took nothing says nothing about its files
        (BAD, 0, True, "torn"),
        (SOME, 0, True, "torn"),
    ],
)
def test_a_file_is_set_aside_when_the_fault_is_its_own(
    outcome: Outcome, attempts: int, *, must_act: bool, aside: str
) -> None:
    """Set aside too soon it is missing from the model; too late it costs runs for ever (P9)."""
    run = seen(outcome, result(A, BAD, message="torn", user_must_act=must_act))

    (verdict,) = judge(run, [replace(COVERED, attempts=attempts)])

    assert verdict.row.aside == aside


def test_no_row_is_judged_by_another_files_result() -> None:
    """Results are matched by the service's id, never by order."""
    other = replace(COVERED, key=B, storage_id="item:b.dgn")
    run = seen(SOME, result(B, BAD), result(A))

    first, second = judge(run, [COVERED, other])

    assert (first.row.synced, first.failed) == ("v1", False)
    assert (second.row.synced, second.failed) == (ABSENT, True)
