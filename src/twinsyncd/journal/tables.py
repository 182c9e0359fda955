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
    text,
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
    Column("aside_since_s", Float, nullable=False),
    Column("seen_s", Float, nullable=False),  # when the content settled
    Column("note", Text, nullable=False),  # what its last try brought, while it is not synced
    Column("next_try_s", Float, nullable=False),
    Column("version", Text, nullable=False),  # the service's mark of what it holds
    Column("replaces", Text, nullable=False),  # an earlier id, still a source file
    Column("removing", Text, nullable=False),  # what is to be done about a file that is gone
    Column("moved_source", Text, nullable=False),  # "": Storage has it where it belongs
    Column("moved_path", Text, nullable=False),  # else: where Storage still has it
    Column("is_open", Boolean, nullable=False),  # work is left, or a run covers it
    Index("files_by_folder", "source", "folder"),
    Index("files_open", "is_open", "source"),
    Index("files_by_content", "stored"),
    Index("files_by_storage_id", "storage_id"),
    Index("files_by_file_id", "file_id"),
    Index("files_gone", "source", sqlite_where=text("seen = ''")),  # of few
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
    Column("wait_reason", Text, nullable=False),
    Column("throttles", Integer, nullable=False),
    Column("fruitless", Integer, nullable=False),
    Column("needs_person", Boolean, nullable=False),  # to sign in, or to agree to runs
)

connections = Table(
    "connections",
    metadata,
    Column("key", Text, primary_key=True),
    Column("remote_id", Text, nullable=False),
    Column("compared_s", Float, nullable=False),  # when the cloud was last compared
    Column("compare_failed", Text, nullable=False),  # why a comparison failed since; "": none did
    Column("compare_failed_s", Float, nullable=False),
    Column("compare_refused", Boolean, nullable=False),  # until a person corrects something
    Column("authorised_s", Float, nullable=False),  # since when runs may act for the user
    Column("warned_days", Integer, nullable=False),  # of the last warning that this ends
    Column("last_run", Text, nullable=False),  # the newest run of ours that ended
    Column("paused_s", Float, nullable=False),  # since when a person has paused it; 0: it is not
    Column("published_s", Float, nullable=False),  # asked for outside its window
    Column("spatial_root", Text, nullable=False),  # its newest file that was to place the iModel
    Column("root_wait", Text, nullable=False),  # the connection whose root it waits for; "": none
    Column("root_wait_s", Float, nullable=False),
    Column("late_store", Text, nullable=False),  # an upload that may still take effect; "": none
    Column("late_until_s", Float, nullable=False),
    Column("home", Text, nullable=False),  # the iTwin and iModel that this is of; "": not known
    Column("home_s", Float, nullable=False),  # since when, if it was another one before; 0: ever
)

