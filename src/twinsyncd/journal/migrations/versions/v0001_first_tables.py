"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _text(name: str, *, primary_key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=primary_key, nullable=False)


def _number(name: str) -> sa.Column[float]:
    return sa.Column(name, sa.Float, nullable=False)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False)


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "files",
        _text("source", primary_key=True),
        _text("path", primary_key=True),
        _text("folder"),
        sa.Column("size_bytes", sa.BigInteger),
        sa.Column("mtime_ns", sa.BigInteger),
        _text("file_id"),
        *(
            sa.Column(n, sa.String(64), nullable=False)
            for n in ("seen", "stored", "synced", "covered")
        ),
        _text("item"),
        _flag("mapped"),
        _count("attempts"),
        _text("aside"),
        _text("unread"),
        _flag("is_open"),
    )
    op.create_index("files_by_folder", "files", ["source", "folder"])
    op.create_index("files_open", "files", ["is_open", "source"])
    op.create_table(
        "lanes",
        _text("key", primary_key=True),
        *map(_text, ("phase", "connection", "run", "last_run")),
        *map(_count, ("asks", "attempts")),
        *map(_number, ("not_before_s", "since_s")),
        _text("halt"),
    )
    op.create_table("connections", _text("key", primary_key=True), _text("remote_id"))
    op.create_table(
        "sources",
        _text("key", primary_key=True),
        _text("identity"),
        _text("offline"),
        _flag("needs_person"),
        _flag("approved"),
    )
    _create_history()


def _create_history() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        *map(_text, ("lane", "connection", "run", "outcome")),
        *map(_number, ("started_s", "ended_s")),
        _count("files"),
        _text("message"),
    )
    op.create_table(
        "requests",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        *map(_text, ("kind", "argument")),
        _number("asked_s"),
        sa.Column("taken_s", sa.Float),
    )
    op.create_table(
        "daemons",
        sa.Column("id", sa.Integer, primary_key=True),
        _count("pid"),
        _text("version"),
        *map(_number, ("started_s", "beat_s")),
        _flag("at_rest"),
        _count("restless"),
    )
