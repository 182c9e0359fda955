"""`twinsyncd connections`: all connections of the iModels, ours and those of others."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Final

import typer

from .console import open_console
from .markup import plain
from .options import ConfigOption, load_config

if TYPE_CHECKING:
    from ..config import Config
    from ..runtime.connection_report import ListedConnection

EXTRA_NAMED: Final = 5  # source files of others that are named per connection


def connections(
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """List the connections of each iModel with their ids and source files; changes nothing.

    To use one that exists, write its id into the configuration: connection_id = "...".
    """
    checked = load_config(config, folders=False)

    from ..runtime.connection_report import imodel_connections

    found = list(imodel_connections(checked))
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in found], indent=2))
        return
    console = open_console()
    for imodel in found:
        console.print(f"iModel {imodel.imodel_id}", soft_wrap=True)
        if not imodel.connections:
            console.print("  no connection yet; the first sync creates it", soft_wrap=True)
        for each in imodel.connections:
            console.print(f"  {plain(_line(checked, each))}", soft_wrap=True)
        for warning in imodel.warnings:
            console.print(f"  [yellow]{plain(warning)}[/]", soft_wrap=True)


def _line(config: Config, listed: ListedConnection) -> str:
    from ..runtime.formatting import count

    parts = [f"{listed.kind}, {count(listed.source_files, 'source file')}"]
    if _is_ours(config, listed):
        parts.append("used by this configuration")
        if listed.extra:
            named = ", ".join(listed.extra[:EXTRA_NAMED])
            parts.append(f"{len(listed.extra)} not from here: {named}")
    if listed.problem:
        parts.append(listed.problem)
    return f"{listed.name or '(no name)'}  {listed.id}  ({'; '.join(parts)})"


def _is_ours(config: Config, listed: ListedConnection) -> bool:
    return any(
        each.target == listed.kind
        and (listed.id == each.connection_id if each.connection_id else listed.name == each.name)
        for each in config.connection
    )
