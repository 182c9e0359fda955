"""Opens the journal's database and brings its tables up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.pool import NullPool, QueuePool

from ..errors import JournalError
from .backup import back_up
from .errors import translate_errors
from .fit import check_fit, misfit
from .lease_tables import metadata
from .location import JournalLocation, Server
from .server import lock_changes, make_schema, server_engine, share_conditions
from .still_file import reading_on_any_disk
from .transactions import begin_translated, writing

HEAD: Final = "0043c"  # the newest migration; a test holds it to what Alembic finds
BUSY_MS: Final = 10_000  # how long one process waits for another's transaction
_MIGRATIONS: Final = Path(__file__).parent / "migrations"


def open_database(where: JournalLocation) -> Engine:
    """Return an engine on the journal there, created or migrated as needed.

    Raises JournalError when it is not a journal, damaged, or newer than this program.
    """
    engine = server_engine(where) if isinstance(where, Server) else _file_engine(where)
    try:
        _bring_up_to_date(engine, where)
    except JournalError:
        engine.dispose()
        raise
    return engine


def _file_engine(file: Path) -> Engine:
    make_folder(file.parent)
    engine = create_engine(f"sqlite:///{file}", poolclass=QueuePool)
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", begin_translated(file))
    translate_errors(engine, file)
    return engine


def open_unchanged(where: JournalLocation) -> Engine:
    """Return an engine on the journal of a daemon that may be running; never migrates it.

    Raises JournalError when this program's version is not the one that wrote it.
    """
    engine = open_read_only(where)
    try:
        check_version(engine, where)
    finally:
        engine.dispose()
    return open_database(where)


def open_read_only(where: JournalLocation) -> Engine:
    """Return an engine on an existing journal that cannot write.

    It reads a file that nobody has open also on a full or read-only disk. Raises JournalError on
    use, when the journal does not exist or cannot be read.
    """
    if isinstance(where, Server):
        return server_engine(where, read_only=True)
    name = quote(str(where.absolute()))
    engine = create_engine(f"sqlite:///file:{name}?mode=ro&uri=true", poolclass=NullPool)
    event.listen(engine, "do_connect", reading_on_any_disk(where))
    event.listen(
        engine, "begin", begin_translated(where)
    )  # else each statement sees another moment
    translate_errors(engine, where)
    return engine


def journal_exists(where: JournalLocation) -> bool:
    """Return whether a journal was begun there. Raises JournalError if a server does not answer."""
    if not isinstance(where, Server):
        return where.exists()
    engine = open_read_only(where)
    try:
        return version_of(engine) != ""
    finally:
        engine.dispose()


def make_folder(folder: Path) -> None:
    """Create the state folder, for the daemon's account alone. Raises JournalError."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as exc:
        raise JournalError(
            f"the state folder {folder} cannot be created: {exc.strerror}",
            hint="create it for the daemon's account, or correct state_folder",
            may_pass=True,
        ) from exc


def _set_up(connection: Any, _record: object) -> None:
    """WAL, so that readers never wait; FULL, so that a power cut loses no commit.

    The driver's own transactions exclude changes of tables; ours include them.
    """
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_MS}")  # first: what follows may have to wait
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


def version_of(engine: Engine) -> str:
    """Return the migration the database stands at; "" for an empty one."""
    with engine.connect() as connection:
        return _version_in(connection)


def _version_in(connection: Connection) -> str:
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or ""


def check_version(engine: Engine, where: JournalLocation) -> None:
    """Raise JournalError unless this version of the program wrote the journal last."""
    version = version_of(engine)
    if version != HEAD:
        raise _other_version(version)
    check_fit(engine, where, version)


def _bring_up_to_date(engine: Engine, where: JournalLocation) -> None:
    version = version_of(engine)
    if version == HEAD:
        check_fit(engine, where, version)
        return
    if version > HEAD:
        raise _other_version(version)
    if version and not isinstance(where, Server):  # a server's administrator backs it up
        back_up(where, version)
    try:
        (_migrate if version else _create)(engine, where)
        if isinstance(where, Server):
            engine.dispose()  # its connection would wait too long for other calls
    except JournalError as exc:
        if exc.hint:
            raise
        raise misfit(where, version, str(exc.__cause__ or exc)) from exc


def _other_version(version: str) -> JournalError:
    """Return the error for a journal that another version of the program wrote."""
    if version > HEAD:
        return JournalError(
            f"the journal was written by a newer twinsyncd (schema {version}, not {HEAD})",
            hint="install the newer version again",
        )
    return JournalError(
        f"the journal is of an older twinsyncd (schema {version or 'none'}, not {HEAD})",
        hint="restart the daemon with this version, or run `twinsyncd sync`: that updates it",
    )


def _create(engine: Engine, where: JournalLocation) -> None:
    """Make the tables as they are now, as if all migrations had run, at a tenth of the cost."""
    with writing(engine) as connection:
        if isinstance(where, Server):
            make_schema(connection, where)
            share_conditions(metadata)
        if _version_in(connection):
            return  # another process has just made them
        metadata.create_all(connection)
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})


def _migrate(engine: Engine, where: JournalLocation) -> None:
    """Run Alembic; imported only here, since it costs a third of a second and 10 MB."""
    from alembic import command  # noqa: PLC0415 - see above
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    with writing(engine) as connection:
        if isinstance(where, Server):
            lock_changes(connection, where)
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as exc:  # its number is none of ours
            raise JournalError(str(exc)) from exc
