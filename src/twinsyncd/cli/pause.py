"""`twinsyncd pause` and `twinsyncd resume`: let a connection rest for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import AppError
from .completion import connection_names
from .options import ConfigOption, load_config

if TYPE_CHECKING:
    from ..config import Config, Connection
    from ..core.model import ConnectionKey

_Name = Annotated[
    str | None,
    typer.Argument(help="The connection; left out: all of them.", autocompletion=connection_names),
]


def pause(connection: _Name = None, config: ConfigOption = None) -> None:
    """Store and run nothing of a connection until `resume`; changes are still noticed.

    What is on its way is finished. A pause outlasts restarts; `status` shows it.
    """
    checked = load_config(config, folders=False)

    from ..core.facts import PauseAsked
    from ..runtime.sync_once import leave_request

    running = leave_request(checked, PauseAsked(key_of(checked, connection)))
    when = "now" if running else "from the next start on"
    typer.echo(f"{connection or 'every connection'} is paused {when}; end it: twinsyncd resume")


def resume(connection: _Name = None, config: ConfigOption = None) -> None:
    """End a pause: what has changed meanwhile is stored and run."""
    checked = load_config(config, folders=False)

    from ..core.facts import ResumeAsked
    from ..runtime.sync_once import leave_request

    running = leave_request(checked, ResumeAsked(key_of(checked, connection)))
    when = "now" if running else "at the next start, or with `twinsyncd sync`"
    typer.echo(f"{connection or 'every connection'} goes on {when}")


def key_of(config: Config, name: str | None) -> ConnectionKey | None:
    """Return the key of the connection, None for all. Raises AppError if there is none."""
    return None if name is None else connection_named(config, name).key


def connection_named(config: Config, name: str) -> Connection:
    """Return the connection of that name. Raises AppError if there is none."""
    found = next((each for each in config.connection if each.name == name), None)
    if found is None:
        raise AppError(f"there is no connection {name}", hint=connections_there_are(config))
    return found


def connections_there_are(config: Config) -> str:
    """Return the hint that names them all."""
    return f"there are: {', '.join(each.name for each in config.connection)}"
