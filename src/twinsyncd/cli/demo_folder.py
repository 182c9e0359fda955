"""The folder in which a demo takes place: its drive and its configuration."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from ..errors import AppError
from .local import config_block

QUICK: Final = 'settle = "0.5s"\nsettle_by_format = { ifc = "0.5s" }\nbatch_quiet = "1s"\n'
# A table is read only where it is asked for: most are no part of a model.
INCLUDE: Final = ("**/*.ifc", "**/*.dxf", "**/*.geojson", "**/*.csv")


DemoFolder = Annotated[
    Path | None,
    typer.Option(
        help="Where everything is put; else .demo, .demo-manifest or .demo-bulk.",
        show_default=False,
    ),
]


def usual_folder(*, manifest: bool, bulk: bool) -> Path:
    """Return the folder of a demo in the current one; each kind has its own."""
    return Path(".demo-manifest" if manifest else ".demo-bulk" if bulk else ".demo")


def make_room(folder: Path, *, may_delete: bool) -> None:
    """Empty the demo's folder; refuses one that is not a demo's.

    An earlier demo is deleted if `may_delete`, or if the person at the terminal agrees.
    """
    is_there = folder.exists() and any(folder.iterdir())
    if is_there and not (folder / "twinsyncd.toml").exists():
        raise AppError(f"{folder} is not empty", hint="name another one with --folder")
    if is_there and not may_delete:
        _ask_to_delete(folder)
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "drive").mkdir(parents=True)


def _ask_to_delete(folder: Path) -> None:
    found = f"{folder} holds an earlier demo"
    hint = "delete it with --yes, or name another folder with --folder"
    if not sys.stdin.isatty() or not typer.confirm(f"{found}. Delete it?"):
        raise AppError(f"{found}; nothing was changed", hint=hint)


def write_config(file: Path, ready: Any, folder: Path, keys: str) -> None:
    """Write a configuration that syncs the folder's drive; `keys` go into its connection."""
    extra = QUICK + keys
    block = config_block(ready, folder=str(folder / "drive"), connection="Bridge 12", extra=extra)
    state = f'[daemon]\nstate_folder = "{folder / "state"}"\n\n'
    file.touch(mode=0o600)
    file.write_text(f"{state}{block}  include = {list(INCLUDE)}\n", "utf-8")


def files_below(folder: Path) -> list[Path]:
    """Return all files in a folder and below it, sorted."""
    return sorted(file for file in folder.rglob("*") if file.is_file())
