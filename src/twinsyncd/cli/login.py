"""`twinsyncd login`: sign in as a person, with a browser."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from .options import ConfigOption, load_config

if TYPE_CHECKING:
    from ..runtime.sign_in import Person


def login(
    config: ConfigOption = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the pages, or print them only.")
    ] = True,
    timeout: Annotated[
        float, typer.Option(help="Give up after this long.", min=1, metavar="SECONDS")
    ] = 600.0,
) -> None:
    """Sign in as a person and agree to runs; the daemon goes on with it by itself."""
    checked = load_config(config, folders=False)

    from ..runtime.sign_in import sign_in

    done = sign_in(checked, person_at_terminal(browser=browser), timeout)
    who = f" as {done.account}" if done.account else ""
    typer.echo(f"signed in{who}")
    if not done.authorised:
        typer.echo("runs may not act for you yet, so they wait; agree to it: twinsyncd login")
        raise typer.Exit(1)
    next_step = "the daemon goes on" if done.daemon_runs else "start the daemon: twinsyncd run"
    typer.echo(f"the platform may run synchronizations in your name; {next_step}")


def person_at_terminal(*, browser: bool) -> Person:
    """Return how to show pages to the person at this terminal, and read what they paste."""
    from ..runtime.sign_in import Person

    def open_page(what: str, url: str) -> None:
        typer.echo(f"To {what}, open this page in a browser of this machine:\n\n    {url}\n")
        if browser:
            _open(url)

    return Person(open_page, _read_pasted)


def _open(url: str) -> None:
    import webbrowser

    try:
        opened = webbrowser.open(url)
    except webbrowser.Error:
        opened = False
    if not opened:
        typer.echo("No browser could be opened here.")


def _read_pasted(deliver: Callable[[str], bool]) -> None:
    """Read addresses from the terminal, for a browser on another machine."""
    if not sys.stdin.isatty():
        return
    typer.echo(
        "Is the browser on another machine? It then ends on an address that it cannot open:"
        " paste that address here.\n"
    )

    def read() -> None:
        for text in sys.stdin:
            if deliver(text.strip()):
                return
            if text.strip():
                typer.echo("that is not the address that twinsyncd waits for")

    threading.Thread(target=read, name="pasted", daemon=True).start()
