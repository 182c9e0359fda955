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
    return find_keys(config, path)[0]


def find_keys(config: Config, path: str) -> list[FileKey]:
    """Return what the path is in each source that has it: one, if a source takes it as a file.

    Several sources may read one folder. The path of a source's folder is "". Raises AppError if it
    belongs to none.
    """
    from ..config import sources_of
    from ..core.model import FileKey

    sources = [(connection.key_of(source), source) for connection, source in sources_of(config)]
    for key, _ in sources:  # as `status` shows it; first, since any name fits the current folder
        if path == key or path.startswith(f"{key}/"):
            return [FileKey(key, path.removeprefix(key).strip("/"))]
    file = Path(path).expanduser().absolute()
    found = [
        (FileKey(key, "/".join(file.relative_to(source.folder).parts)), source)
        for key, source in sources
        if file.is_relative_to(source.folder)
    ]
    for each, source in found:
        if source.matcher().kind(each.path) is not None:
            return [each]
    if found:
        return [each for each, _ in found]
    names = ", ".join(f'"{each.name}"' for each in config.connection)
    hint = f"copy it from `twinsyncd status`; the connections are called {names}"
    raise AppError(f"{path} lies in no configured folder", hint=hint)
