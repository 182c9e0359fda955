"""Shows how a sync gets on, from the journal alone: on a terminal live, elsewhere by lines."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.live import Live
from rich.text import Text

from ..errors import JournalError
from ..runtime.formatting import count

if TYPE_CHECKING:
    from ..config import Config
    from ..core.model import LaneRow
    from ..core.progress import UnsettledFile
    from ..core.results import RunRecord
    from ..journal.views import DaemonRow, Status

LOOK_S: Final = 0.25

LOOKED_UP: Final = 20  # files that do not settle, of which it is looked whether they are set aside
OPEN_FILES: Final = 100  # of which the one that fails is named; more fail for one reason
NAMED_S: Final = 20.0  # for which a file is not settled before it is named
LONG: Final = ", longer than usual"
SEPARATOR: Final = " · "
RUNS: Final = 50  # newest ones, of which the usual length is taken


@contextmanager
def showing_progress(console: Console, config: Config) -> Iterator[None]:
    """Show progress while the context lasts."""
    over = threading.Event()
    show = _show_live if console.is_terminal else _show_lines
    thread = threading.Thread(target=show, args=(console, config, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _show_live(console: Console, config: Config, over: threading.Event) -> None:
    with Live(console=console, refresh_per_second=8, transient=True) as live:
        while not over.wait(LOOK_S):
            live.update(Text("\n".join(_parts(config, live=True))))


def _show_lines(console: Console, config: Config, over: threading.Event) -> None:
    """Print a line for each change of the work; what moves all the time is left out."""
    last = ""
    while not over.wait(LOOK_S):
        line = SEPARATOR.join(_parts(config, live=False))
        if line and line != last:
            console.print(Text(line), soft_wrap=True)
            last = line


def _parts(config: Config, *, live: bool) -> list[str]:
    """Return where things stand; empty while there is nothing to see yet."""
    from ..runtime.state import read_status

    try:
        now_s = time.time()
        status = read_status(config, runs=RUNS, open_files=OPEN_FILES)
        seen = _without_those_aside(status, config, now_s)
        return progress_of(seen, now_s, live=live)
    except JournalError:
        return []


def _without_those_aside(seen: Status, config: Config, now_s: float) -> Status:
    """Leave out the unsettled files that are set aside: looked at once more, not waited for."""
    from ..core.model import FileKey
    from ..runtime.state import read_row

    late = _late(seen.daemon, now_s)
    rows = {each: read_row(config, FileKey(each.source, each.path)) for each in late[:LOOKED_UP]}
    aside = {each for each, row in rows.items() if row and (row.aside or row.unread)}
    if seen.daemon is None or not aside:
        return seen
    left = tuple(each for each in seen.daemon.unsettled_files if each not in aside)
    return replace(seen, daemon=replace(seen.daemon, unsettled_files=left))


def _late(daemon: DaemonRow | None, now_s: float) -> list[UnsettledFile]:
    """Return the files that are not settled for longer than usual."""
    files = daemon.unsettled_files if daemon else ()
    return [each for each in files if now_s - each.since_s > NAMED_S]


def progress_of(seen: Status, now_s: float, *, live: bool) -> list[str]:
    """Return where a sync stands at `now_s` (wall clock [s]): the files, uploads, each run.

    `live`: with what moves all the time: bytes, rate, and how long it goes on.
    """
    from ..core.model import Phase
    from ..journal.views import total_counts
    from ..runtime.report_lines import uploads_text

    total = total_counts(seen.counts)
    unsettled = seen.daemon.unsettled if seen.daemon else 0
    is_running = any(lane.phase is Phase.RUNNING for lane in seen.lanes)
    uploaded = total.synced + total.to_run  # some of those set aside are not on the drive
    files = [f"{total.synced:,} of {count(total.known, 'file')} synced"]
    files += [
        f"{number:,} {words}"
        for number, words in (
            (unsettled if live else 0, "still settling"),
            (uploaded if total.to_store else 0, "uploaded"),
            (total.to_run, "in the active run" if is_running else "waiting for a run"),
            (total.aside, "set aside"),
        )
        if number
    ]
    parts = [SEPARATOR.join(files)]
    parts += _unsettled(seen.daemon, now_s, live=live)
    parts += _failing(seen, now_s, live=live)
    if live and seen.daemon and seen.daemon.uploads:
        parts.append(uploads_text(seen.daemon.uploads))
    busy = [lane for lane in seen.lanes if lane.phase is not Phase.QUIET]
    return [*parts, *dict.fromkeys(_run(lane, seen.runs, now_s, live=live) for lane in busy)]


def _unsettled(daemon: DaemonRow | None, now_s: float, *, live: bool) -> list[str]:
    """Return which file is waited for the longest, and why; the usual quiet time is not shown."""
    from ..runtime.open_files import unsettled_of

    late = {(each.source, each.path) for each in _late(daemon, now_s)}
    unsettled = unsettled_of(daemon, now_s, running=True)
    found = [each for each in unsettled if (each.source, each.path) in late]
    if not found:
        return []
    oldest = min(found, key=lambda each: each.since_s)
    more = f" (and {len(found) - 1:,} more)" if len(found) > 1 else ""
    why = oldest.text if live else oldest.awaits
    return [f"waits for {oldest.source}/{oldest.path}{more}, {why}"]


def _failing(seen: Status, now_s: float, *, live: bool) -> list[str]:
    """Return which file fails again and again, why, and when it is tried next."""
    from ..core.stores import STORE_TRIES
    from ..runtime.formatting import duration

    waiting = [row for row in seen.open_files if not row.aside and row.note]
    found = [row for row in waiting if row.attempts and row.seen != row.stored]
    if not found:
        return []
    worst = max(found, key=lambda row: row.attempts)
    more = f" (and {len(found) - 1:,} more)" if len(found) > 1 else ""
    tries = f"failed {count(worst.attempts, 'time')}"
    if worst.note not in {lane.wait_reason for lane in seen.lanes}:  # an outage sets nothing aside
        tries += f", is set aside after {STORE_TRIES}"
    wait_s = worst.next_try_s - now_s
    again = f"; tried again in {duration(wait_s)}" if live and wait_s > 0 else ""
    return [f"waits for {worst.key.source}/{worst.key.path}{more}, {tries}: {worst.note}{again}"]


def _run(lane: LaneRow, runs: Sequence[RunRecord], now_s: float, *, live: bool) -> str:
    """Return what a lane's run does, how long it goes on, and how long the last ones took."""
    from ..core.model import Phase
    from ..core.waits import usual_s
    from ..runtime.formatting import duration
    from ..runtime.report_lines import PHASES

    words = f"{lane.connection}: {PHASES[lane.phase]}" if live else PHASES[lane.phase]
    if lane.usual_s is not None:
        words += LONG
    if not live or lane.phase not in (Phase.RUNNING, Phase.BLOCKED):
        return words
    words += f", for {duration(max(now_s - lane.since_s, 0.0))}"
    lengths = [run.ended_s - run.started_s for run in runs if run.connection == lane.connection]
    usual = usual_s(lengths) if lane.phase is Phase.RUNNING else 0.0
    return f"{words}; usually {duration(usual)}" if usual else words
