"""`twinsyncd retry`: try files that were set aside once more."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ..errors import AppError
from .completion import names_and_paths
from .options import ConfigOption, load_config

if TYPE_CHECKING:
    from ..config import Config, Connection
    from ..core.model import FileKey, FileRow

OPEN_MAX: Final = 100_000  # files looked through for those that were set aside
RETRIED_MAX: Final = 1_000  # a request each; more are tried again by a `retry` without a name


def retry(
    path: Annotated[
        str | None,
        typer.Argument(
            help="The file, or as `status` prints it; or a connection; left out: all of them.",
            autocompletion=names_and_paths,
        ),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Try a file that was set aside once more, or all of them, or all of a connection.

    A named file that is synced is read, uploaded and run again, whatever is remembered of it.
    """
    checked = load_config(config, folders=False)
    if path is not None and (named := [each for each in checked.connection if each.name == path]):
        _retry_connection(checked, named[0])
        return

    from ..core.facts import RetryAsked
    from ..runtime.state import read_row
    from ..runtime.sync_once import leave_request

    key = None if path is None else find_key(checked, path)
    if key is not None:
        _require_retriable(path or "", read_row(checked, key))
    running = leave_request(checked, RetryAsked(key))
    what = path or "every file that was set aside and every iModel that waits"
    typer.echo(f"{what} is tried again {_when(running)}")


def _when(running: bool) -> str:
    return "now" if running else "when the daemon runs next, or with `twinsyncd sync`"


def _retry_connection(config: Config, connection: Connection) -> None:
    """Try the files of one connection that were set aside, and its iModel if that is halted."""
    from ..core.facts import RetryAsked
    from ..core.file_changes import is_leftover
    from ..core.model import FileKey
    from ..runtime.formatting import count
    from ..runtime.state import read_status
    from ..runtime.sync_once import leave_request

    alone = config.model_copy(update={"connection": (connection,)})
    status = read_status(alone, runs=0, open_files=OPEN_MAX)
    rows = (row for row in status.open_files if (row.aside or row.unread) and not is_leftover(row))
    keys = [row.key for row in rows][:RETRIED_MAX]
    halted = any(lane.halt for lane in status.lanes)
    halted |= connection.key in status.failed_comparisons
    if not (keys or halted):
        hint = "to read and upload a file of it anew, name the file: twinsyncd retry PATH"
        raise AppError(f"nothing of {connection.name} was set aside or is halted", hint=hint)
    lane = FileKey(connection.key_of(connection.source[0]), "")  # no file, so only its iModel
    running = leave_request(config, *map(RetryAsked, keys or [lane]))
    what = f"{connection.name} ({count(len(keys), 'file')})" if keys else connection.name
    typer.echo(f"{what} is tried again {_when(running)}")


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
