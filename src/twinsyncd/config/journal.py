"""Where the journal is, if not in the state folder: the keys' types."""

from __future__ import annotations

import re
import socket
from typing import Annotated, Final
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator

from .units import mistake

_SCHEMA: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,63}")
_EXAMPLE: Final = "postgresql://twinsyncd@db.example.com/twinsyncd?sslmode=verify-full"
_SECRET: Final = ("password", "sslpassword")


def _journal_url(text: str) -> str:
    """Check the address of a PostgreSQL database, as PostgreSQL's own tools take it."""
    try:
        parts = urlsplit(text)
        secret = parts.password is not None
    except ValueError as exc:
        fix = f"write it like {_EXAMPLE}"
        raise mistake("it is not the address of a database", fix) from exc
    if secret or any(name in _SECRET for name, _ in parse_qsl(parts.query)):
        fix = "delete it there, and name a file that holds it in journal_password_file"
        raise mistake("there is a password in the address of the journal", fix)
    if parts.scheme not in {"postgresql", "postgres"} or not parts.path.strip("/"):
        fix = f"write it like {_EXAMPLE}; without this key the journal lies in state_folder"
        raise mistake(f'"{text}" is not the address of a PostgreSQL database', fix)
    return text


def _schema(text: str) -> str:
    if not _SCHEMA.fullmatch(text):
        fix = 'use small letters, digits and "_", like office_berlin'
        raise mistake(f'"{text}" cannot be the name of a schema', fix)
    return text


def _machine(text: str) -> str:
    if text and not _NAME.fullmatch(text):
        fix = 'use letters, digits, "-", "." and "_", like cad-server-1'
        raise mistake(f'"{text}" cannot be the name of a machine', fix)
    return text.lower()


def this_host() -> str:
    """Return the name of this machine in the network, without its domain."""
    return socket.gethostname().partition(".")[0].lower()


JournalUrl = Annotated[str, AfterValidator(_journal_url)]
MachineName = Annotated[str, AfterValidator(_machine)]
SchemaName = Annotated[str, AfterValidator(_schema)]
