"""The requests about folders of an SMB server that watches are made of.

Source: MS-SMB2, "CREATE", "CHANGE_NOTIFY" and "QUERY_INFO"; MS-FSCC, "FileFsObjectIdInformation";
Samba, librpc/idl/smb3posix.idl and source3/include/smb.h (SAMBA_EXTENDED_INFO_MAGIC); read 2026-11.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from smbprotocol import exceptions as smb
from smbprotocol.change_notify import CompletionFilter, SMB2ChangeNotifyRequest
from smbprotocol.connection import Request
from smbprotocol.open import (
    CreateDisposition,
    CreateOptions,
    DirectoryAccessMask,
    FileAttributes,
    ImpersonationLevel,
    Open,
    ShareAccess,
    SMB2QueryInfoRequest,
    SMB2QueryInfoResponse,
)

from .smb_session import SmbSession

FILE_CHANGES: Final = (
    CompletionFilter.FILE_NOTIFY_CHANGE_FILE_NAME
    | CompletionFilter.FILE_NOTIFY_CHANGE_SIZE
    | CompletionFilter.FILE_NOTIFY_CHANGE_LAST_WRITE
    | CompletionFilter.FILE_NOTIFY_CHANGE_ATTRIBUTES  # so Samba calls what its own machine writes
)
FOLDER_CHANGES: Final = CompletionFilter.FILE_NOTIFY_CHANGE_DIR_NAME

_OF_FILE_SYSTEM: Final = 2  # a kind of QUERY_INFO
_OBJECT_ID: Final = 8  # FileFsObjectIdInformation: 16 bytes, and 48 of the server's own
_SAMBA: Final = b"aBmS"


def open_folder(session: SmbSession, path: str) -> Open:
    """Open a folder of the share by its path with slashes; nobody is kept from changing it."""
    opened = Open(session.tree, path.replace("/", "\\"))
    opened.create(
        ImpersonationLevel.Impersonation,
        DirectoryAccessMask.FILE_LIST_DIRECTORY
        | DirectoryAccessMask.FILE_READ_ATTRIBUTES
        | DirectoryAccessMask.SYNCHRONIZE,
        FileAttributes.FILE_ATTRIBUTE_DIRECTORY,
        ShareAccess.FILE_SHARE_READ | ShareAccess.FILE_SHARE_WRITE | ShareAccess.FILE_SHARE_DELETE,
        CreateDisposition.FILE_OPEN,
        CreateOptions.FILE_DIRECTORY_FILE,
    )
    return opened


def close_folder(session: SmbSession, opened: Open) -> None:
    """Close it; the server may not answer, so nothing is waited for."""
    with suppress(Exception):
        session.send(opened.close(send=False)[0])


def ask_for_changes(
    session: SmbSession, opened: Open, changes: int, *, flags: int, buffer_bytes: int
) -> Request:
    """Ask for what changes; the answer comes when something does."""
    asked = SMB2ChangeNotifyRequest()
    asked["flags"] = flags
    asked["output_buffer_length"] = buffer_bytes
    asked["file_id"] = opened.file_id
    asked["completion_filter"] = changes
    return session.send(asked)


def is_samba(session: SmbSession, opened: Open) -> bool:
    """Return whether the server is Samba, which names itself where others have zeros."""
    asked = SMB2QueryInfoRequest()
    asked["info_type"] = _OF_FILE_SYSTEM
    asked["file_info_class"] = _OBJECT_ID
    asked["output_buffer_length"] = 64
    asked["file_id"] = opened.file_id
    try:
        answer = session.receive(session.send(asked))
    except smb.SMBResponseException:
        return False
    response = SMB2QueryInfoResponse()
    response.unpack(answer["data"].get_value())
    return bytes(response["buffer"].get_value())[16:20] == _SAMBA
