"""`twinsyncd publish`: run now what waits for its timetable."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import ConfigOption, load_config
from .pause import key_of


def publish(
    connection: Annotated[
        str | None, typer.Argument(help="The connection; left out: all of them.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Run what has changed now, even outside the `window` of its connection.

    Files are settled and uploaded first. The exception ends with that run: later changes wait for
    the window again. Without a daemon it is done here, as `sync` does.
    """
    checked = load_config(config)

    from ..core.facts import PublishAsked
    from ..runtime.state import is_running
    from ..runtime.sync_once import leave_request
    from .sync import sync_and_show

    fact = PublishAsked(key_of(checked, connection))
    if is_running(checked):
        leave_request(checked, fact)
        typer.echo(
            f"{connection or 'every connection'}: what has changed is run as soon as it is"
            " uploaded; follow it: twinsyncd status --watch"
        )
        return
    sync_and_show(checked, fact)
