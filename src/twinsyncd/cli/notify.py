"""`twinsyncd notify test`: whether messages arrive, before one matters."""

from __future__ import annotations

import typer

from .options import ConfigOption, load_config

app = typer.Typer(help="Notifications by mail or chat.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Hold the commands together."""


@app.command()
def test(config: ConfigOption = None) -> None:  # noqa: PT028 - a command, not a test
    """Send a test message to every target of [notify], and ask for ping_url.

    Exit code 0 if all took it, 1 if not.
    """
    from ..runtime.notify_wiring import try_targets

    failed = False
    for name, error in try_targets(load_config(config, folders=False)):
        typer.echo(f"{name}: {error or 'taken'}")
        failed |= bool(error)
    raise typer.Exit(1 if failed else 0)
