"""`twinsyncd history`: what happened, from the journal's events."""

from __future__ import annotations

import csv
import json
import re
import sys
from dataclasses import asdict
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Final

import typer

from .completion import file_paths
from .markup import plain
from .options import ConfigOption, load_config
from .retry import find_keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..core.events import Event

_LONE_M: Final = re.compile(r"(?<=\d)\s*m(?![a-z])", re.IGNORECASE)  # the minutes of other tools


def history(
    path: Annotated[
        str | None,
        typer.Argument(help="A file or folder; left out: everything.", autocompletion=file_paths),
    ] = None,
    *,
    config: ConfigOption = None,
    since: Annotated[
        str, typer.Option(help="How far back, like 30min, 2h, 7d; the events are kept for months.")
    ] = "7d",
    limit: Annotated[
        int, typer.Option(help="The newest so many events.", min=1, metavar="NUMBER")
    ] = 1000,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="For a spreadsheet.")] = False,
) -> None:
    """Show what happened to files, runs and sources, oldest first; touches no share."""
    import time

    from ..runtime.state import read_history

    checked = load_config(config, folders=False)
    keys = [None] if path is None else find_keys(checked, path)
    since_s = time.time() - _seconds(since)
    found = (read_history(checked, key=key, since_s=since_s, limit=limit) for key in keys)
    events = sorted(chain.from_iterable(found), key=lambda event: event.at_s)[-limit:]
    if as_json:
        typer.echo(json.dumps([asdict(event) for event in events], indent=2))
    elif as_csv:
        _write_csv(events)
    else:
        _show(events, since)


def _seconds(text: str) -> float:
    from ..config.units import duration

    try:
        return duration(_LONE_M.sub("min", text)).total_seconds()
    except ValueError as exc:
        raise typer.BadParameter(f"{text} is no time: write it like 90min, 2h or 7d") from exc


def _write_csv(events: Sequence[Event]) -> None:
    from dataclasses import fields

    from ..core.events import Event

    writer = csv.DictWriter(sys.stdout, [each.name for each in fields(Event)])
    writer.writeheader()
    writer.writerows(asdict(event) for event in events)


def _show(events: Sequence[Event], since: str) -> None:
    from rich.console import Console

    from ..runtime.event_words import event_words
    from ..runtime.formatting import clock_time

    console = Console(highlight=False)
    if not events:
        console.print(f"no events in the last {plain(since)}")
    for event in events:
        where = f"{event.source}/{event.path}" if event.path else event.source or event.connection
        evidence = [
            f"{name} {value}"
            for name, value in (
                ("sha256", event.digest[:12]),
                ("run", event.run.rpartition("/")[2]),
                ("task", event.task),
                ("changeset", event.changeset[:12]),
            )
            if value
        ]
        text = f": {words}" if (words := event_words(event)) else ""
        detail = f"  ({', '.join(evidence)})" if evidence else ""
        line = f"{clock_time(event.at_s)}  {event.kind.value}  {where}{text}{detail}"
        console.print(plain(line), soft_wrap=True)
