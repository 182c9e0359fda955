"""Shows how a sync gets on, from the journal alone: on a terminal live, elsewhere by lines."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.live import Live
from rich.text import Text

from ..errors import JournalError
from ..runtime.formatting import count

if TYPE_CHECKING:
    from ..config import Config
    from ..journal.views import Status

LOOK_S: Final = 0.25

LONG: Final = ", longer than usual"


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
            live.update(Text(_line(config)))


def _show_lines(console: Console, config: Config, over: threading.Event) -> None:
    last = ""
    while not over.wait(LOOK_S):
        line = _line(config)
        if line and line != last:
            console.print(Text(line))
            last = line


def _line(config: Config) -> str:
    """Say in one line where things stand; "" while there is nothing to see yet."""
    from ..runtime.state import read_status

    try:
        return _say(read_status(config, runs=0, open_files=0))
    except JournalError:
        return ""


def _say(seen: Status) -> str:
    from ..journal.views import total_counts
    from ..runtime.report_lines import PHASES

    total = total_counts(seen.counts)
    uploaded = total.known - total.to_store - total.aside
    parts = [f"{total.synced:,} of {count(total.known, 'file')} synced"]
    if total.to_store:
        parts.append(f"{uploaded:,} uploaded")
    if total.to_run:
        parts.append(f"{total.to_run:,} waiting for the run's end")
    if total.aside:
        parts.append(f"{total.aside:,} set aside")
    phases = {
        PHASES[lane.phase] + (LONG if lane.usual_s is not None else "")
        for lane in seen.lanes
        if lane.phase.value != "quiet"
    }
    return " · ".join([*parts, *sorted(phases)])
