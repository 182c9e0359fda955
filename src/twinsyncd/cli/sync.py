"""`twinsyncd sync`: the same engine, run until nothing is left to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from ..runtime.formatting import count, size
from .markup import plain
from .options import ConfigOption, load_config

DAY_S: Final = 86_400.0

if TYPE_CHECKING:
    from rich.console import Console

    from ..config import Config
    from ..core.facts import PublishAsked, SyncAsked
    from ..runtime.dry_run import PlannedFile


def sync(
    config: ConfigOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")
    ] = False,
    timeout: Annotated[
        float, typer.Option(help="Give up waiting after this long.", min=1, metavar="SECONDS")
    ] = DAY_S,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log every step.")] = False,
) -> None:
    """Upload what changed, run the connections, and wait for the results.

    If the daemon runs, it is asked to do so. Exit code 0 only if every file is synced; of
    --dry-run, if all folders could be listed and every source has a file that matches.
    """
    checked = load_config(config)

    from rich.console import Console

    console = Console(highlight=False)
    if dry_run:
        _dry_run(console, checked)
    else:
        from ..core.facts import SyncAsked

        sync_and_show(checked, SyncAsked(), timeout, verbose=verbose)


def sync_and_show(
    config: Config,
    asked: SyncAsked | PublishAsked,
    timeout_s: float = DAY_S,
    *,
    verbose: bool = False,
) -> None:
    """Do what was asked until nothing is left that can be done now, and print how it ended.

    Raises typer.Exit with the exit code.
    """
    import sys

    from rich.console import Console

    from ..journal.views import total_counts
    from ..logs import set_up
    from ..runtime.overall_state import read_overall_state
    from ..runtime.sync_once import sync as sync_now
    from .progress import showing_progress
    from .status import show

    set_up(config.daemon.log_format, sys.stderr, "info" if verbose else "critical")
    console = Console(highlight=False)
    with showing_progress(console, config):
        problem = sync_now(config, timeout_s, asked)
    state = read_overall_state(config, runs=1, just_synced=not problem)
    report = state.report
    if report.in_sync and not problem:
        counts = total_counts(c for each in report.connections for c in each.counts)
        agreed, place = _places({each.target for each in config.connection})
        kept = f"; {counts.gone:,} gone or excluded, kept in {place}" if counts.gone else ""
        files = count(counts.known, "file")
        console.print(f"[green]in sync[/]: {agreed} agree on {files}{kept}", soft_wrap=True)
        raise typer.Exit(0)
    console.print(f"[red]not in sync[/]{': ' if problem else ''}{plain(problem)}\n", soft_wrap=True)
    show(console, state)
    raise typer.Exit(1)


def _places(targets: set[str]) -> tuple[str, str]:
    """Return what agrees with each other, and where what left the drive is kept."""
    match sorted(targets):
        case ["storage"]:
            return "drive, Storage and iModel", "the iModel"
        case ["bulk"]:
            return "drive and service", "the service"
        case ["manifest"]:
            return "drive and published folder", "what is published"
        case _:
            return "drive and cloud", "the cloud"


def _dry_run(console: Console, config: Config) -> None:
    """Print what would be done; it fails only where something was not seen.

    That is what could not be listed or read, or a source in which nothing matches: a sync would say
    so, too.
    """
    from ..runtime.dry_run import plan_dry_run

    plan: dict[str, list[PlannedFile]] = {}
    for each in plan_dry_run(config):
        plan.setdefault(each.connection, []).append(each)
    if not plan:
        console.print("[green]nothing to do[/]: nothing has changed since the last sync")
    for connection, files in plan.items():
        console.print(f"[bold]{plain(connection)}[/]", soft_wrap=True)
        for each in files:
            name = f"{each.source}/{each.path}".removesuffix("/")
            line = f"  {each.what:9} {plain(name)}  {plain(each.reason)}"
            console.print(line, soft_wrap=True)
        sent = [each for each in files if each.what in {"upload", "replace"}]
        if sent or any(each.what == "run only" for each in files):
            total = size(sum(each.size_bytes for each in sent))
            console.print(f"  would upload {count(len(sent), 'file')} ({total}), then start a run")
    if any(each.is_unseen for files in plan.values() for each in files):
        raise typer.Exit(1)
