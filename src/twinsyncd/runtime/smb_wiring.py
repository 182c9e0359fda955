"""Connects the sources that an SMB server reports changes of with what asks the server."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Final

from ..config import Source
from ..core.model import SourceKey
from ..disk import mounts, smb_address
from ..disk.observer import SourceObserver
from ..disk.root import Mounts
from ..disk.smb_address import SmbAddress
from ..disk.smb_credentials import Credentials
from ..disk.smb_observer import SmbObserver
from ..disk.smb_protocols import OpenWatch, SmbError
from ..errors import how_to_install

_LOCK: Final = threading.Lock()  # sources begin side by side


def remote_observers(
    sources: Mapping[SourceKey, Source], *, listed: Mounts = mounts.listed
) -> Callable[[SourceKey, Path], SourceObserver | None]:
    """Return what makes the observers of those sources that name an account for their server.

    It raises OSError where the server is not known or the library is not installed.
    """

    def make(key: SourceKey, _folder: Path) -> SourceObserver | None:
        source = sources[key]
        if source.smb.credentials_file is None:
            return None
        address = address_of(source, listed=listed)
        return SmbObserver(_open_watch(), address, partial(_credentials, source))

    return make


def address_of(source: Source, *, listed: Mounts = mounts.listed) -> SmbAddress:
    """Return where the source lies on its server, as configured or as mounted. Raises OSError."""
    if source.smb.share:
        address = smb_address.parse(source.smb.share)
        assert address is not None  # checked when the file was loaded
        return address
    found = smb_address.mounted(os.path.realpath(source.folder), listed())
    if found is None:
        message = "no SMB share is mounted there; write share below [connection.source.smb]"
        raise OSError(errno.ENODEV, message)
    return found


def why_unwatched(source: Source) -> str:
    """Try out whether the server reports changes; return why it does not, "" if it does."""
    try:
        address = address_of(source)
        _open_watch()(address, _credentials(source), "files").close()
    except SmbError as exc:
        return str(exc)
    except (OSError, ValueError) as exc:
        return getattr(exc, "strerror", None) or str(exc)
    return ""


def _credentials(source: Source) -> Credentials:
    return Credentials(*source.smb.sign_in())


def _open_watch() -> OpenWatch:
    """Return what opens watches: one for the whole process, which knows who was refused."""
    with _LOCK:
        return _shared()


@cache
def _shared() -> OpenWatch:
    try:
        from ..disk.smb_watches import SmbWatches  # noqa: PLC0415 - a part of its own
    except ModuleNotFoundError as exc:
        message = f"what asks a file server is not installed; {how_to_install('smb')}"
        raise OSError(errno.ENOENT, message) from exc
    return SmbWatches().open
