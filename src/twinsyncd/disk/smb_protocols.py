"""What a watch on an SMB server is, for those that use one without smbprotocol."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple, Protocol

from .smb_address import SmbAddress
from .smb_credentials import Credentials

Watched = Literal["files", "folders"]


class Change(NamedTuple):
    """A path below the watched folder, with slashes, and what happened to it, as a participle."""

    path: str
    was: str


class SmbError(Exception):
    """The server reports no changes; the text says why, and what helps."""

    def __init__(self, address: SmbAddress, reason: str) -> None:
        """`reason`: what is wrong with this folder of the server."""
        super().__init__(f"{address}: {reason}")


class SmbRefusedError(SmbError):
    """The server does not accept the account; another try may lock it."""

    def __init__(self, address: SmbAddress, account: str, reason: str) -> None:
        """`reason`: what the server answered."""
        text = f"the server refuses the account {account} ({reason}); correct credentials_file"
        super().__init__(address, text)


class SmbFolderWatch(Protocol):
    """What changes below one folder; `next` is called by one thread, `close` by any."""

    def next(self) -> tuple[Change, ...] | None:
        """Wait for changes and return them; None: there were too many to list.

        Raises SmbError once nothing more is reported, and after `close`.
        """

    @property
    def misses_writes(self) -> bool:
        """Whether saves in place are reported only in folders that are followed."""

    def follow(self, folder: str) -> bool:
        """Have saves in place in this folder reported; False if no more can be. Raises SmbError."""

    def drop(self, folder: str) -> None:
        """Follow this folder, and all below it, no more. Raises SmbError."""

    def close(self) -> None:
        """End the watch and wake `next`; returns at once."""


OpenWatch = Callable[[SmbAddress, Credentials, Watched], SmbFolderWatch]
"""Begins a watch; changes after its return are reported. Raises SmbError."""
