"""`twinsyncd retry`: try files that were set aside once more."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import AppError
from .completion import file_paths
from .options import ConfigOption, load_config

if TYPE_CHECKING:
    from ..config import Config
    from ..core.model import FileKey, FileRow


def retry(
    path: Annotated[
        str | None,
        typer.Argument(
            help="The file, or as `status` prints it; left out: all of them.",
            autocompletion=file_paths,
        ),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Try a file that was set aside once more, or all of them.

    A named file that is synced is read, uploaded and run again, whatever is remembered of it.
    """
    checked = load_config(config, folders=False)

    from ..core.facts import RetryAsked
    from ..runtime.state import read_row
    from ..runtime.sync_once import leave_request

    key = None if path is None else find_key(checked, path)
    if key is not None:
        _require_retriable(path or "", read_row(checked, key))
    running = leave_request(checked, RetryAsked(key))
    what = path or "every file that was set aside"
    when = "now" if running else "when the daemon runs next, or with `twinsyncd sync`"
    typer.echo(f"{what} is tried again {when}")


def _require_retriable(path: str, row: FileRow | None) -> None:
    from ..core.file_changes import is_leftover

    if row is None:
        raise AppError(
            f"{path} is not known: no scan has found it, or no pattern takes it",
            hint="see why: twinsyncd explain PATH",
        )
    if is_leftover(row):
        raise AppError(
            f"{path} is not on the drive, so there is nothing to try again",
            hint="put it back there, or take it out of the cloud: twinsyncd forget --delete PATH",
        )


def find_key(config: Config, path: str) -> FileKey:
    """Return which file of which source it is. Raises AppError if it belongs to none."""
    from ..config import sources_of
    from ..core.model import FileKey

    sources = [(connection.key_of(source), source) for connection, source in sources_of(config)]
    for key, _ in sources:  # as `status` shows it; first, since any name fits the current folder
        if path == key or path.startswith(f"{key}/"):
            return FileKey(key, path.removeprefix(key).strip("/"))
    file = Path(path).expanduser().absolute()
    found = [
        (FileKey(key, file.relative_to(source.folder).as_posix()), source)
        for key, source in sources
        if file.is_relative_to(source.folder)
    ]
    # Several sources may read one folder: the one that takes the file is meant.
    for each, source in found:
        if source.matcher().kind(each.path) is not None:
            return each
    if found:
        return found[0][0]
    raise AppError(f"{path} lies in no configured folder", hint="copy it from `twinsyncd status`")
