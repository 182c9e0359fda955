"""Folders that are kept open on a Samba server, so that it reports saves in place in them.

Samba reports to a watch of a whole tree what goes through its names: files that are new, renamed or
deleted. That a file was written to it learns from the kernel, which it asks only about folders that
somebody watches one by one; then it reports it to the watch of the tree as well. So each folder is
opened and asked about once, and no answer is waited for.
Found with Samba 4.17, 2026-11.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from smbprotocol import exceptions as smb
from smbprotocol.open import Open

from .smb_requests import FILE_CHANGES, ask_for_changes, close_folder, open_folder
from .smb_session import SmbSession

FOLLOWED_MAX: Final = 1000  # per source; each is an open folder and a watch of the server's kernel
_NO_LIST: Final = 16  # bytes: that something changed is enough


class FollowedFolders:
    """The open folders below one folder; one thread follows, another may drop all at the end."""

    def __init__(self, session: SmbSession, top: str) -> None:
        """`top`: the path in the share of the folder that paths count from."""
        self._session, self._top = session, top
        self._open: dict[str, Open] = {}

    def follow(self, path: str) -> bool:
        """Keep a folder open; False if there are too many. Raises as smbprotocol does.

        Nothing happens if it cannot be opened.
        """
        if path in self._open:
            return True
        if len(self._open) >= FOLLOWED_MAX:
            return False
        session = self._session
        with suppress(smb.SMBResponseException):
            opened = open_folder(session, "/".join(part for part in (self._top, path) if part))
            self._open[path] = opened
            asked = ask_for_changes(session, opened, FILE_CHANGES, flags=0, buffer_bytes=_NO_LIST)
            asked.cancel()  # the server goes on noticing for as long as the folder is open
            session.receive(asked)
        return True

    def drop(self, path: str) -> None:
        """Close a folder and all below it. Raises as smbprotocol does."""
        below = f"{path}/" if path else ""
        for each in list(self._open):
            if each == path or each.startswith(below):
                with suppress(smb.SMBResponseException):
                    self._open.pop(each).close()

    def leave(self) -> None:
        """Close them all; nothing is waited for."""
        while self._open:
            close_folder(self._session, self._open.popitem()[1])
