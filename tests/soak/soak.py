"""The soak itself: rounds of changes, kills and faults, and every few rounds a rest and a proof."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, assert_never

from localtwin.ids import split_pair
from localtwin.serve import Settings, serving
from twinsyncd.errors import JournalError
from twinsyncd.journal.views import Status, Views

from . import judge
from .acts import (
    Block,
    Delete,
    Disturb,
    Kill,
    Meddle,
    Plug,
    Program,
    Rename,
    Replace,
    Rewind,
    Slice,
    Step,
    Tamper,
    Touch,
    Unplug,
)
from .content import make_templates
from .drive import Drive
from .judge import Judge, Violation
from .kept_journal import KeptJournal
from .leaks import Eavesdropper
from .overheard import RUSH_MAX, SPAN_S
from .plan import FOLDERS, Planner
from .platform import Platform, StoredFile
from .programs import Place, Process
from .proxy import Commit, Proxy
from .tally import Tally

BLOCK: Final = 8  # rounds between two rests
KEEP_EVERY: Final = 5  # rests after which the journal that may return is a newer one
SETTLE_S: Final = 1.0
PATIENCE_S: Final = 0.7  # a pause in a save that is longer looks like its end; load stretches them
REST_S: Final = 300.0  # a store in doubt may hold a run up for three minutes
LOOK_S: Final = 0.25
GLANCE_S: Final = 0.003  # a start is asked for in a few milliseconds
AIM_S: Final = 6.0  # how long a kill waits for its moment
HINT_S: Final = 1.0  # a word of the daemon counts if it is so much younger than the last change


class TimeIsUp(Exception):
    """The soak took longer than it may."""


@dataclass(slots=True)
class Soak:
    """One soak under way."""

    place: Place
    config: Path
    drive: Drive
    planner: Planner
    proxy: Proxy
    programs: dict[Program, Process]
    platform: Platform
    eavesdropper: Eavesdropper
    kept_journal: KeptJournal
    end_s: float  # monotonic
    tally: Tally = field(default_factory=Tally)
    _excuses_s: list[float] = field(default_factory=list)  # wall clock: kills, strangers, requests
    _strangers: list[Commit] = field(default_factory=list)  # what others may have put in Storage
    _foreign: set[str] = field(default_factory=set)  # runs that somebody else started
    _away: list[str] = field(default_factory=list)  # files whose drive is away
    _seen_runs: int = 0
    _judged_commits: int = 0

    def run(self, rounds: int, report: Callable[[Tally], None]) -> None:
        """Do it, with a report at every rest; stops at the first that finds a violation."""
        for save in self.planner.first_files():
            self.drive.carry_out(save)
        self._rest(calm=False)
        while self.tally.rounds < rounds and not self.tally.violations:
            block = self.planner.block(min(BLOCK, rounds - self.tally.rounds))
            self._carry_out(block)
            if block.is_doubtful:
                self._await_rest()
                self._compare_with_cloud()
            self._rest(calm=block.calm and not block.is_doubtful)
            if self.tally.rests % KEEP_EVERY == 0:
                self.kept_journal.keep()
            report(self.tally)

    def _carry_out(self, block: Block) -> None:
        for steps in block.rounds:
            self._round(steps)
            self.tally.rounds += 1
        self._round(block.aftermath)

    def _round(self, steps: list[Step]) -> None:
        began_s = time.monotonic()
        for step in steps:
            self._check_time()
            time.sleep(max(0.0, began_s + step.at_s - time.monotonic()))
            match step.act:
                case Kill(program, moment):
                    self._await(moment)
                    self._kill(program)
                case Unplug() as outage:
                    self.tally.outages += 1
                    self._away = [p for p in self.drive.paths() if p.startswith(outage.folder)]
                    self.drive.unplug(outage)
                case Plug(folder):
                    self.tally.violations += judge.given_up(self.place.journal, self._away)
                    self.drive.plug(folder)
                case Meddle(connection):
                    self._foreign.add(self.platform.start_run(connection))
                case Disturb(fault, after):
                    self.proxy.arm(fault, after)
                case Tamper() as harm:
                    self._tamper(harm)
                case Rewind():
                    self._rewind()
                case Slice() | Replace() | Delete() | Touch() | Rename() as change:
                    self.drive.carry_out(change)
                case _:
                    assert_never(step.act)

    def _await(self, moment: str) -> None:
        """Return once the daemon is at this; it may not come to it."""
        end_s = time.monotonic() + AIM_S
        while moment and time.monotonic() < end_s:
            if moment in judge.work_under_way(self.place.journal):
                return
            time.sleep(GLANCE_S)

    def _kill(self, program: Program) -> None:
        """Note what the daemon was at, then kill."""
        self._excuses_s.append(time.time())
        self.tally.kills[program] += 1
        self.tally.moments.update(judge.work_under_way(self.place.journal))
        self.programs[program].replace()

    def _tamper(self, act: Tamper) -> None:
        """Do harm to a file that is in Storage under its present name."""
        journal = judge.read_journal(self.place.journal)
        row = journal.get(act.path)
        if row is None or not row.item:
            return
        self._excuses_s.append(time.time())
        pair = split_pair(row.item)
        self._strangers.append(Commit(pair[1] if pair else "", act.harm, time.time()))
        self.tally.harm += self.platform.tamper(StoredFile(act.path, row.item), act.harm)

    def _rewind(self) -> None:
        """Start the daemon with the journal of an earlier rest, if there was one."""
        if not self.kept_journal.is_there:
            return
        self._excuses_s.append(time.time())
        self.tally.rewinds += 1
        self.programs[Program.DAEMON].replace(self.kept_journal.put_back)

    def _compare_with_cloud(self) -> None:
        """Ask the daemon to look at the cloud, as a person who heard of trouble does."""
        self._excuses_s.append(time.time())
        command = [sys.executable, "-m", "twinsyncd", "sync", "-c", str(self.config)]
        with (self.place.folder / "sync.log").open("ab") as output:
            subprocess.run(command, stdout=output, stderr=output, timeout=REST_S, check=False)
        self._excuses_s.append(time.time())

    # ---- rest -------------------------------------------------------------------------

    def _rest(self, *, calm: bool) -> None:
        """Wait until the daemon says that it is at rest, then compare everything."""
        self._await_rest()
        self.tally.rests += 1
        self._compare(calm=calm)

    def _await_rest(self) -> None:
        began_s, changed_s = time.monotonic(), time.time()
        seen: Status | None = None
        while not self._is_at_rest(seen, changed_s):
            self._check_time()
            if time.monotonic() > began_s + REST_S:
                self.tally.violations.append(Violation("lost", "everything", f"no rest: {seen}"))
                break
            if any(program.revive() for program in self.programs.values()):
                break
            time.sleep(LOOK_S)
            seen = self._status()
        self.tally.longest_rest_s = max(self.tally.longest_rest_s, time.monotonic() - began_s)

    def _is_at_rest(self, seen: Status | None, changed_s: float) -> bool:
        word = seen.daemon if seen else None
        return (
            seen is not None
            and word is not None
            and word.pid == self.programs[Program.DAEMON].pid
            and word.is_idle
            and not seen.offline
            and word.beat_s > changed_s + HINT_S
        )

    def _status(self) -> Status | None:
        """Return what `twinsyncd status` would show; None while there is no journal."""
        try:
            views = Views(self.place.journal)
        except JournalError:
            return None
        seen = views.status()
        views.close()
        return seen

    def _compare(self, *, calm: bool) -> None:
        tally = self.tally
        tally.violations += Judge(self.place, self.drive, self.platform).is_idle()
        commits, runs = self.proxy.witness.commits, self.platform.runs()
        ours = [run for run in runs if run.id not in self._foreign]
        tally.violations += judge.torn(commits[self._judged_commits :], self.drive)
        tally.violations += judge.double(runs)
        excuses = [*self._excuses_s, *self.proxy.lost_s]
        tally.violations += judge.disturbed(ours[self._seen_runs :], commits)
        tally.violations += judge.repeated(commits, excuses)
        stored = sorted([*commits, *self._strangers], key=lambda each: each.at_s)
        idle = list(judge.superfluous(ours, stored, excuses))
        tally.excused = sum(excused for _, excused in idle)
        blamed = {run.id: run for run, excused in idle if not excused}
        blamed |= {run.id: run for run in ours[self._seen_runs :] if calm}
        tally.violations += (
            Violation("superfluous", run.connection, f"run {run.id}, though nothing had changed")
            for run in blamed.values()
        )
        tally.violations += self.eavesdropper.leaks(self.proxy.overheard.secrets)
        tally.busiest = self.proxy.overheard.busiest()
        if tally.busiest > RUSH_MAX:
            detail = f"{tally.busiest} requests in {SPAN_S:.0f} s"
            tally.violations.append(Violation("rushed", Program.DAEMON, detail))
        for program, process in self.programs.items():
            died = (f"it ended by itself with exit code {code}" for code in process.died)
            tally.violations += (Violation("lost", program, each) for each in died)
        self._seen_runs, self._judged_commits = len(ours), len(commits)
        tally.runs, tally.uploads, tally.files = len(ours), len(commits), len(self.drive.ever)
        tally.foreign = len(runs) - len(ours)

    def _check_time(self) -> None:
        if time.monotonic() > self.end_s:
            raise TimeIsUp


@contextmanager
def open_soak(folder: Path, seed: int, limit_s: float) -> Iterator[Soak]:
    """Yield a soak with both programs running; ends every process that it started."""
    end_s = time.monotonic() + limit_s
    with serving(Settings(folder / "localtwin")) as ready:
        place = Place(folder, ready)
    with ExitStack() as stack:
        for name in FOLDERS:
            (place.drive / name).mkdir(parents=True)
        proxy = stack.enter_context(Proxy(int(ready.api_url.rpartition(":")[2])))
        config = folder / "twinsyncd.toml"
        place.write_config(config, proxy.port, FOLDERS, f"{SETTLE_S}s")
        commands = {
            Program.LOCALTWIN: ("localtwin", ["--data", str(ready.data)]),
            Program.DAEMON: ("twinsyncd", ["run", "-c", str(config)]),
        }
        programs = {
            program: stack.enter_context(Process(module, arguments, folder / f"{program}.log"))
            for program, (module, arguments) in commands.items()
        }
        drive = Drive(place.drive, make_templates(), patience_s=PATIENCE_S)
        stack.callback(drive.close)
        platform = stack.enter_context(Platform(ready))
        eavesdropper = Eavesdropper(
            folder / f"{Program.DAEMON}.log", place.journal.parent, [ready.client_secret]
        )
        planner = Planner(seed)
        yield Soak(
            place,
            config,
            drive,
            planner,
            proxy,
            programs,
            platform,
            eavesdropper,
            KeptJournal(place.journal, folder / "earlier.sqlite"),
            end_s,
        )
