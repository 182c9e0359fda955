"""Registers the commands and prints the errors that they raise."""

from __future__ import annotations

import sys
from typing import Annotated, Final

import typer

from .. import __version__
from ..errors import AppError, ConfigError
from .approve import approve
from .check import check
from .config import app as config
from .connections import connections
from .connectors import connectors
from .demo import demo
from .explain import explain
from .forget import forget
from .history import history
from .imodel import app as imodel
from .init import init
from .local import local
from .login import login
from .logout import logout
from .manual import manual
from .notify import app as notify
from .pause import pause, resume
from .publish import publish
from .retry import retry
from .run import run
from .service import app as service
from .status import status
from .sync import sync
from .verify import verify

FAILED: Final = 1  # something is not synced, or could not be done
UNUSABLE: Final = 2  # the configuration or the arguments cannot be used; nothing was started

app = typer.Typer(
    name="twinsyncd",
    help="Keeps an iModel equal to a design office's shared drive, unattended and provably.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (
    run,
    sync,
    publish,
    status,
    explain,
    history,
    verify,
    retry,
    forget,
    approve,
    init,
    pause,
    resume,
    check,
    connections,
    connectors,
    login,
    logout,
    local,
    demo,
    manual,
):
    app.command()(command)
app.add_typer(imodel, name="imodel")
app.add_typer(notify, name="notify")
app.add_typer(config, name="config")
app.add_typer(service, name="service")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"twinsyncd {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version and end.", is_eager=True, callback=_print_version
        ),
    ] = False,
) -> None:
    """Hold the options that go before a command."""


def run_app() -> int:
    """Return the exit code: 0 done, 1 failed, 2 unusable."""
    try:
        app()
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else FAILED
    except ConfigError as error:
        count = len(error.mistakes)
        noun = "mistake" if count == 1 else "mistakes"
        typer.echo(f"The configuration has {count} {noun}; nothing was started.\n", err=True)
        typer.echo(str(error), err=True)
        return UNUSABLE
    except AppError as error:
        typer.echo(f"twinsyncd: {error}", err=True)
        if error.hint:
            typer.echo(f"    {error.hint}", err=True)
        return FAILED
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        return 130
    return 0
