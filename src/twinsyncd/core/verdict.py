"""What a finished run of ours means for each file it was started for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from .facts import RunSeen
from .model import ABSENT, FileResult, FileRow, Outcome

RUN_TRIES: Final = 3  # failed runs of one content before the file is set aside


@dataclass(frozen=True, slots=True)
class Verdict:
    """`row` as it is to be remembered; `told`: the run had a word on this very file."""

    row: FileRow
    told: bool
    failed: bool = False


def judge(seen: RunSeen, covered: Iterable[FileRow]) -> list[Verdict]:
    """Return one verdict per covered row; only content the run was started for gets synced."""
    results = {result.item: result for result in seen.files}
    return [_judge(seen, row, results.get(row.item)) for row in covered]


def _judge(seen: RunSeen, row: FileRow, result: FileResult | None) -> Verdict:
    if _succeeded(seen, row, result):
        done = replace(row, synced=row.covered, covered=ABSENT, attempts=0)
        return Verdict(done, told=True)
    told = result is not None or seen.outcome is Outcome.PARTIAL
    if not told or seen.unauthorised:
        return Verdict(replace(row, covered=ABSENT), told=False)
    return Verdict(_failed(row, result), told=True, failed=True)


def _succeeded(seen: RunSeen, row: FileRow, result: FileResult | None) -> bool:
    """Tell whether the run consumed this file; references have no result of their own."""
    if result is not None:
        return result.outcome is Outcome.SUCCEEDED
    if seen.outcome is Outcome.PARTIAL:
        return not row.mapped and not seen.unauthorised
    return seen.outcome is Outcome.SUCCEEDED


def _failed(row: FileRow, result: FileResult | None) -> FileRow:
    """Count the failure, unless a newer save has already replaced the content that failed."""
    mapped = row.mapped and result is not None  # not a word: look whether it is a source file
    if row.seen != row.covered:
        return replace(row, covered=ABSENT, mapped=mapped)
    attempts = row.attempts + 1
    hopeless = attempts >= RUN_TRIES or (result is not None and result.user_must_act)
    message = (result.message if result else "") or "the run did not take this file"
    aside = message if hopeless else ""
    return replace(row, covered=ABSENT, mapped=mapped, attempts=attempts, aside=aside)
