"""`twinsyncd logout`: forget the sign-in of a person."""

from __future__ import annotations

import typer

from .options import ConfigOption, load_config


def logout(config: ConfigOption = None) -> None:
    """Forget the sign-in on this machine; what waits for one goes on after the next login."""
    checked = load_config(config, folders=False)

    from ..runtime.sign_in import sign_out

    typer.echo("signed out" if sign_out(checked) else "nobody was signed in")
