"""`twinsyncd config`: what holds after all, and the schema that editors check a file with."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import ConfigOption, find_config, load_config

if TYPE_CHECKING:
    from tomlkit.container import Container
    from tomlkit.items import AoT, Table
    from tomlkit.toml_document import TOMLDocument

Place = tuple[str | int, ...]

app = typer.Typer(help="Show what holds, and the schema of the configuration file.")


@app.command()
def show(
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Print every value that holds: file, environment and defaults together, without secrets."""
    file = (config or find_config()).expanduser().absolute()
    checked = load_config(file, folders=False)

    from ..config.effective import effective, origins

    values = effective(checked)
    if as_json:
        typer.echo(json.dumps(values, indent=2))
        return
    typer.echo(f"# {file}, with what the environment sets and the defaults")
    typer.echo(_toml(values, origins(checked, os.environ)), nl=False)


@app.command()
def schema(
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write it here instead.", show_default=False),
    ] = None,
) -> None:
    """Print the JSON Schema of the configuration file, for editors.

    Name the saved file in the first line of a configuration: #:schema ./twinsyncd.schema.json
    """
    from ..config.json_schema import json_schema

    text = json.dumps(json_schema(), indent=2)
    if output is None:
        typer.echo(text)
        return
    output.write_text(f"{text}\n", "utf-8")
    typer.echo(f"written: {output}")


def _toml(values: Mapping[str, Any], origin: Mapping[Place, str]) -> str:
    import tomlkit

    document = tomlkit.document()
    _fill(document, values, (), origin)
    return tomlkit.dumps(document)


def _fill(
    table: TOMLDocument | Table | Container,
    values: Mapping[str, Any],
    path: Place,
    origin: Mapping[Place, str],
) -> None:
    """Write plain values before tables, since a key below a heading belongs to that table."""
    import tomlkit

    for key, value in values.items():
        if not _is_table(value) or (*path, key) in origin:
            item = tomlkit.item(value, _parent=None)
            if note := origin.get((*path, key)):
                item.comment(note)
            table.add(key, item)
    for key, value in values.items():
        if (*path, key) in origin or not _is_table(value):
            continue
        if isinstance(value, dict):
            below = tomlkit.table()
            _fill(below, value, (*path, key), origin)
            table.add(key, below)
        else:
            table.add(key, _tables(value, (*path, key), origin))


def _tables(values: list[Any], path: Place, origin: Mapping[Place, str]) -> AoT:
    import tomlkit

    many = tomlkit.aot()
    for number, each in enumerate(values):
        below = tomlkit.table()
        _fill(below, each, (*path, number), origin)
        many.append(below)
    return many


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and bool(value) and isinstance(value[0], dict)
    )
