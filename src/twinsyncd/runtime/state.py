"""Where the journal is, what it says, and whether a daemon writes it now.

Reads the configuration and the journal only, so `status` starts without cloud or targets.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from ..config import Config, sources_of
from ..core.events import Event
from ..core.model import FileKey, FileRow, SourceKey
from ..errors import JournalError
from ..journal.daemon_rows import is_served_anywhere
from ..journal.folder_view import FolderView, read_folder
from ..journal.history import read_events, read_file
from ..journal.location import JournalLocation, Server
from ..journal.path_completion import next_parts
from ..journal.views import Scope, Status, Views
from .formatting import clock_time
from .held_file import is_held
from .machine_lock import served_elsewhere
from .trouble import Trouble, TroubleFile

JOURNAL: Final = "journal.sqlite"
LOCK: Final = "twinsyncd.lock"


def journal_file(config: Config) -> Path:
    """Return where the journal lies, unless it is on a server; the other files lie beside it."""
    assert config.daemon.state_folder is not None, "loading a configuration sets it"
    return config.daemon.state_folder / JOURNAL


def journal_of(config: Config) -> JournalLocation:
    """Return where the journal is: its file, or the database that several machines share."""
    daemon = config.daemon
    if daemon.journal is None:
        return journal_file(config)
    return Server(daemon.journal, daemon.journal_schema, daemon.journal_password_file)


def open_views(config: Config) -> Views:
    """Return what people may see of the journal, as far as it is about this configuration.

    Raises JournalError when there is no journal yet, or none that can be read; if a daemon waits
    for the same reason, with what it waits for.
    """
    with _naming_what_it_waits_for(config):
        return Views(journal_of(config), scope_of(config))


@contextmanager
def _naming_what_it_waits_for(config: Config) -> Iterator[None]:
    """Put what a running daemon waits for in the place of an error of the journal."""
    try:
        yield
    except JournalError as exc:
        is_here = is_running(config)
        trouble = read_trouble(config) if is_here else None
        if not is_here and (served := served_elsewhere(config)):
            raise JournalError(
                f"{exc}; but a twinsyncd on this machine serves {served} with another journal, or"
                " this one was deleted under it",
                hint="ask with its configuration (--config); a deleted journal is put back in 10 s",
            ) from exc
        if trouble is None or trouble.is_start:
            raise
        since = clock_time(trouble.since_s)
        raise JournalError(
            f"the daemon runs and waits for its journal since {since}: {trouble.reason}",
            hint="once that is corrected, it goes on by itself, without a restart",
        ) from exc


def scope_of(config: Config) -> Scope:
    """Return what of the journal is configured now."""
    sources = frozenset(connection.key_of(source) for connection, source in sources_of(config))
    lanes = frozenset(connection.lane for connection in config.connection)
    homes = {each.lane: each.key for each in reversed(config.connection)}
    return Scope(sources, lanes, homes)


def read_status(config: Config, *, runs: int = 5, open_files: int = 20) -> Status:
    """Return where things stand, at one moment. Raises JournalError as `open_views` does."""
    with (
        _naming_what_it_waits_for(config),
        closing(Views(journal_of(config), scope_of(config))) as views,
    ):
        return views.status(runs=runs, open_files=open_files)


def read_history(
    config: Config, *, key: FileKey | None = None, since_s: float = 0.0, limit: int = 1000
) -> list[Event]:
    """Return the newest events since a moment (wall clock [s]), oldest first.

    `key` names a file, or a folder with all below it. Raises JournalError as `open_views` does.
    """
    open_views(config).close()  # says so if there is no journal
    return list(read_events(journal_of(config), key=key, since_s=since_s, limit=limit))


def read_row(config: Config, key: FileKey) -> FileRow | None:
    """Return the journal's row of a file; None if it has none. Raises as `open_views` does."""
    open_views(config).close()
    return read_file(journal_of(config), key)


def read_below(config: Config, folder: FileKey, limit: int) -> FolderView:
    """Return what is known of the files below a folder, `limit` of the open ones by name.

    Raises JournalError as `open_views` does.
    """
    open_views(config).close()
    return read_folder(journal_of(config), folder, limit)


def read_next_parts(config: Config, source: SourceKey, typed: str) -> list[str]:
    """Return the folders and files of a source that go on from `typed`; none if it is unknown."""
    try:
        return next_parts(journal_of(config), source, typed)
    except JournalError:
        return []  # there is none yet


def is_running(config: Config) -> bool:
    """Return whether some daemon keeps the journal of this configuration right now.

    Or would keep it, and waits until the state folder can be used; of a journal on a server: some
    daemon on any machine.
    """
    file = journal_file(config).with_name(LOCK)
    is_here = is_held(file) or TroubleFile(file.parent).is_held_elsewhere()
    return is_here or is_served_anywhere(journal_of(config))


def read_trouble(config: Config) -> Trouble | None:
    """Return why the running daemon cannot use its journal; None if it can."""
    return TroubleFile(journal_file(config).parent).read()
