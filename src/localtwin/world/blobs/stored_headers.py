"""What the writer of a content wants told with it: metadata and headers, kept word for word.

They go with a content, not with its blob, so that no reader gets those of another content.
Source: Blob service REST API, "Put Blob", "Put Block List", "Get Blob".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, bindparam, delete, insert, select

from localtwin.world.database import Database
from localtwin.world.tables import told


def remember(connection: Connection, content: str, headers: Mapping[str, str]) -> None:
    """Record the headers of a new content."""
    if headers:
        connection.execute(insert(told), {"content": content, "headers": dict(headers)})


def forget(connection: Connection, contents: Sequence[str]) -> None:
    """Delete what was told with contents that are no more."""
    if contents:
        gone = delete(told).where(told.c.content == bindparam("gone"))
        connection.execute(gone, [{"gone": content} for content in contents])


def stored_headers(database: Database, content: str) -> dict[str, str]:
    """Return the headers of a content."""
    row = database.one(select(told.c.headers).where(told.c.content == content))
    return {} if row is None else dict(row.headers)
