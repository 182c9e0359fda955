"""The operations of the Storage API that are used here.

Reading and idempotent calls are repeated briefly; calls that create never are.
Source: Storage API, one operation page each, read 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..core.model import StorageId
from . import wire
from .operations import Operations, segment, understood
from .values import StorageItem, Upload

STORAGE_PAGE: Final = 1000  # the documented maximum; fewer calls for large folders


class StorageApi(Operations):
    """Folders and files of an iTwin's Storage."""

    def root_folder(self, itwin_id: str) -> str:
        """Return the id of the iTwin's top-level folder."""
        return self._read(
            "find the top-level folder in Storage",
            "/storage",
            wire.root_folder,
            params={"iTwinId": itwin_id, "$top": 1},
            subject=f"the Storage of the iTwin {itwin_id}",
        )

    def list_folder(self, folder_id: str) -> Iterator[StorageItem]:
        """Yield the files and folders directly in a folder."""
        path = f"/storage/folders/{segment(folder_id)}/list"
        return self._pages("list a folder in Storage", path, wire.items, STORAGE_PAGE)

    def create_folder(self, parent_id: str, name: str) -> StorageItem:
        """Create a folder, even if there is one of that name; answers 201."""
        operation = f"create the folder {name!r} in Storage"
        path = f"/storage/folders/{segment(parent_id)}/folders"
        response = self._calls.once(operation, "POST", path, json={"displayName": name})
        return understood(operation, response, wire.folder)

    def create_file(self, folder_id: str, name: str) -> Upload:
        """Reserve a new file, even if there is one of that name; answers 202."""
        operation = f"create the file {name!r} in Storage"
        path = f"/storage/folders/{segment(folder_id)}/files"
        response = self._calls.once(operation, "POST", path, json={"displayName": name})
        return understood(operation, response, wire.upload)

    def update_content(self, storage_id: StorageId) -> Upload:
        """Return a URL to replace a file's content; changes nothing, so it may be repeated.

        Source: Storage API, "Update file content" (202).
        """
        operation = "replace a file's content in Storage"
        path = f"/storage/files/{segment(storage_id)}/updatecontent"
        return understood(operation, self._calls.repeatable(operation, "POST", path), wire.upload)

    def complete(self, upload: Upload) -> StorageItem:
        """Make the uploaded content the file's; doing so twice changes nothing.

        Source: Storage API, "Complete file upload" (200, `size` is final).
        """
        operation = "complete a file in Storage"
        response = self._calls.repeatable(operation, "POST", upload.complete_link)
        return understood(operation, response, wire.file)

    def file(self, storage_id: StorageId) -> StorageItem:
        """Return a file by its id."""
        path = f"/storage/files/{segment(storage_id)}"
        return self._read("look at a file in Storage", path, wire.file, subject="the file")
