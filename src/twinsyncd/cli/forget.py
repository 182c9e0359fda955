"""`twinsyncd forget`: take a file that is gone from the drive out of the iModel's connection."""

from __future__ import annotations

from typing import Annotated

import typer

from .completion import file_paths
from .options import ConfigOption, load_config
from .retry import find_key


def forget(
    path: Annotated[
        str, typer.Argument(help="The file, or as `status` prints it.", autocompletion=file_paths)
    ],
    config: ConfigOption = None,
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete it in Storage, too (recycle bin).")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Take a file that is not on the drive any more out of its connection.

    For a file that fails in every run, or that runs should not keep up any more. Whether the
    iModel keeps what earlier runs brought of it, the platform does not document.
    """
    checked = load_config(config, folders=False)

    from ..runtime.forgetting import find_forgettable
    from ..runtime.forgetting import forget as forget_file

    key = find_key(checked, path)
    name = f"{key.source}/{key.path}"
    found = find_forgettable(checked, key)
    if not yes:
        typer.confirm(f"Take {name} out of its connection?", abort=True)
    was_held = forget_file(checked, found, delete=delete)
    done = "taken out of its connection" if was_held else "was not in its connection any more"
    deleted = ", and deleted in Storage" if delete else ""
    typer.echo(f"{name}: {done}{deleted}; the next run works without it")
    typer.echo(
        "The iModel may keep what earlier runs brought of it: the platform does not document that,"
        " and has no call that takes it out."
    )
