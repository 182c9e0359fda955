"""Turns every error of a PostgreSQL server into one JournalError with a way out.

Source: PostgreSQL documentation, appendix A, "PostgreSQL Error Codes", read 2026-11.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from ..errors import JournalError
from .location import Server

UNREACHED: Final = (
    "check that the database server runs, and that this machine reaches its host and port; the"
    " daemon goes on by itself once it answers"
)
_SIGN_IN: Final = (
    "correct the password: in journal_password_file in [daemon], in PGPASSWORD, or in the"
    " account's .pgpass; the server's pg_hba.conf decides who may connect"
)
_RIGHTS: Final = (
    'let the database\'s administrator run: CREATE SCHEMA "{schema}" AUTHORIZATION "<user>"; or'
    ' GRANT ALL ON SCHEMA "{schema}" to the user of the journal\'s address'
)
_LOST: Final = (
    'restore the schema "{schema}" from a backup; or drop it: a new one is made, and every file is'
    " compared with Storage anew"
)
_BY_CODE: Final = (  # the longest beginnings first
    ("28", _SIGN_IN),
    ("25006", "it is a standby that only reads: name the primary server in journal in [daemon]"),
    ("3D000", "let the database's administrator create it, or correct journal in [daemon]"),
    ("3F000", _LOST),
    ("42501", _RIGHTS),
    ("42P01", _LOST),
    ("42703", _LOST),
    ("53100", "free some space on the database server's disk"),
    ("53300", "raise max_connections of the server; a daemon needs 8 to 15 connections"),
    ("55P03", "another program locks the journal's tables; end it (a backup, a database browser)"),
    ("57014", "the server is too busy, or another program locks the journal's tables"),
    ("", UNREACHED),
)
_BY_TEXT: Final = (  # the driver knows no code of an error that ends the connecting
    ("no password supplied", "28"),
    ("authentication failed", "28"),
    ("pg_hba.conf entry", "28"),
    ('FATAL:  role "', "28"),
    ("too many connections", "53300"),
    ("remaining connection slots", "53300"),
    ('FATAL:  database "', "3D000"),
    ('permission denied for database "', "42501"),
)
_GONE: Final = ("3F000", "42P01", "42703")
_BUGS: Final = ("21", "22", "23", "42", "0A")
"""Classes of errors that our own statements cause; they are not translated: they show as bugs."""


def translate_server_errors(engine: Engine, server: Server) -> None:
    """Make every error of the engine a JournalError that names the server and a way out."""

    def translate(context: ExceptionContext) -> JournalError | None:
        found = context.sqlalchemy_exception
        if context.is_pre_ping or not isinstance(found, SQLAlchemyError):
            return None
        if isinstance(found, DataError | IntegrityError):
            return None
        return server_error(server, context.original_exception)

    event.listen(engine, "handle_error", translate)


def server_error(server: Server, cause: BaseException) -> JournalError | None:
    """Return what a person should know of an error; None if it is a bug of this program."""
    if isinstance(cause, JournalError):
        return None
    said = str(cause).strip()
    code = getattr(cause, "sqlstate", None) or _code_of(said)
    hint = next(hint for start, hint in _BY_CODE if code.startswith(start))
    if hint is UNREACHED and code.startswith(_BUGS):
        return None
    reason = said.splitlines()[0] if said else type(cause).__name__
    return JournalError(
        f"the journal {server} cannot be used: {reason}",
        hint=hint.format(schema=server.schema),
        may_pass=code not in _GONE,
    )


def _code_of(said: str) -> str:
    """Return the code of an error that has none, as far as its text shows that."""
    return next((code for sign, code in _BY_TEXT if sign in said), "")
