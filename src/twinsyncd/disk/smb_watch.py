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
    CompletionFilter,
    FileAction,
    SMB2ChangeNotifyRequest,
    SMB2ChangeNotifyResponse,
)
from smbprotocol.connection import Request
from smbprotocol.header import NtStatus
from smbprotocol.open import (
    CreateDisposition,
    CreateOptions,
    DirectoryAccessMask,
    FileAttributes,
    ImpersonationLevel,
    Open,
    ShareAccess,
)

from .smb_address import SmbAddress
from .smb_protocols import Change, SmbError, Watched
from .smb_session import SmbSession, translated

_FILTERS: Final[dict[Watched, int]] = {
    "files": CompletionFilter.FILE_NOTIFY_CHANGE_FILE_NAME
    | CompletionFilter.FILE_NOTIFY_CHANGE_SIZE
    | CompletionFilter.FILE_NOTIFY_CHANGE_LAST_WRITE,
    "folders": CompletionFilter.FILE_NOTIFY_CHANGE_DIR_NAME,
}
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
        self._open = Open(session.tree, address.folder.replace("/", "\\"))
        self._open.create(
            ImpersonationLevel.Impersonation,
            DirectoryAccessMask.FILE_LIST_DIRECTORY
            | DirectoryAccessMask.FILE_READ_ATTRIBUTES
            | DirectoryAccessMask.SYNCHRONIZE,
            FileAttributes.FILE_ATTRIBUTE_DIRECTORY,
            # Nobody is kept from renaming or deleting it.
            ShareAccess.FILE_SHARE_READ
            | ShareAccess.FILE_SHARE_WRITE
            | ShareAccess.FILE_SHARE_DELETE,
            CreateDisposition.FILE_OPEN,
            CreateOptions.FILE_DIRECTORY_FILE,
        )
        self._request = self._ask()
        session.echo()  # it is answered after the request was taken, or refused
        response = self._request.response
        if response is not None and response["status"].get_value() not in _GOOD:
            session.connection.receive(self._request)  # raises

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
        # The server may not answer, so nothing is waited for.
        with suppress(Exception):
            self._open.connection.send(
                self._open.close(send=False)[0],
                self._session.session.session_id,
                self._session.tree.tree_connect_id,
            )
        with suppress(Exception):
            self._request.cancel()
        self._session.leave()

    def _ask(self) -> Request:
        asked = SMB2ChangeNotifyRequest()
        asked["flags"] = ChangeNotifyFlags.SMB2_WATCH_TREE
        asked["output_buffer_length"] = self._buffer_bytes
        asked["file_id"] = self._open.file_id
        asked["completion_filter"] = _FILTERS[self._watched]
        session = self._session
        return session.connection.send(
            asked, session.session.session_id, session.tree.tree_connect_id
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
