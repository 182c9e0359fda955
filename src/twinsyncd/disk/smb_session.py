"""A connection to a share of an SMB server, signed in; the base of all that uses smbprotocol.

Source: MS-SMB2, "NEGOTIATE" to "TREE_CONNECT" and "ECHO", read 2026-11.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from smbprotocol import exceptions as smb
from smbprotocol.connection import Connection, Request
from smbprotocol.header import NtStatus
from smbprotocol.session import Session
from smbprotocol.structure import Structure
from smbprotocol.tree import TreeConnect

from .smb_address import SmbAddress
from .smb_credentials import Credentials
from .smb_protocols import SmbError, SmbRefusedError

CONNECT_S: Final = 10.0  # a server that takes longer counts as away
WATCHES_MAX: Final = 400  # per connection; Windows lets 512 requests wait on one
CREDITS: Final = 64  # requests that may be under way at once; a waiting one uses none

logging.getLogger("smbprotocol").setLevel(logging.CRITICAL)  # it logs what it raises as well

_REASONS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (smb.BadNetworkName, "the server has no share of this name; correct share"),
    (smb.PathNotCovered, "a DFS name; write the server that it leads to as share"),
    (smb.ObjectNameNotFound, "the share has no such folder; correct share"),
    (smb.ObjectPathNotFound, "the share has no such folder; correct share"),
    (smb.StatusNotADirectory, "this is no folder; correct share"),
    (smb.AccessDenied, "the account may not list the folder; let it read there"),
    (smb.NotSupported, "the server reports no changes; delete [connection.source.smb]"),
    (smb.InvalidDeviceRequest, "the server reports no changes; delete [connection.source.smb]"),
    (smb.InsufficientResources, "the server has no room for another watch"),
    (smb.InsuffServerResources, "the server has no room for another watch"),
    (smb.DeletePending, "the folder was deleted on the server"),
    (smb.SMBConnectionClosed, "the connection to the server was closed"),
)

_REFUSALS: Final = frozenset(
    {
        0xC0000022,  # access denied
        0xC0000064,  # no such user
        0xC000006A,  # wrong password
        0xC000006D,  # logon failure
        0xC000006E,  # account restriction
        0xC000006F,  # not at this hour
        0xC0000070,  # not from this machine
        0xC0000071,  # password expired
        0xC0000072,  # account disabled
        0xC000015B,  # this kind of logon is not granted
        0xC0000193,  # account expired
        0xC0000224,  # password must change
        0xC0000234,  # account locked
    }
)
"""Statuses that are about the account; others, like a directory that is away, pass by themselves.
Source: MS-ERREF, "NTSTATUS Values", read 2026-11."""


class SmbSession:
    """One connection, signed in, with the share; ends with its last watch."""

    def __init__(
        self, address: SmbAddress, credentials: Credentials, silence_s: int, answer_s: int
    ) -> None:
        """Connect and sign in. Raises SmbError."""
        self.silence_s, self._answer_s = silence_s, answer_s
        self._address = address
        self._lock = threading.Lock()
        self._watches = 1
        self._answered_s = time.monotonic()
        self.connection = Connection(uuid.uuid4(), address.server, address.port)
        # The library waits for ever for the answers to a sign-in.
        limit = threading.Timer(CONNECT_S, self.cut)
        limit.daemon = True
        limit.start()
        try:
            with translated(address):
                self.connection.connect(timeout=CONNECT_S)
                self.session = Session(
                    self.connection,
                    credentials.account,
                    credentials.password,
                    require_encryption=False,  # only names are sent; the server may ask for it
                )
            with translated(address, account=credentials.account):
                self.session.connect()
            with translated(address):
                self.tree = TreeConnect(self.session, f"\\\\{address.server}\\{address.share}")
                self.tree.connect()
                self.echo()
        except BaseException:
            self.cut()
            raise
        finally:
            limit.cancel()

    @property
    def is_open(self) -> bool:
        """Return whether the connection stands, as far as is known."""
        return self._watches > 0 and self.connection.transport.connected

    def join(self) -> bool:
        """Take the place of one more watch; return whether there was one."""
        with self._lock:
            has_room = 0 < self._watches < WATCHES_MAX
            self._watches += has_room
            return has_room

    def leave(self) -> None:
        """Give the place of a watch back; the last one closes the connection."""
        with self._lock:
            self._watches -= 1
            is_last = not self._watches
        if is_last:
            self.cut()

    def cut(self) -> None:
        """Close the connection without a word to the server; whoever waits on it is woken."""
        if self.connection.transport is not None:
            with suppress(smb.SMBException, OSError):
                self.connection.disconnect(close=False)

    def send(self, message: Structure) -> Request:
        """Send a request about the share. Raises as smbprotocol does."""
        return self.connection.send(message, self.session.session_id, self.tree.tree_connect_id)

    def receive(self, request: Request) -> Any:
        """Return the answer, which must come soon. Raises as smbprotocol does."""
        return self.connection.receive(request, timeout=self._answer_s)

    def require_alive(self) -> None:
        """Ask the server for a sign of life if it gave none lately. Raises as smbprotocol does."""
        with self._lock:
            is_silent = time.monotonic() - self._answered_s >= self.silence_s
        if is_silent:
            self.echo()

    def note_answer(self) -> None:
        """Note that the server has just answered."""
        self._answered_s = time.monotonic()

    def echo(self) -> None:
        """Return once the server has answered. Raises as smbprotocol does."""
        session_id, answer_s = self.session.session_id, self._answer_s
        try:
            self.connection.echo(session_id, timeout=answer_s, credit_request=CREDITS)
        except (smb.SMBException, OSError) as exc:
            was_open = self.connection.transport.connected
            self.cut()  # the others on this connection need not find out by themselves
            if was_open and not isinstance(exc, smb.SMBResponseException | OSError):
                raise SmbError(self._address, "the server does not answer") from exc
            raise
        self.note_answer()


@contextmanager
def translated(address: SmbAddress, account: str = "") -> Iterator[None]:
    """Turn what smbprotocol raises into SmbError; `account`: who is signing in."""
    try:
        yield
    except SmbError:
        raise
    except Exception as exc:
        if account and _is_refusal(exc):
            raise SmbRefusedError(address, account, _short(exc)) from exc
        known = (text for kind, text in _REASONS if isinstance(exc, kind))
        raise SmbError(address, next(known, _short(exc))) from exc


def _is_refusal(exc: Exception) -> bool:
    """Return whether a sign-in failed because of its account; also if it became a guest's."""
    if isinstance(exc, smb.SMBResponseException):
        return exc.status in _REFUSALS
    return isinstance(exc, smb.SMBException) and not isinstance(exc, smb.SMBConnectionClosed)


def _short(exc: Exception) -> str:
    """Return the status that the server gave, or what else is known, in a line."""
    if isinstance(exc, smb.SMBResponseException):
        known = (name for name, value in vars(NtStatus).items() if value == exc.status)
        return next(known, f"status {exc.status:#010x}")
    cause = exc.__cause__ if isinstance(exc, ValueError) and exc.__cause__ else exc
    text = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
    return " ".join(text.split()) or type(cause).__name__
