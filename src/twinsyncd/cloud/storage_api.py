"""The operations of the Storage API that are used here.

Reading and idempotent calls are repeated briefly; calls that create never are.
Source: Storage API, one operation page each, read 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ..core.model import StorageId
from . import faults, wire
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

    def answer_headers(self, itwin_id: str) -> Mapping[str, str]:
        """Return the headers of an ordinary answer, in lower case."""
        params: dict[str, str | int] = {"iTwinId": itwin_id, "$top": 1}
        operation = "look at an answer of Storage"
        response = self._calls.repeatable(operation, "GET", "/storage", params=params)
        return dict(response.headers)

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

    def folder(self, folder_id: str) -> StorageItem:
        """Return a folder by its id."""
        path = f"/storage/folders/{segment(folder_id)}"
        return self._read("look at a folder in Storage", path, wire.folder, subject="the folder")

    def download_link(self, storage_id: StorageId) -> str:
        """Return a signed URL to read a file's content; a secret that lives for an hour.

        Source: Storage API, "Download file" (302, Location).
        """
        operation = "read a file in Storage"
        path = f"/storage/files/{segment(storage_id)}/download"
        response = self._calls.repeatable(operation, "GET", path, also=(302,), subject="the file")
        location = response.headers.get("location", "")
        if not location:
            raise faults.unclear(operation, "the answer names no place to read it from")
        return str(location)

    # ---- changes that keep the ids; repeating them changes nothing more -------------------

    def rename_file(self, storage_id: StorageId, name: str) -> StorageItem:
        """Give a file another name; its id stays.

        Source: Storage API, "Update file" (PATCH displayName, 200).
        """
        operation = f"rename a file in Storage to {name!r}"
        path = f"/storage/files/{segment(storage_id)}"
        response = self._calls.repeatable(
            operation, "PATCH", path, json={"displayName": name}, subject="the file"
        )
        return understood(operation, response, wire.file)

    def move_file(self, storage_id: StorageId, folder_id: str) -> StorageItem:
        """Move a file into another folder of the same Storage; its id stays.

        Source: Storage API, "Move file" (POST parentFolderId, 200).
        """
        operation = "move a file in Storage"
        path = f"/storage/files/{segment(storage_id)}/move"
        response = self._calls.repeatable(
            operation, "POST", path, json={"parentFolderId": folder_id}, subject="the file"
        )
        return understood(operation, response, wire.file)

    def rename_folder(self, folder_id: str, name: str) -> StorageItem:
        """Give a folder another name; its id and those of its files stay.

        Source: Storage API, "Update folder" (PATCH displayName, 200).
        """
        operation = f"rename a folder in Storage to {name!r}"
        path = f"/storage/folders/{segment(folder_id)}"
        response = self._calls.repeatable(
            operation, "PATCH", path, json={"displayName": name}, subject="the folder"
        )
        return understood(operation, response, wire.folder)

    def move_folder(self, folder_id: str, parent_id: str) -> StorageItem:
        """Move a folder with all its contents into another one; all ids stay.

        Source: Storage API, "Move folder" (POST parentFolderId, 200).
        """
        operation = "move a folder in Storage"
        path = f"/storage/folders/{segment(folder_id)}/move"
        response = self._calls.repeatable(
            operation, "POST", path, json={"parentFolderId": parent_id}, subject="the folder"
        )
        return understood(operation, response, wire.folder)

    # ---- removal ----------------------------------------------------------------------------

    def delete_file(self, storage_id: StorageId) -> None:
        """Move a file to the recycle bin, where it stays for 30 days; fine if it is gone.

        Source: Storage API, "Delete file" (204).
        """
        self._remove("delete a file in Storage", f"/storage/files/{segment(storage_id)}")

    def restore_file(self, storage_id: StorageId) -> None:
        """Bring a file back from the recycle bin, with its id and content.

        Source: Storage API, "Restore file" (204). Raises GONE when it is not there.
        """
        path = f"/storage/recyclebin/files/{segment(storage_id)}/restore"
        self._calls.once("restore a file in Storage", "POST", path, subject="the file")

    def delete_folder(self, folder_id: str) -> None:
        """Move a folder with all its contents to the recycle bin; fine if it is gone.

        Source: Storage API, "Delete folder" (204).
        """
        self._remove("delete a folder in Storage", f"/storage/folders/{segment(folder_id)}")

    def purge_folder(self, folder_id: str) -> None:
        """Delete a folder out of the recycle bin, for good; fine if it is not there.

        Source: Storage API, "Delete folder from recycle bin" (204).
        """
        path = f"/storage/recyclebin/folders/{segment(folder_id)}"
        self._remove("empty the recycle bin of a folder", path)