sources = Table(
    "sources",
    metadata,
    Column("key", Text, primary_key=True),
    Column("identity", Text, nullable=False),
    Column("offline", Text, nullable=False),
    Column("offline_since_s", Float, nullable=False),
    Column("silent", Text, nullable=False),  # that it does not answer; "" when it does
    Column("silent_since_s", Float, nullable=False),
    Column("needs_person", Boolean, nullable=False),
    Column("approved", Boolean, nullable=False),
    Column("drive", Text, nullable=False),
    Column("missing_count", Integer, nullable=False),
    Column("missing_mark", Text, nullable=False),  # which files are missing, as a digest
    Column("examples", JSON, nullable=False),  # a list of paths
    Column("patterns", Text, nullable=False),
    Column("drives_inside", JSON, nullable=False),  # a list of pairs: path, identity
    Column("blind", JSON, nullable=False),  # a list of objects: path, reason
    Column("blind_count", Integer, nullable=False),
    Column("blind_since_s", Float, nullable=False),
    Column("watch_trouble", Text, nullable=False),
    Column("missed", JSON, nullable=False),  # a list of pairs: path, wall clock [s] since when
    Column("missed_unnamed", Integer, nullable=False),  # how many, if too many for `missed`
    Column("doubted", JSON, nullable=False),  # a list of paths
    Column("is_read", Boolean, nullable=False),  # `offline` holds back deletions only
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

run_files = Table(  # what each run proved of each file; those of others too, if they failed
    "run_files",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("connection", Text, nullable=False),
    Column("run", Text, nullable=False),
    Column("source", Text, nullable=False),  # "": not a file of ours (any more)
    Column("path", Text, nullable=False),  # its name in the service, if it is not ours
    Column("storage_id", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("outcome", Text, nullable=False),
    Column("task", Text, nullable=False),
    Column("changeset", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("ended_s", Float, nullable=False),
    Index("run_files_by_file", "source", "path"),
    Index("run_files_by_run", "run"),
)

events = Table(  # append-only, with retention: see events.py
    "events",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),
    Column("at_s", Float, nullable=False),
    Column("connection", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("run", Text, nullable=False),
    Column("task", Text, nullable=False),
    Column("changeset", Text, nullable=False),
    Column("text", Text, nullable=False),
    Index("events_by_file", "source", "path"),
    Index(  # for these alone where a database can; naming PostgreSQL here would import its parts
        "events_of_differences",
        "kind",
        "connection",
        "at_s",
        sqlite_where=text("kind = 'file.differs'"),
    ),
)

requests = Table(  # what people ask of the daemon; a row, so that it survives a crash
    "requests",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),
    Column("argument", Text, nullable=False),
    Column("asked_s", Float, nullable=False),
    Column("handled_s", Float),  # null until the daemon took it up
    Column("addressee", Text, nullable=False, server_default=""),  # an iModel, a machine; "": any
)

daemons = Table(  # who keeps this journal, and when it was last alive: one row for each machine
    "daemons",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("machine", Text, nullable=False, server_default=""),  # "": the journal is a file
    Column("pid", Integer, nullable=False),
    Column("version", Text, nullable=False),
    Column("started_s", Float, nullable=False),
    Column("beat_s", Float, nullable=False),
    Column("is_idle", Boolean, nullable=False),
    Column("unsettled", Integer, nullable=False),  # files that are not known to be settled
    Column("unsettled_files", JSON, nullable=False),  # some: source, path, since_s, awaits
    Column("uploads", JSON(none_as_null=True)),  # files, sent_bytes, total_bytes, bytes_per_s
    Column("pacing", JSON(none_as_null=True)),  # host, left, limit, until_s
    Column("unlisted", JSON(none_as_null=True)),  # sources not scanned since the start; null: all
    Column("ahead_of_platform_s", Float, nullable=False, server_default="0"),  # the clock
)

drawing_references = Table(  # what design files name, and where it lies
    "drawing_references",
    metadata,
    Column("source", Text, primary_key=True),
    Column("path", Text, primary_key=True),
    Column("digest", String(64), nullable=False),  # of the content that was read
    Column("found", JSON, nullable=False),  # a list: kind, written, path, taken
    Column("trouble", Text, nullable=False),  # why it could not be read; or ""
    Column("open_count", Integer, nullable=False),  # references that are missing or not taken
    Column("since_s", Float, nullable=False),  # since when some are; 0: none is
    Index("drawing_references_open", "source", sqlite_where=text("open_count > 0")),
)

new_folders = Table(  # of Storage, asked for lately: listings may show them late
    "new_folders",
    metadata,
    Column("parent_id", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("made_id", Text, nullable=False),  # "": nobody knows whether it was made
    Column("asked_s", Float, nullable=False),
)

alerts = Table(  # what people are told of while it lasts
    "alerts",
    metadata,
    Column("key", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("needs_person", Boolean, nullable=False),
    Column("about", Text, nullable=False),
    Column("connection", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("fix", Text, nullable=False),
    Column("seen_s", Float, nullable=False),
    Column("since_s", Float, nullable=False),
    Column("sent_s", Float, nullable=False),  # when a message last named it; 0: not yet
    Column("gone_s", Float, nullable=False),
    Column("reminders", Integer, nullable=False),
)

notices = Table(  # messages to people, and how they get to each target
    "notices",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("made_s", Float, nullable=False),
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("deliveries", JSON, nullable=False),  # a list: target, attempts, done_s, error, ...
    Column("is_open", Boolean, nullable=False),  # some target has not taken it
)

outlets = Table(  # how the daemon reaches people: the page, each notification target
    "outlets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("address", Text, nullable=False),  # without secrets
    Column("trouble", Text, nullable=False),  # why it does not work; "" if it does
    Column("since_s", Float, nullable=False),
)
