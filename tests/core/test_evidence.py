# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""Evidence of a run: a file is synced by its own task, and never by silence about it (P12)."""

from __future__ import annotations

from core_script import A, B, ended, prepare, prepared, result, running

from twinsyncd.core import commands, facts
from twinsyncd.core.results import Outcome
from twinsyncd.core.run_ends import RETRY_S

LOOK_AT_RUN = commands.LookAtRun("one", "run-1")
STARTED = facts.RunStarted("one", "run-1")
OTHER = result(B)


def test_a_file_without_a_task_among_others_is_not_proven_and_is_mapped_again() -> None:
    """Somebody removed its source file in the portal: the run succeeds and never read it."""
    (
        running()
        .hears(after_s=0.25)
        .says(LOOK_AT_RUN)
        .hears(ended(Outcome.SUCCEEDED, OTHER))
        .says()
        .remembers(A, stored="v1", synced="", covered="", aside="", in_connection=False)
        .works()
        .hears(after_s=RETRY_S)
        .says(prepare(A))
    )


def test_a_run_that_names_no_task_at_all_proves_what_the_preparation_saw() -> None:
    """Some answers leave out the list; the preparation saw the file in the connection."""
    (
        running()
        .hears(after_s=0.25)
        .says(LOOK_AT_RUN)
        .hears(ended(Outcome.SUCCEEDED))
        .says()
        .remembers(A, synced="v1", covered="")
        .rests()
    )


def test_a_skipped_file_waits_longer_each_time() -> None:
    """Every run costs the office time; a service that skips it again will go on doing so."""
    skipped = result(A, Outcome.SKIPPED, message="skipped")
    script = running()

    for attempt in (1, 2):
        script.hears(after_s=0.25).says(LOOK_AT_RUN).hears(ended(Outcome.SUCCEEDED, skipped))
        script.says().remembers(A, synced="", aside="", attempts=attempt, in_connection=True)
        script.works().hears(after_s=RETRY_S * 2.0 ** (attempt - 1) - 0.1).says()
        script.hears(after_s=0.1).says(prepare(A)).hears(prepared(A))
        script.says(commands.StartRun("one", "remote")).hears(STARTED).says()
