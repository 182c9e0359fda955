"""`twinsyncd status`: what stands where, read from the journal alone."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Final

import typer

from .options import ConfigOption, load_config
from .words import PHASES, clock_time, count, duration, plain

if TYPE_CHECKING:
    from rich.console import Console

    from ..config import Config
    from ..core.model import LaneRow
    from ..journal.views import Counts, Status

SILENT_S: Final = 15.0  # a daemon gives a sign of life every 5 s


def status(
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    files: Annotated[int, typer.Option(help="How many open files to list.", min=0)] = 20,
) -> None:
    """Show what is synced, what is left and why; works whether or not the daemon runs.

    Exit code 0 if every file is synced, 1 if not.
    """
    checked = load_config(config)

    from ..runtime.state import is_running, read_status

    seen = read_status(checked, open_files=files)
    running = is_running(checked)
    if as_json:
        typer.echo(json.dumps({"running": running, **asdict(seen)}, indent=2, default=sorted))
    else:
        from rich.console import Console

        show(Console(highlight=False), checked, seen, running=running)
    raise typer.Exit(0 if is_synced(seen) else 1)


def is_synced(seen: Status) -> bool:
    """Tell whether every known file is synced and nothing stands in the way of knowing."""
    halted = any(lane.halt for lane in seen.lanes)
    return not (seen.open_total or seen.offline or halted)


def show(console: Console, config: Config, seen: Status, *, running: bool) -> None:
    """Print the whole picture."""
    console.print(f"[bold]daemon[/]  {_daemon_line(seen, running=running)}")
    lanes = {lane.key: lane for lane in seen.lanes}
    for connection in config.connection:
        keys = {connection.key_of(source) for source in connection.source}
        console.print(
            f"\n[bold]{plain(connection.name)}[/]  {_lane_line(lanes, connection.imodel_id)}"
        )
        _show_counts(console, [counts for counts in seen.counts if counts.source in keys])
        for key in sorted(keys & set(seen.offline)):
            console.print(
                f"  [red]held[/]  {plain(key)}: {plain(seen.offline[key])}", soft_wrap=True
            )
            if key in seen.needs_person:
                console.print(
                    f'        if that is meant: twinsyncd approve "{plain(connection.name)}"'
                )
    _show_open_files(console, seen)
    _show_runs(console, seen)


def _daemon_line(seen: Status, *, running: bool) -> str:
    daemon = seen.daemon
    if daemon is None:
        return "never started"
    if not running:
        return f"[yellow]not running[/], last alive {clock_time(daemon.beat_s)}"
    silent_s = time.time() - daemon.beat_s
    if silent_s > SILENT_S:
        return f"[red]hangs[/]: process {daemon.pid} gave no sign of life for {duration(silent_s)}"
    restless = f", {count(daemon.restless, 'file')} still settling" if daemon.restless else ""
    rest = "at rest" if daemon.at_rest else f"at work{restless}"
    return f"[green]running[/] since {clock_time(daemon.started_s)}, process {daemon.pid}, {rest}"


def _lane_line(lanes: dict[str, LaneRow], imodel_id: str) -> str:
    lane = lanes.get(imodel_id)
    if lane is None:
        return "no run yet"
    if lane.halt:
        return f"[red]halted[/]: {plain(lane.halt)}"
    wait_s = lane.not_before_s - time.time()
    if lane.attempts and wait_s > 0:
        return f"[yellow]the platform does not answer[/]; next try in {duration(wait_s)}"
    return PHASES[lane.phase.value] if lane.usual_s is None else _slow_line(lane, lane.usual_s)


def _slow_line(lane: LaneRow, usual_s: float) -> str:
    """Say since when the run goes on, what is usual, and where to look; nothing is broken off."""
    lasts = duration(time.time() - lane.since_s)
    where = f"; see run {plain(lane.run)} in the iTwin's Synchronization portal"
    if lane.phase.value == "blocked":
        usual = f"; ours usually take {duration(usual_s)}" if usual_s else ""
        return f"[yellow]somebody else's run keeps ours waiting[/]: {lasts}{usual}{where}"
    usual = f", usually {duration(usual_s)}" if usual_s else ""
    return f"[yellow]run takes longer than usual[/]: {lasts}{usual}{where}"


def _show_counts(console: Console, counts: list[Counts]) -> None:
    if not counts:
        console.print("  no files known yet")
    for each in counts:
        left = [
            f"{number:,} {words}"
            for number, words in (
                (each.to_store, "to upload"),
                (each.to_run, "waiting for a run"),
                (each.aside, "[red]set aside[/]"),
                (each.gone, "gone or excluded, kept in the iModel"),
            )
            if number
        ]
        done = f"{each.synced:,} of {count(each.known, 'file')} synced"
        console.print(f"  {plain(each.source)}: {', '.join([done, *left])}")


def _show_open_files(console: Console, seen: Status) -> None:
    if not seen.open_files:
        return
    console.print(f"\n[bold]not synced[/]  {count(seen.open_total, 'file')}")
    for each in seen.open_files:
        reason = f": {plain(each.reason)}" if each.reason else ""
        console.print(
            f"  {plain(f'{each.source}/{each.path}')}  [yellow]{each.state}[/]{reason}",
            soft_wrap=True,
        )
    if seen.open_total > len(seen.open_files):
        console.print(f"  and {seen.open_total - len(seen.open_files):,} more")


def _show_runs(console: Console, seen: Status) -> None:
    if not seen.runs:
        return
    console.print("\n[bold]last runs[/]")
    for run in seen.runs:
        length = duration(run.ended_s - run.started_s)
        message = f": {plain(run.message)}" if run.message else ""
        console.print(
            f"  {clock_time(run.ended_s)}  {plain(run.connection)}  {run.outcome.value}"
            f" in {length}, {count(run.files, 'changed file')}{message}",
            soft_wrap=True,
        )
