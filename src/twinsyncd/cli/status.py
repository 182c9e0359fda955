"""`twinsyncd status`: what is synced, what is not and why, read from the journal alone."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Final

import typer

from .markup import plain
from .options import ConfigOption, load_config

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from ..journal.views import Counts
    from ..runtime.report import Blind, Hold, Report
    from ..runtime.report_lines import Line

STYLES: Final = {"good": "green", "plain": "", "waits": "yellow", "bad": "red"}
"""The colour of a line, by how much it matters."""


def status(
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    files: Annotated[int, typer.Option(help="How many open files to list.", min=0)] = 20,
) -> None:
    """Show what is synced, what is left and why; works whether or not the daemon runs.

    Exit code 0 if everything that can match was read and is synced, and a daemon looks for
    changes; 1 if not.
    """
    checked = load_config(config, folders=False)

    from ..runtime.report import make_report
    from ..runtime.state import is_running, read_status, read_trouble

    found = read_status(checked, open_files=files)
    running = is_running(checked)
    report = make_report(
        checked, found, running=running, now_s=time.time(), trouble=read_trouble(checked)
    )
    if as_json:
        open_files = [asdict(each) for each in report.open_files]
        values = {
            "in_sync": report.in_sync,
            "running": running,
            "unseen_since_s": report.unseen_since_s,
            **asdict(found),
        }
        values["open_files"] = open_files
        typer.echo(json.dumps(values, indent=2, default=sorted))
    else:
        from rich.console import Console

        show(Console(highlight=False), report)
    raise typer.Exit(0 if report.in_sync else 1)


def show(console: Console, report: Report) -> None:
    """Print the whole report."""
    from ..runtime.formatting import count

    console.print(f"[bold]daemon[/]  {_styled(report.daemon)}")
    _show_unseen(console, report)
    for name, outlet in report.outlets:
        console.print(f"[bold]{plain(name)}[/]  {_styled(outlet)}", soft_wrap=True)
    if report.unsettled:
        waiting = f"{count(report.unsettled, 'file')} still being written"
        console.print(f"        [yellow]{waiting}[/]: known once they have not changed for a while")
        for each in report.unsettled_files:
            name = plain(f"{each.source}/{each.path}")
            console.print(f"          {name}  {plain(each.text)}", soft_wrap=True)
    for connection in report.connections:
        line = f"\n[bold]{plain(connection.name)}[/]  {_styled(connection.line)}"
        console.print(line, soft_wrap=True)  # a page to open must stay in one piece
        console.print(f"  {_styled(connection.compared)}")
        _show_authorization(console, connection.authorised_days)
        _show_counts(console, connection.counts, report.unseen_since_s)
        for source in connection.empty:
            console.print(
                f"  [yellow]no file matches[/]  {plain(source)}: check its folder, include,"
                " exclude and connector, or wait for the first scan",
                soft_wrap=True,
            )
        _show_holds(console, connection.name, connection.holds)
        _show_blind(console, connection.blind)
        for late in connection.late:
            where, why = plain(late.source), plain(late.reason)
            console.print(f"  [yellow]noticed late[/]  {where}: {why}", soft_wrap=True)
    _show_open_files(console, report)
    _show_runs(console, report)


def _styled(line: Line) -> str:
    style = STYLES[line.level.value]
    state = f"[{style}]{plain(line.state)}[/]" if style else plain(line.state)
    return f"{state}{plain(line.detail)}"


def _show_authorization(console: Console, days: int | None) -> None:
    """Print for how long runs may act for the person who signed in."""
    from ..core.authorization import WARN_DAYS
    from ..runtime.formatting import count

    if days is None:
        return
    style = "yellow" if days <= WARN_DAYS[0] else ""
    left = f"[{style}]{count(days, 'day')}[/]" if style else count(days, "day")
    console.print(f"  runs may act for you for about {left} more; renew it: twinsyncd login")


def _show_unseen(console: Console, report: Report) -> None:
    """Print since when nobody looks at the drive, and what to do."""
    from ..runtime.formatting import clock_time

    if not report.unseen_since_s:
        return
    since = clock_time(report.unseen_since_s)
    fix = "start the daemon, or run: twinsyncd sync"
    if report.daemon.level.value == "bad":
        fix = "see the daemon's line and its log; restart it if it does not go on"
    console.print(
        f"        [red]changes on the drive since {since} are not known[/]: {fix}", soft_wrap=True
    )


def _show_counts(console: Console, counts: Iterable[Counts], unseen_since_s: float) -> None:
    from ..runtime.formatting import clock_time, count

    as_of = f" as of {clock_time(unseen_since_s)}" if unseen_since_s else ""
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
        done = f"{each.synced:,} of {count(each.known, 'file')} synced{as_of}"
        console.print(f"  {plain(each.source)}: {', '.join([done, *left])}")


def _show_holds(console: Console, connection: str, holds: Iterable[Hold]) -> None:
    for hold in holds:
        console.print(f"  [red]held[/]  {plain(hold.source)}: {plain(hold.reason)}", soft_wrap=True)
        if hold.approvable:
            console.print(f'        if that is meant: twinsyncd approve "{plain(connection)}"')


def _show_blind(console: Console, blind: Iterable[Blind]) -> None:
    for each in blind:
        console.print(f"  [red]not read[/]  {plain(each.source)}: {each.text}", soft_wrap=True)
        for name in each.names:
            console.print(f"    {plain(name)}", soft_wrap=True)


def _show_open_files(console: Console, report: Report) -> None:
    from ..runtime.formatting import count

    if not report.open_files:
        return
    console.print(f"\n[bold]not synced[/]  {count(report.open_total, 'file')}")
    for each in report.open_files:
        reason = f": {plain(each.reason)}" if each.reason else ""
        console.print(
            f"  {plain(f'{each.source}/{each.path}')}  [yellow]{each.state}[/]{reason}",
            soft_wrap=True,
        )
    if report.open_total > len(report.open_files):
        console.print(f"  and {report.open_total - len(report.open_files):,} more")


def _show_runs(console: Console, report: Report) -> None:
    from ..runtime.formatting import clock_time, count, duration

    if not report.runs:
        return
    console.print("\n[bold]last runs[/]")
    for run in report.runs:
        length = duration(run.ended_s - run.started_s)
        message = f": {plain(run.message)}" if run.message else ""
        console.print(
            f"  {clock_time(run.ended_s)}  {plain(run.connection)}  {run.outcome.value}"
            f" in {length}, {count(run.files, 'changed file')}{message}",
            soft_wrap=True,
        )
