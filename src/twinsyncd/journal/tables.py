"""The tables, in portable SQL; SQLite on the daemon's own disk, PostgreSQL past one machine."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()

files = Table(
    "files",
    metadata,
    Column("source", Text, primary_key=True),
    Column("path", Text, primary_key=True),
    Column("folder", Text, nullable=False),
    Column("size_bytes", BigInteger),
    Column("mtime_ns", BigInteger),
    Column("file_id", Text, nullable=False, default="0"),  # may exceed 63 bits
    Column("ctime_ns", BigInteger, nullable=False),  # 0: the system has none
    Column("hashed_s", Float, nullable=False),  # when it was last read whole
    Column("seen", String(64), nullable=False),
    Column("stored", String(64), nullable=False),
    Column("synced", String(64), nullable=False),
    Column("covered", String(64), nullable=False),
    Column("storage_id", Text, nullable=False),
    Column("in_connection", Boolean, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("aside", Text, nullable=False),
    Column("unread", Text, nullable=False),
    Column("is_open", Boolean, nullable=False),  # work is left, or a run covers it
    Index("files_by_folder", "source", "folder"),
    Index("files_open", "is_open", "source"),
)

lanes = Table(
    "lanes",
    metadata,
    Column("key", Text, primary_key=True),
    Column("phase", Text, nullable=False),
    Column("connection", Text, nullable=False),
    Column("run", Text, nullable=False),
    Column("last_run", Text, nullable=False),
    Column("asks", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("not_before_s", Float, nullable=False),
    Column("since_s", Float, nullable=False),
    Column("halt", Text, nullable=False),
    Column("usual_s", Float),  # null unless the active run takes too long
)

connections = Table(
    "connections",
    metadata,
    Column("key", Text, primary_key=True),
    Column("remote_id", Text, nullable=False),
)

sources = Table(
    "sources",
    metadata,
    Column("key", Text, primary_key=True),
    Column("identity", Text, nullable=False),
    Column("offline", Text, nullable=False),
    Column("needs_person", Boolean, nullable=False),
    Column("approved", Boolean, nullable=False),
    Column("drive", Text, nullable=False),
    Column("missing_count", Integer, nullable=False),
    Column("examples", JSON, nullable=False),  # a list of paths
    Column("patterns", Text, nullable=False),
    Column("drives_inside", JSON, nullable=False),  # a list of pairs: path, identity
    Column("blind", JSON, nullable=False),  # a list of objects: path, reason
    Column("blind_count", Integer, nullable=False),
    Column("blind_since_s", Float, nullable=False),
    Column("watch_trouble", Text, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("lane", Text, nullable=False),
    Column("connection", Text, nullable=False),
    Column("run", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("started_s", Float, nullable=False),
    Column("ended_s", Float, nullable=False),
    Column("files", Integer, nullable=False),
    Column("message", Text, nullable=False),
)

requests = Table(  # what people ask of the daemon; a row, so that it survives a crash
    "requests",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),
    Column("argument", Text, nullable=False),
    Column("asked_s", Float, nullable=False),
    Column("handled_s", Float),  # null until the daemon took it up
)

daemons = Table(  # one row: who keeps this journal, and when it was last alive
    "daemons",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("pid", Integer, nullable=False),
    Column("version", Text, nullable=False),
    Column("started_s", Float, nullable=False),
    Column("beat_s", Float, nullable=False),
    Column("is_idle", Boolean, nullable=False),
    Column("unsettled", Integer, nullable=False),  # files that are not known to be settled
)
