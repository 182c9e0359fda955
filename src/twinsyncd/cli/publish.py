"""`twinsyncd publish`: run now what waits for its timetable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import AppError, JournalError
from ..runtime.formatting import clock_time, duration
from .completion import connection_names
from .options import ConfigOption, load_config
from .pause import key_of

if TYPE_CHECKING:
    from ..config import Config


def publish(
    connection: Annotated[
        str | None,
        typer.Argument(
            help="The connection; left out: all of them.", autocompletion=connection_names
        ),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Run what has changed now, even outside the `window` of its connection.

    Files are settled and uploaded first, and nothing may change for `batch_quiet`. The exception
    ends with that run: later changes wait for the window again. Without a daemon it is done here,
    as `sync` does. A paused connection stays paused.
    """
    checked = load_config(config)
    _refuse_paused(checked, connection)

    from ..core.facts import PublishAsked
    from ..runtime.state import is_running
    from ..runtime.sync_once import leave_request
    from .sync import sync_and_show

    fact = PublishAsked(key_of(checked, connection))
    if is_running(checked):
        leave_request(checked, fact)
        named = [each for each in checked.connection if connection in (None, each.name)]
        quiet = duration(max(each.batch_quiet.total_seconds() for each in named))
        typer.echo(
            f"{connection or 'every connection'}: what has changed is run once it is uploaded and"
            f" nothing has changed for {quiet} (batch_quiet); follow it: twinsyncd status --watch"
        )
        return
    sync_and_show(checked, fact)


def _refuse_paused(config: Config, name: str | None) -> None:
    """Raise AppError if the connection is paused, or all are; name those that are."""
    from ..runtime.state import read_status

    try:
        paused_s = read_status(config, runs=0, open_files=0).paused_s
    except JournalError:
        return  # there is none yet, or what follows says what is wrong with it
    named = [each for each in config.connection if name in (None, each.name)]
    paused = [each for each in named if paused_s.get(each.key)]
    for each in paused:
        since = clock_time(paused_s[each.key])
        text = f"{each.name} is paused since {since}, so nothing of it is run"
        hint = f'end the pause first: twinsyncd resume "{each.name}"'
        if len(paused) == len(named):
            raise AppError(text, hint=hint)
        typer.echo(f"{text}; {hint}", err=True)
