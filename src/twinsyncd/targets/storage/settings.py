"""The settings of one storage connection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ...cloud.platform_profile import PlatformProfile
from ...cloud.send_rate import SendRate
from ...core.model import FileKey, StorageId
from ..settings import ConnectionSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageConnectionSettings(ConnectionSettings):
    """One configured connection; `folder_of` is called once per store.

    `key_at` returns which file of ours would have this folder in Storage and this name, if any.
    `is_on_drive` returns whether this file in Storage is that of one of ours that is on the drive;
    None: it is not known as ours.
    `profile`: what the platform was found to allow.
    """

    itwin_id: str
    folder_of: Callable[[FileKey], str]  # folder in Storage: "Bridge 12/structure"
    key_at: Callable[[str, str], FileKey | None] = lambda _folder, _name: None
    is_on_drive: Callable[[StorageId], bool | None] = lambda _storage_id: None
    profile: PlatformProfile = field(default_factory=PlatformProfile)
    rate: SendRate | None = None  # limits the uploads of this connection
