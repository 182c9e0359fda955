"""`twinsyncd approve`: say that a source that looks wrong is meant to look so."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import AppError
from ..runtime.formatting import count, visible
from .completion import connection_names
from .options import ConfigOption, load_config
from .pause import connection_named, connections_there_are

if TYPE_CHECKING:
    from ..config import Config, Connection
    from ..core.model import HeldSource
    from ..runtime.bulk_approval import HeldSnapshot


def approve(
    connection: Annotated[
        str | None,
        typer.Argument(
            help="The connection; may be left out if there is only one.",
            autocompletion=connection_names,
        ),
    ] = None,
    config: ConfigOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Accept what is found: mass deletion, emptiness, another drive, a snapshot that deletes."""
    checked = load_config(config, folders=False)

    from ..runtime.bulk_approval import approve_snapshot, held_snapshots
    from ..runtime.source_reports import consequence
    from ..runtime.state import read_status

    chosen = _chosen(checked, connection)
    seen = read_status(checked, runs=0, open_files=0)
    keys = sorted(chosen.key_of(source) for source in chosen.source)
    held = tuple(seen.needs_person[key] for key in keys if key in seen.needs_person)
    snapshots = held_snapshots(checked, chosen)
    if not held and not snapshots:
        typer.echo(f"nothing of {chosen.name} waits for approval")
        return
    for finding in held:
        typer.echo(f"{finding.source}: {seen.offline[finding.source]}")
        _show_missing(finding, seen.examples.get(finding.source, ()))
        typer.echo(f"    if you approve, {consequence(finding, chosen.on_delete)}")
    for snapshot in snapshots:
        _show_snapshot(snapshot)
    typer.echo(
        "This approves only what is listed above; if other files are missing by then,"
        " you are asked again."
    )
    if not yes:
        typer.confirm("Is that meant?", abort=True)
    running = False
    for snapshot in snapshots:
        running = approve_snapshot(checked, chosen, snapshot)
    if held:
        running = _approve(checked, held)
    typer.echo("approved; " + ("the daemon goes on" if running else "the next start goes on"))


def _chosen(config: Config, name: str | None) -> Connection:
    """Return the connection of that name, or the only one. Raises AppError."""
    if name is not None:
        return connection_named(config, name)
    if len(config.connection) > 1:
        raise AppError("which connection?", hint=connections_there_are(config))
    return config.connection[0]


def _approve(config: Config, held: Sequence[HeldSource]) -> bool:
    """Return whether a daemon approved it all; False: none runs. Raises AppError if it did not."""
    from ..core.events import EventKind
    from ..core.facts import ApproveAsked
    from ..runtime.state import read_history
    from ..runtime.sync_once import ask_and_wait

    asked_s = time.time()
    handled = ask_and_wait(config, ApproveAsked(tuple(held)))
    if handled is None:
        return False
    look = "see what became of it: twinsyncd status"
    if not handled:
        raise AppError("the daemon has not answered yet; the approval is kept for it", hint=look)
    events = read_history(config, since_s=asked_s)
    taken = {each.source for each in events if each.kind is EventKind.SOURCE_APPROVED}
    if refused := [each.source for each in held if each.source not in taken]:
        raise AppError(
            f"not approved: what is missing in {', '.join(refused)} has changed meanwhile",
            hint=f"{look}; then approve what is shown there",
        )
    return True


def _show_missing(finding: HeldSource, examples: Sequence[str]) -> None:
    """Name some of the files: a person who knows the project sees at once whether it is meant."""
    for path in examples:
        typer.echo(f"    missing: {visible(path)}")
    if examples and finding.missing_count > len(examples):
        typer.echo(f"    and {finding.missing_count - len(examples):,} more")


def _show_snapshot(held: HeldSnapshot) -> None:
    file = visible(f"{held.key.source}/{held.key.path}")
    typer.echo(f"{file}: {count(held.rows, 'row')} of {held.entity}")
    if held.known:
        gone = f"{held.leaving:,} of the {held.known:,} {held.entity} that the service took from us"
    else:
        gone = f"all {held.entity} of the company that are not in the file"
    typer.echo(f"    if you approve, the service deletes {gone}, with all that lies below them")
