"""What a finished run of ours means for each file it was started for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from .facts import RunSeen
from .model import ABSENT, FileRow
from .results import FileResult, Outcome

NO_TASK: Final = "the run did not process this file; it is uploaded, but not proven"
RUN_TRIES: Final = 3  # runs that others got through, before the file is set aside


@dataclass(frozen=True, slots=True)
class Verdict:
    """`row` to be stored; `failed`: this content was not processed, and `row.note` says why.

    `covered` is the row as the run was started for it; `result` is its own, if there was one.
    """

    row: FileRow
    covered: FileRow
    result: FileResult | None = None
    failed: bool = False

    @property
    def outcome(self) -> Outcome:
        """Return how the file ended in this run."""
        if self.row.synced == self.covered.covered:
            return Outcome.SUCCEEDED
        return self.result.outcome if self.result else Outcome.SKIPPED


def judge(seen: RunSeen, covered: Iterable[FileRow]) -> list[Verdict]:
    """Return one verdict per covered row; only content the run was started for gets synced."""
    results = {result.storage_id: result for result in seen.files}
    return [_judge(seen, row, results.get(row.storage_id)) for row in covered]


def _judge(seen: RunSeen, row: FileRow, result: FileResult | None) -> Verdict:
    if _succeeded(seen, row, result):
        done = replace(row, synced=row.covered, covered=ABSENT, attempts=0, note="", next_try_s=0.0)
        return Verdict(done, row, result)
    if seen.unauthorised or row.seen != row.covered:
        return Verdict(replace(row, covered=ABSENT), row, result)  # nobody's fault, or replaced
    return Verdict(_failed(seen, row, result), row, result, failed=True)


def _succeeded(seen: RunSeen, row: FileRow, result: FileResult | None) -> bool:
    """Return whether it is proven that the run processed this file (P12).

    A source file is proven by its own task alone; where the service names no task at all, by the
    success of the whole run, since the preparation saw the file in the connection. References have
    no task of their own.
    """
    if result is not None:
        return result.outcome is Outcome.SUCCEEDED
    if not row.in_connection:
        ended_well = seen.outcome in {Outcome.SUCCEEDED, Outcome.PARTIAL}
        return ended_well and not seen.unauthorised
    return seen.outcome is Outcome.SUCCEEDED and not seen.files


def _failed(seen: RunSeen, row: FileRow, result: FileResult | None) -> FileRow:
    """Count the failure; set the file aside when the cause is the file itself.

    That is so when the service says that a person must act, or when other files succeeded in the
    same runs. A run in which nothing succeeded says nothing about its files.
    """
    attempts = row.attempts + 1
    own = seen.outcome is Outcome.PARTIAL and attempts >= RUN_TRIES
    hopeless = own or (result is not None and result.user_must_act)
    of_run = seen.message if seen.outcome is Outcome.FAILED else ""
    message = (result.message if result else "") or of_run or NO_TASK
    return replace(
        row,
        covered=ABSENT,
        in_connection=row.in_connection
        and result is not None,  # nothing about it: is it still a source file?
        attempts=attempts,
        aside=message if hopeless else "",
        note="" if hopeless else message,
    )
