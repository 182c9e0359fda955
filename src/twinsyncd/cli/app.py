"""Registers the commands and prints the errors that they raise."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Final

import typer

from .. import __version__
from ..errors import AppError, ConfigError

FAILED: Final = 1  # something is not synced, or could not be done
UNUSABLE: Final = 2  # the configuration or the arguments cannot be used; nothing was started

# Each name is that of a module here, or says in which module it is; the order is that of --help.
COMMANDS: Final = {
    "run": "run",
    "sync": "sync",
    "publish": "publish",
    "status": "status",
    "explain": "explain",
    "history": "history",
    "verify": "verify",
    "retry": "retry",
    "forget": "forget",
    "approve": "approve",
    "init": "init",
    "pause": "pause",
    "resume": "pause",
    "check": "check",
    "connections": "connections",
    "connectors": "connectors",
    "login": "login",
    "logout": "logout",
    "local": "local",
    "demo": "demo",
    "manual": "manual",
}
GROUPS: Final = ("imodel", "notify", "config", "service")
ABOUT_ALL: Final = "manual"  # prints the man page of all commands


def make_app(words: Sequence[str]) -> typer.Typer:
    """Return the program; if the words name a command, with that command alone.

    Importing and describing all of them takes longer than most of them take to run.
    """
    app = typer.Typer(
        name="twinsyncd",
        help="Keeps an iModel equal to a design office's shared drive, unattended and provably.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_options)
    everything = (*COMMANDS, *GROUPS)
    first = next(iter(words), ABOUT_ALL)
    for name in everything if first == ABOUT_ALL or first not in everything else (first,):
        module = import_module(f".{COMMANDS.get(name, name)}", __package__)
        if name in GROUPS:
            app.add_typer(module.app, name=name)
        else:
            app.command()(getattr(module, name))
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"twinsyncd {__version__}")
        raise typer.Exit


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
        make_app(sys.argv[1:])()
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
