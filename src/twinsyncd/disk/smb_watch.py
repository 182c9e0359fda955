"""Change notification of an SMB server: what any client changes below one folder.

Source: MS-SMB2, "CHANGE_NOTIFY"; MS-FSCC, "FILE_NOTIFY_INFORMATION"; read 2026-11.
"""

from __future__ import annotations

import struct
import threading
from contextlib import suppress
from typing import Any, Final

from smbprotocol import exceptions as smb
from smbprotocol.change_notify import (
    ChangeNotifyFlags,
    FileAction,
    SMB2ChangeNotifyResponse,
)
from smbprotocol.connection import Request
from smbprotocol.header import NtStatus

from .smb_address import SmbAddress
from .smb_followed import FollowedFolders
from .smb_protocols import Change, SmbError, Watched
from .smb_requests import (
    FILE_CHANGES,
    FOLDER_CHANGES,
    ask_for_changes,
    close_folder,
    is_samba,
    open_folder,
)
from .smb_session import SmbSession, translated

_CHANGES: Final[dict[Watched, int]] = {"files": FILE_CHANGES, "folders": FOLDER_CHANGES}
"""Two watches, since a report does not tell whether a file or a folder was renamed."""

_WAS: Final = {
    FileAction.FILE_ACTION_ADDED: "created",
    FileAction.FILE_ACTION_REMOVED: "deleted",
    FileAction.FILE_ACTION_RENAMED_OLD_NAME: "renamed",
    FileAction.FILE_ACTION_RENAMED_NEW_NAME: "renamed",
}


class SmbWatch:
    """What changes below one folder; `next` is called by one thread, `close` by any."""

    def __init__(
        self, session: SmbSession, address: SmbAddress, watched: Watched, buffer_bytes: int
    ) -> None:
        """Open the folder and begin. Raises as smbprotocol does."""
        self._session, self._address, self._watched = session, address, watched
        self._buffer_bytes = buffer_bytes
        self._lock = threading.Lock()
        self._closed = False
        self._open = open_folder(session, address.folder)
        self._request = self._ask()
        session.echo()  # it is answered after the request was taken, or refused
        response = self._request.response
        if response is not None and response["status"].get_value() not in _GOOD:
            session.receive(self._request)  # raises
        self.misses_writes = is_samba(session, self._open)
        self._followed = FollowedFolders(session, address.folder)

    def next(self) -> tuple[Change, ...] | None:
        """Wait for changes and return them; None: there were more than the server could list.

        Raises SmbError once the server reports no more, and after `close`.
        """
        with translated(self._address):
            try:
                response = self._answer()
                found = _changes(response["data"].get_value())
            except smb.NotifyEnumDir:
                found = ()
            self._session.note_answer()
            with self._lock:
                if self._closed:
                    raise SmbError(self._address, "it is watched no more")
                self._request = self._ask()
        return found or None

    def close(self) -> None:
        """End the watch and wake `next`; returns at once."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        close_folder(self._session, self._open)
        self._followed.leave()
        with suppress(Exception):
            self._request.cancel()
        self._session.leave()

    def follow(self, folder: str) -> bool:
        """Let the server notice saves in place in this folder. Raises SmbError."""
        with translated(self._address):
            return not self._closed and self._followed.follow(folder)

    def drop(self, folder: str) -> None:
        """Follow this folder, and all below it, no more. Raises SmbError."""
        with translated(self._address):
            self._followed.drop(folder)

    def _ask(self) -> Request:
        return ask_for_changes(
            self._session,
            self._open,
            _CHANGES[self._watched],
            flags=ChangeNotifyFlags.SMB2_WATCH_TREE,
            buffer_bytes=self._buffer_bytes,
        )

    def _answer(self) -> Any:
        while True:
            try:
                return self._session.connection.receive(
                    self._request, timeout=self._session.silence_s
                )
            except smb.SMBException:
                if self._request.response_event.is_set():
                    raise
                self._session.require_alive()  # only the time is over


_GOOD: Final = frozenset(
    {NtStatus.STATUS_PENDING, NtStatus.STATUS_SUCCESS, NtStatus.STATUS_NOTIFY_ENUM_DIR}
)


def _changes(data: bytes) -> tuple[Change, ...]:
    """Return what a report lists; () if it lists nothing."""
    response = SMB2ChangeNotifyResponse()
    response.unpack(data)
    listed = response["buffer"].get_value()
    found, at = [], 0
    while at + 12 <= len(listed):
        following, action, length = struct.unpack_from("<III", listed, at)
        name = listed[at + 12 : at + 12 + length].decode("utf-16-le", "surrogatepass")
        found.append(Change(name.replace("\\", "/"), _WAS.get(action, "changed")))
        if not following:
            break
        at += following
    return tuple(found)
