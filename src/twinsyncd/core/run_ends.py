"""What is learnt when a run ends: a verdict per file, the evidence, and how long runs take."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from .events import Event, EventKind
from .facts import RunSeen
from .lane_state import HALT_S, LaneState
from .ledger import Ledger
from .model import (
    ABSENT,
    UNMAPPED,
    ConnectionKey,
    Failure,
    Fault,
    FileRow,
    Now,
    OnDelete,
    Phase,
    SourceKey,
)
from .removals import give_up, note_removed
from .results import FileResult, Outcome, RunFile, RunRecord, SlowRun
from .stores import Stores
from .verdict import RUN_TRIES, Verdict, judge
from .waits import RUNS_KEPT, alarm_s, usual_s

RETRY_S: Final = 30.0  # a file that failed in a run waits at least half of this for the next


@dataclass(slots=True)
class RunEnds:
    """Applies the ends of one lane's runs; `history` and the rest are taken by each decision."""

    state: LaneState
    ledger: Ledger
    stores: Stores
    lengths_s: dict[ConnectionKey, list[float]] = field(default_factory=dict)  # of good runs
    history: list[RunRecord] = field(default_factory=list)
    run_files: list[RunFile] = field(default_factory=list)
    slow: list[SlowRun] = field(default_factory=list)
    left_unproven: bool = False  # the last one, in files it was for or that are gone

    def ended(self, fact: RunSeen, now: Now) -> None:
        """Apply the end of a run of ours."""
        self._learn_length(fact, now)
        covered = self.ledger.covered(fact.connection)
        self._unmap(fact, [row for row in covered if row.covered == UNMAPPED], now)
        verdicts = judge(fact, [row for row in covered if row.covered != UNMAPPED])
        self.left_unproven = any(verdict.failed for verdict in verdicts)
        for verdict in verdicts:
            self._apply(verdict, fact, now)
        ours = {verdict.covered.storage_id for verdict in verdicts}
        self._note_others(fact, [each for each in fact.files if each.storage_id not in ours], now)
        if fact.unauthorised:
            # Each try costs a run; whoever signs in ends the wait.
            failure = Failure(Fault.NOT_AUTHORISED, fact.message, retry_after_s=HALT_S)
            self.state.failed(failure, now)
        row = self.state.row
        self.history.append(
            RunRecord(
                lane=row.key,
                connection=fact.connection,
                run=fact.run,
                outcome=fact.outcome,
                started_s=row.since_s,
                ended_s=now.wall_s,
                files=len(verdicts),
                message=fact.message,
            )
        )
        ended = f"{fact.outcome.value}: {fact.message}" if fact.message else fact.outcome.value
        self.ledger.events.add(
            Event(EventKind.RUN_ENDED, now.wall_s, fact.connection, run=fact.run, text=ended)
        )

    def notice_length(self, now: Now) -> None:
        """Report a run that takes too long, once; it is watched further."""
        row = self.state.row
        usual = usual_s(self.lengths_s.get(row.connection, ()))
        lasted_s = now.at_s - self.state.entered_s
        if row.usual_s is None and lasted_s >= alarm_s(usual):
            self.state.set(usual_s=usual)
            ours = row.phase is Phase.RUNNING
            self.slow.append(SlowRun(row.connection, row.run, ours, lasted_s, usual))

    def take_history(self) -> list[RunRecord]:
        """Return the runs that ended since the last call."""
        ended, self.history = self.history, []
        return ended

    def take_run_files(self) -> list[RunFile]:
        """Return what the runs that ended since the last call proved of their files."""
        files, self.run_files = self.run_files, []
        return files

    def take_slow(self) -> list[SlowRun]:
        """Return the runs that turned out to take too long since the last call."""
        slow, self.slow = self.slow, []
        return slow

    # ---- inside -----------------------------------------------------------------------

    def _unmap(self, fact: RunSeen, rows: Iterable[FileRow], now: Now) -> None:
        """Note what the run took out of the iModel; a file that is back by now is a new one."""
        results = {result.storage_id: result for result in fact.files}
        for row in rows:
            result = results.get(row.storage_id)
            failed = fact.outcome is Outcome.FAILED or fact.unauthorised
            if failed or (result is not None and result.outcome is Outcome.FAILED):
                self._not_unmapped(replace(row, covered=ABSENT), result, now)
            else:
                done = replace(row, covered=ABSENT, removing=OnDelete.DELETE)
                note_removed(self.ledger, done, now, "the run took it out of the iModel")

    def _not_unmapped(self, row: FileRow, result: FileResult | None, now: Now) -> None:
        tried = replace(row, attempts=row.attempts + (result is not None))
        if tried.attempts >= RUN_TRIES and tried.seen == ABSENT:
            give_up(self.ledger, tried, result.message if result else "", now)
            return
        self.ledger.put(tried)
        if tried.seen == ABSENT:
            self.stores.put_off(tried, now, base_s=RETRY_S)

    def _apply(self, verdict: Verdict, fact: RunSeen, now: Now) -> None:
        row, digest = verdict.row, verdict.covered.covered
        record = RunFile(
            connection=fact.connection,
            run=fact.run,
            source=row.key.source,
            path=row.key.path,
            storage_id=row.storage_id,
            digest=digest,
            outcome=verdict.outcome,
            ended_s=now.wall_s,
            message=row.note or row.aside,
        )
        self._keep(record, verdict.result)
        if not verdict.failed:
            self.ledger.put(row)
            if verdict.outcome is Outcome.SUCCEEDED:
                result = verdict.result or FileResult(row.storage_id, Outcome.SUCCEEDED)
                self.ledger.note(
                    EventKind.FILE_SYNCED,
                    row.key,
                    now,
                    digest=digest,
                    run=fact.run,
                    task=result.task,
                    changeset=result.changeset,
                )
        elif row.aside:
            self.ledger.set_aside(row, now, run=fact.run)
        else:
            self.ledger.put(row)
            self.ledger.note(
                EventKind.FILE_NOT_PROCESSED,
                row.key,
                now,
                digest=digest,
                run=fact.run,
                task=verdict.result.task if verdict.result else "",
                text=row.note,
            )
            self.stores.put_off(row, now, base_s=RETRY_S)

    def _note_others(self, fact: RunSeen, others: Iterable[FileResult], now: Now) -> None:
        """Record what failed beside the files that the run was started for, whosever it is.

        A file of ours that is gone from the drive, and one that somebody else put there, make every
        later run end as partial, so a person must be able to find them.
        """
        failed = [result for result in others if result.outcome is Outcome.FAILED]
        known = self.ledger.having([result.storage_id for result in failed])
        for result in failed:
            row = known.get(result.storage_id)
            if row is not None and row.seen == ABSENT:  # perhaps it is gone from Storage as well
                self.left_unproven = True
            record = RunFile(
                connection=fact.connection,
                run=fact.run,
                source=row.key.source if row else SourceKey(""),
                path=row.key.path if row else result.name or result.storage_id,
                storage_id=result.storage_id,
                digest=ABSENT,
                outcome=result.outcome,
                ended_s=now.wall_s,
            )
            self._keep(record, result)
            event = Event(EventKind.TASK_FAILED, now.wall_s, fact.connection, record.source)
            path, task, text = record.path, result.task, result.message
            self.ledger.events.add(replace(event, path=path, run=fact.run, task=task, text=text))

    def _keep(self, record: RunFile, result: FileResult | None) -> None:
        """Keep the evidence of one file for the history."""
        if result is not None:
            record = replace(
                record, task=result.task, changeset=result.changeset, message=result.message
            )
        self.run_files.append(record)

    def _learn_length(self, fact: RunSeen, now: Now) -> None:
        if fact.outcome is not Outcome.FAILED:  # what fails may end early, or never begin
            known = self.lengths_s.setdefault(fact.connection, [])
            known.append(now.wall_s - self.state.row.since_s)
            del known[:-RUNS_KEPT]
