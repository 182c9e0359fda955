"""Where a journal is: in a file of this machine, or in a database that several machines share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SCHEMA = "twinsyncd"  # unless the configuration names another one


@dataclass(frozen=True, slots=True)
class Server:
    """A schema of a PostgreSQL database; `url` holds no password."""

    url: str
    schema: str = SCHEMA
    password_file: Path | None = None  # read at each connect, so that it may change

    def __str__(self) -> str:
        """Name the database and the schema, for people."""
        return f"{self.url} (schema {self.schema})"


JournalLocation = Path | Server
