"""`twinsyncd manual`: the topics of the manual, rendered for the terminal, and the man page."""

from __future__ import annotations

import difflib
from typing import Annotated

import typer

from ..errors import AppError
from .completion import topics
from .console import open_console


def manual(
    context: typer.Context,
    topic: Annotated[
        str | None,
        typer.Argument(
            help="What to read; without it, the topics.", show_default=False, autocompletion=topics
        ),
    ] = None,
    search: Annotated[
        str, typer.Option("--search", "-s", help="Show the lines that hold this text.")
    ] = "",
    man: Annotated[
        bool, typer.Option("--man", help="Print the man page of all commands, as roff.")
    ] = False,
) -> None:
    """Read the manual: setting up, every key, every message, operations, security and more."""
    if man:
        from .man_page import man_page

        typer.echo(man_page(context.find_root().command), nl=False)
    elif search:
        _search(search)
    elif topic is None:
        _list()
    else:
        _show(topic)


def _list() -> None:
    from ..manual import TOPICS, title_of

    for topic in TOPICS:
        typer.echo(f"{topic:14} {title_of(topic)}")
    typer.echo("\nRead one:  twinsyncd manual setup      Search all:  twinsyncd manual -s proxy")


def _show(topic: str) -> None:
    from ..manual import TOPICS, text_of

    wanted = topic.lower()
    if wanted not in TOPICS:
        near = difflib.get_close_matches(wanted, TOPICS, n=1)
        meant = f'did you mean "{near[0]}"? ' if near else ""
        raise AppError(f"no topic {topic!r}", hint=f"{meant}there are: {', '.join(TOPICS)}")
    text, console = text_of(wanted), open_console()
    if not console.is_terminal:
        typer.echo(text, nl=False)  # as it was written: for programs, editors and printers
        return
    from rich.markdown import Markdown

    with console.pager(styles=True) if console.height < text.count("\n") else console:
        console.print(Markdown(text))


def _search(wanted: str) -> None:
    from ..manual import TOPICS, text_of

    found = 0
    for topic in TOPICS:
        for text in text_of(topic).splitlines():
            if wanted.lower() in text.lower():
                found += 1
                typer.echo(f"{topic}: {text.strip()}")
    if not found:
        raise AppError(f"the manual says nothing of {wanted!r}", hint="try another word")
