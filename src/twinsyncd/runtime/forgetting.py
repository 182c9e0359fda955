"""Takes a file that is gone from the drive out of its connection, on a person's request."""

from __future__ import annotations

from typing import NamedTuple

from ..cloud.session import open_cloud
from ..config import Config, Connection, sources_of
from ..core.facts import SyncAsked
from ..core.model import ABSENT, FileKey, FileRow, Phase, StorageId
from ..errors import AppError
from ..journal.database import open_read_only
from ..journal.reader import JournalReader
from .cloud_wiring import cloud_settings
from .machine_lock import refuse_rivals
from .state import is_running, journal_of, read_row, read_status
from .sync_once import leave_request


class Forgettable(NamedTuple):
    """A file that may be taken out of its connection."""

    remote_id: str
    storage_id: StorageId


def find_forgettable(config: Config, key: FileKey) -> Forgettable:
    """Return the file. Raises AppError where that would take away what is still wanted."""
    connection = _connection_of(config, key)
    row = _row_to_forget(config, connection, key)
    return Forgettable(_remote_id(config, connection), row.storage_id)


def forget(config: Config, file: Forgettable, *, delete: bool) -> bool:
    """Take the file out of the connection, and with `delete` out of Storage as well.

    It goes to Storage's recycle bin, for 30 days. Returns whether it was a source file until now.
    """
    if not is_running(config):
        refuse_rivals(config)  # before anything is taken out: their journal would not learn of it
    remote_id = file.remote_id
    with open_cloud(cloud_settings(config)) as cloud:
        held = list(cloud.platform.source_files(remote_id)) if remote_id else []
        found = [each for each in held if each.storage_id == file.storage_id]
        for source_file in found:
            cloud.platform.remove_source_file(remote_id, source_file.id)
        if delete:
            cloud.platform.delete_file(file.storage_id)
    leave_request(config, SyncAsked())  # so that the journal learns of it
    return bool(found)


def _connection_of(config: Config, key: FileKey) -> Connection:
    found = (each for each, source in sources_of(config) if each.key_of(source) == key.source)
    connection = next(found)
    if connection.target != "storage":
        raise AppError(
            f"the connection {connection.name} keeps its files itself",
            hint="delete the file on the drive: its next run leaves it out",
        )
    return connection


def _row_to_forget(config: Config, connection: Connection, key: FileKey) -> FileRow:
    row = read_row(config, key)
    if row is None or not row.storage_id:
        raise AppError(f"{key.source}/{key.path} was never uploaded, so there is nothing to forget")
    if row.seen != ABSENT:
        raise AppError(
            f"{key.source}/{key.path} is on the drive, and would be added again",
            hint="delete it there, or exclude it in the configuration; wait a minute; then again",
        )
    lanes = {lane.key: lane for lane in read_status(config, runs=0, open_files=0).lanes}
    lane = lanes.get(connection.lane)
    if lane is not None and lane.phase in (Phase.STARTING, Phase.RUNNING):
        raise AppError("a run of ours is active", hint="try again when it has ended")
    return row


def _remote_id(config: Config, connection: Connection) -> str:
    if connection.connection_id:
        return connection.connection_id
    engine = open_read_only(journal_of(config))
    try:
        return JournalReader(engine).connection(connection.key).remote_id
    finally:
        engine.dispose()
