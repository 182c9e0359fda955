"""`twinsyncd status`: what is synced, what is not and why, read from the journal alone."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ..errors import AppError, JournalError
from .completion import names_and_paths
from .markup import plain
from .options import ConfigOption, load_config

if TYPE_CHECKING:
    from rich.console import Console

    from ..config import Config
    from ..runtime.overall_state import OverallState

LOOK_S: Final = 1.0  # between two looks of --watch


def _print_schema(wanted: bool) -> None:
    if wanted:
        from ..runtime.status_model import status_schema

        typer.echo(json.dumps(status_schema(), indent=2))
        raise typer.Exit


def status(
    path: Annotated[
        str | None,
        typer.Argument(
            help="A connection, a file or a folder; left out: everything.",
            autocompletion=names_and_paths,
        ),
    ] = None,
    *,
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Show it live; Ctrl-C ends.")
    ] = False,
    files: Annotated[int, typer.Option(help="How many single files to list.", min=0)] = 20,
    every: Annotated[bool, typer.Option("--all", help="Every connection, in full.")] = False,
    _schema: Annotated[
        bool,
        typer.Option(
            "--schema",
            help="Print the JSON Schema of --json.",
            is_eager=True,
            callback=_print_schema,
        ),
    ] = False,
) -> None:
    """Show what is synced, what is left and why; works whether or not the daemon runs.

    Exit code 0 if everything that can match was read and is synced, and a daemon looks for
    changes; 1 if not.
    """
    checked = load_config(config, folders=False)
    named = {each.name for each in checked.connection}
    if path is not None and path not in named:
        raise typer.Exit(_show_path(checked, path, files, as_json=as_json))

    def read() -> OverallState:
        from ..runtime.overall_state import read_overall_state

        return read_overall_state(checked, connection=path, open_files=files)

    if as_json:
        state = read()
        typer.echo(json.dumps(document_of(state), indent=2))
    elif watch:
        from rich.console import Console

        def text_of(state: OverallState) -> str:
            return screen(state, files, every=every)

        state = watching(Console(highlight=False), text_of, read, threading.Event().wait)
    else:
        from .console import open_console

        state = read()
        show(open_console(), state, files, every=every)
    raise typer.Exit(0 if state.report.in_sync else 1)


def show(console: Console, state: OverallState, files: int = 20, *, every: bool = False) -> None:
    """Print how everything stands."""
    from .status_text import status_lines

    for line in status_lines(state, files, every=every):
        console.print(line, soft_wrap=True)  # a page to open must stay in one piece


def document_of(state: OverallState) -> dict[str, object]:
    """Return the state for programs."""
    from ..runtime.status_document import status_document

    found = status_document(state.report, state.figures, state.now_s)
    return found.model_dump(mode="json")


def screen(state: OverallState, files: int, *, every: bool) -> str:
    """Return how everything stands as one text with markup."""
    from .status_text import status_lines

    return "\n".join(status_lines(state, files, every=every))


def watching(
    console: Console,
    text_of: Callable[[OverallState], str],
    read: Callable[[], OverallState],
    wait: Callable[[float], bool],
) -> OverallState:
    """Show the state on the whole terminal until Ctrl-C, or until `wait` returns True.

    A journal that cannot be read for a moment is said so, and read again. Raises AppError where
    there is no terminal, and JournalError if the first look fails.
    """
    from rich.live import Live
    from rich.text import Text

    if not console.is_terminal or console.is_dumb_terminal:
        hint = "ask for `twinsyncd status --json` from time to time"
        raise AppError("--watch needs a terminal that can move its cursor", hint=hint)
    state = read()
    try:
        with Live(console=console, screen=True, auto_refresh=False) as live:
            trouble = ""
            while True:
                live.update(Text.from_markup(f"{trouble}{text_of(state)}"), refresh=True)
                if wait(LOOK_S):
                    return state
                try:
                    state, trouble = read(), ""
                except JournalError as error:
                    trouble = (
                        f"[red]cannot be read now[/]: {plain(str(error))}; what follows is older\n"
                    )
    except KeyboardInterrupt:
        return state


def _show_path(config: Config, path: str, files: int, *, as_json: bool) -> int:
    from .status_path import path_status

    text, done = path_status(config, path, files, as_json=as_json)
    if as_json:
        typer.echo(text)
    else:
        from .console import open_console

        open_console().print(text, soft_wrap=True)
    return 0 if done else 1
