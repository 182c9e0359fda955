"""Metadata and headers sent with a blob, returned verbatim.

They go with a content, not with its blob, so that no reader gets those of another content.
Source: Blob service REST API, "Put Blob", "Put Block List", "Get Blob".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, bindparam, delete, insert, select

from localtwin.world.database import Database
from localtwin.world.tables import stored_headers


def record(connection: Connection, content: str, headers: Mapping[str, str]) -> None:
    """Record the headers of a new content."""
    if headers:
        connection.execute(insert(stored_headers), {"content": content, "headers": dict(headers)})


def delete_of(connection: Connection, contents: Sequence[str]) -> None:
    """Delete the headers of contents that are gone."""
    if contents:
        gone = delete(stored_headers).where(stored_headers.c.content == bindparam("gone"))
        connection.execute(gone, [{"gone": content} for content in contents])


def headers_of(database: Database, content: str) -> dict[str, str]:
    """Return the headers of a content."""
    row = database.one(select(stored_headers.c.headers).where(stored_headers.c.content == content))
    return {} if row is None else dict(row.headers)
