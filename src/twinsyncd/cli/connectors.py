"""`twinsyncd connectors`: which connector reads which file names, the default and the choice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ..connectors import (
    EXTENSIONS,
    KNOWN_CONNECTORS,
    ON_REQUEST,
    READS,
    RETIRED,
    connectors_for,
)
from ..errors import AppError
from .completion import connector_names
from .console import open_console
from .markup import plain

if TYPE_CHECKING:
    from rich.table import Table

WHY_ON_REQUEST: Final = "only where include names it: most such files are no models"


def connectors(
    name: Annotated[
        str | None,
        typer.Argument(
            help="A file name, like road.dgn: show what reads it; or a connector.",
            show_default=False,
            autocompletion=connector_names,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """List the connectors, the file names that each reads, and which one "auto" chooses."""
    if name is not None:
        _show_name(name, as_json=as_json)
    elif as_json:
        typer.echo(json.dumps(_everything(), indent=2))
    else:
        _show_all()


def _show_name(name: str, *, as_json: bool) -> None:
    if name.upper() in {*KNOWN_CONNECTORS, *RETIRED}:
        _show_connector(name.upper(), as_json=as_json)
        return
    readers = connectors_for(name)
    if as_json:
        typer.echo(json.dumps({"name": name, "connectors": readers}, indent=2))
        return
    if not readers:
        hint = "the list of what is read: twinsyncd connectors"
        raise AppError(f"no connector reads {name!r}{_retired_reader(name)}", hint=hint)
    console = open_console()
    for place, reader in enumerate(readers):
        chosen = '"auto" chooses it' if place == 0 else f'write connector = "{reader}"'
        console.print(f"{reader:14} {plain(READS[reader])}; {plain(chosen)}", soft_wrap=True)


def _show_connector(connector: str, *, as_json: bool) -> None:
    """Print which file names a connector reads, and which of them "auto" leaves to it."""
    read = {ending: readers for ending, readers in EXTENSIONS.items() if connector in readers}
    if as_json:
        typer.echo(json.dumps({"connector": connector, "extensions": list(read)}, indent=2))
        return
    if connector in RETIRED:
        hint = "the list of what is read: twinsyncd connectors"
        raise AppError(f"the service no longer accepts {connector}", hint=hint)
    console = open_console()
    names = " ".join(read) or "no name that is known, so include must name its files"
    console.print(f"{connector}: {plain(READS[connector])}; reads {plain(names)}", soft_wrap=True)
    if others := [ending for ending, readers in read.items() if readers[0] != connector]:
        write = f'write connector = "{connector}" for {" ".join(others)}'
        console.print(f'"auto" chooses another for some: {plain(write)}', soft_wrap=True)


def _retired_reader(name: str) -> str:
    gone = [reader for reader, endings in RETIRED.items() if name.lower().endswith(tuple(endings))]
    return f"; {gone[0]} did, which the service no longer accepts" if gone else ""


def _everything() -> Mapping[str, Any]:
    """Return the tables as plain values."""
    return {
        "extensions": {
            ending: {"connectors": readers, "auto": ending not in ON_REQUEST}
            for ending, readers in EXTENSIONS.items()
        },
        "connectors": {reader: READS[reader] for reader in sorted(KNOWN_CONNECTORS)},
        "retired": RETIRED,
    }


def _show_all() -> None:
    console = open_console()
    console.print(_endings())
    console.print(_connectors())
    console.print(
        'connector = "auto" takes the first of a row. A file name does not show which program '
        "wrote it: OpenRoads, OpenBuildings, ProStructures and MicroStation all save .dgn. So name "
        "the connector of each source that holds files of another program than the first.",
        soft_wrap=not console.is_terminal,
    )


def _table(*headings: str) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _endings() -> Table:
    table = _table("file name", '"auto"', "others", "taken")
    by_readers: dict[tuple[tuple[str, ...], bool], list[str]] = {}
    for ending, readers in EXTENSIONS.items():
        by_readers.setdefault((readers, ending in ON_REQUEST), []).append(ending)
    for (readers, on_request), endings in by_readers.items():
        taken = WHY_ON_REQUEST if on_request else "in any folder"
        table.add_row(" ".join(endings), readers[0], " ".join(readers[1:]), taken)
    for reader, old in RETIRED.items():
        if not any(ending in EXTENSIONS for ending in old):
            table.add_row(" ".join(old), "none", "", f"the service no longer accepts {reader}")
    return table


def _connectors() -> Table:
    table = _table("connector", "reads")
    for reader in sorted({*KNOWN_CONNECTORS, *RETIRED}):
        if reader in RETIRED:
            gone = f"no longer accepted by the service; it read {' '.join(RETIRED[reader])}"
            table.add_row(reader, f"[yellow]{gone}[/]")
        else:
            table.add_row(reader, plain(READS[reader]))
    return table
