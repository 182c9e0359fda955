"""Knows the platform's operations: one method each, typed values in and out.

Reading and idempotent calls are repeated briefly; calls that create or start something never.
Sources: Storage API, Synchronization API, iModels API, iTwins API, one operation page each.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, Protocol, TypeVar, Unpack
from urllib.parse import quote

import httpx

from ..core.model import StorageId
from . import faults, wire
from .calls import REPRESENTATION, V2, ApiCalls, Details
from .links import RunAddress
from .retries import Sleep
from .values import (
    Changeset,
    Named,
    Run,
    SourceFile,
    Start,
    StartAnswer,
    StorageConnectionInfo,
    StorageItem,
    Upload,
)

API_URL: Final = "https://api.bentley.com"
STORAGE_PAGE: Final = 1000  # the documented maximum; fewer calls for large folders
CHANGESETS_PAGE: Final = 1000  # the documented maximum
SYNCHRONIZATION_PAGE: Final = 100  # the default there; no maximum is documented
PAGES_MAX: Final = 1000  # a million entries; beyond that the service is repeating itself
_CONNECTIONS: Final = "/synchronization/imodels/storageconnections"


class _Identified(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T")
Entry = TypeVar("Entry", bound=_Identified)


class Platform:
    """The iTwin Platform, over one client that signs; safe to share between threads.

    Every method raises CloudError unless the service does what was asked.
    """

    def __init__(
        self, http: httpx.Client, *, api_url: str = API_URL, sleep: Sleep = time.sleep
    ) -> None:
        """Speak to `api_url`; the caller owns `http` and closes it."""
        self.api_url = api_url
        self._calls = ApiCalls(http, api_url, sleep)

    # ---- Storage ------------------------------------------------------------------------

    def root_folder(self, itwin_id: str) -> str:
        """Return the id of the iTwin's top-level folder."""
        return self._read(
            "find the top-level folder in Storage",
            "/storage",
            wire.root_folder,
            params={"iTwinId": itwin_id, "$top": 1},
        )

    def list_folder(self, folder_id: str) -> Iterator[StorageItem]:
        """Yield the files and folders directly in a folder."""
        path = f"/storage/folders/{_id(folder_id)}/list"
        return self._pages("list a folder in Storage", path, wire.items, STORAGE_PAGE)

    def create_folder(self, parent_id: str, name: str) -> StorageItem:
        """Create a folder, even if there is one of that name; answers 201."""
        response = self._calls.once(
            f"create the folder {name!r} in Storage",
            "POST",
            f"/storage/folders/{_id(parent_id)}/folders",
            json={"displayName": name},
        )
        return _understood("create a folder", response, wire.folder)

    def create_file(self, folder_id: str, name: str) -> Upload:
        """Reserve a new file, even if there is one of that name; answers 202."""
        operation = f"create the file {name!r} in Storage"
        path = f"/storage/folders/{_id(folder_id)}/files"
        response = self._calls.once(operation, "POST", path, json={"displayName": name})
        return _understood(operation, response, wire.upload)

    def update_content(self, storage_id: StorageId) -> Upload:
        """Ask for a URL to replace a file's content; changes nothing, so it may be repeated.

        Source: Storage API, "Update file content" (202).
        """
        operation = "replace a file's content in Storage"
        path = f"/storage/files/{_id(storage_id)}/updatecontent"
        return _understood(operation, self._calls.repeatable(operation, "POST", path), wire.upload)

    def complete(self, upload: Upload) -> StorageItem:
        """Make the uploaded content the file's; doing so twice changes nothing.

        Source: Storage API, "Complete file upload" (200, `size` is final).
        """
        operation = "complete a file in Storage"
        response = self._calls.repeatable(operation, "POST", upload.complete_link)
        return _understood(operation, response, wire.file)

    def file(self, storage_id: StorageId) -> StorageItem:
        """Return a file by its id."""
        path = f"/storage/files/{_id(storage_id)}"
        return self._read("look at a file in Storage", path, wire.file)

    # ---- connections --------------------------------------------------------------------

    def connections(self, imodel_id: str) -> Iterator[StorageConnectionInfo]:
        """Yield the iModel's storage connections; most only with id and name."""
        return self._pages(
            "list the iModel's connections",
            _CONNECTIONS,
            wire.connections,
            SYNCHRONIZATION_PAGE,
            {"imodelId": imodel_id},
        )

    def connection(self, connection_id: str) -> StorageConnectionInfo:
        """Return a storage connection by its id."""
        path = f"{_CONNECTIONS}/{_id(connection_id)}"
        return self._read("look at the connection", path, wire.connection)

    def create_connection(
        self,
        *,
        name: str,
        imodel_id: str,
        authentication: str,
        files: Sequence[tuple[StorageId, str]],
    ) -> StorageConnectionInfo:
        """Create a storage connection with (file id, connector) pairs, at least one.

        Source: Synchronization API, "Create storage connection" (201; 409 a file is mapped).
        """
        operation = f"create the connection {name!r}"
        body = {
            "displayName": name,
            "iModelId": imodel_id,
            "authenticationType": authentication,
            "sourceFiles": [_source(storage_id, connector) for storage_id, connector in files],
        }
        response = self._calls.once(operation, "POST", _CONNECTIONS, json=body)
        return _understood(operation, response, wire.connection)

    def source_files(self, connection_id: str) -> Iterator[SourceFile]:
        """Yield the connection's source files."""
        path = f"{_CONNECTIONS}/{_id(connection_id)}/sourcefiles"
        return self._pages(
            "list the connection's files", path, wire.source_files, SYNCHRONIZATION_PAGE
        )

    def add_source_file(self, connection_id: str, storage_id: StorageId, connector: str) -> None:
        """Make a stored file a source file of the connection; 409 if the iModel has it already."""
        self._calls.once(
            "add a file to the connection",
            "POST",
            f"{_CONNECTIONS}/{_id(connection_id)}/sourcefiles",
            json=_source(storage_id, connector),
        )

    # ---- runs ---------------------------------------------------------------------------

    def start_run(self, connection_id: str) -> StartAnswer:
        """Ask once for a run.

        Source: Synchronization API, "Run storage connection" (202, 303, 409).
        """
        operation = "start a run"
        path = f"{_CONNECTIONS}/{_id(connection_id)}/run"
        response = self._calls.once(operation, "POST", path, also=(303, 409))
        if response.status_code == 409:
            return StartAnswer(Start.CLASHED)
        location = response.headers.get("location", "")
        if not location:
            raise faults.unclear(operation, "the answer does not say which run it is about")
        return StartAnswer(
            Start.ACTIVE if response.status_code == 303 else Start.ACCEPTED, location
        )

    def run(self, address: RunAddress) -> Run:
        """Return a run of a storage or manifest connection."""
        return self._read("look at the run", str(address), wire.run)

    def runs(self, connection_id: str) -> Iterator[Run]:
        """Yield the connection's runs, in no order that can be relied on."""
        path = f"{_CONNECTIONS}/{_id(connection_id)}/runs"
        return self._pages("list the connection's runs", path, wire.runs, SYNCHRONIZATION_PAGE)

    # ---- iModels and iTwins -------------------------------------------------------------

    def imodel(self, imodel_id: str) -> Named:
        """Return an iModel's name and iTwin."""
        return self._read(
            "look at the iModel",
            f"/imodels/{_id(imodel_id)}",
            lambda body: wire.named(body, "iModel"),
            accept=V2,
        )

    def changesets(self, imodel_id: str) -> Iterator[Changeset]:
        """Yield the iModel's changesets, oldest first.

        Source: iModels API, "Get iModel changesets" (afterIndex, $top up to 1000).
        """
        path, last = f"/imodels/{_id(imodel_id)}/changesets", 0
        while True:
            params: dict[str, str | int] = {
                "afterIndex": last,
                "$top": CHANGESETS_PAGE,
                "$orderBy": "index asc",
            }
            response = self._calls.repeatable(
                "list the changesets", "GET", path, params=params, prefer=REPRESENTATION, accept=V2
            )
            entries = _understood("list the changesets", response, wire.changesets)
            yield from entries
            newest = max((entry.index for entry in entries), default=last)
            if newest <= last:
                return
            last = newest

    def itwin(self, itwin_id: str) -> Named:
        """Return an iTwin's name."""
        path = f"/itwins/{_id(itwin_id)}"
        return self._read("look at the iTwin", path, lambda body: wire.named(body, "iTwin"))

    def _read(
        self,
        operation: str,
        path: str,
        read: Callable[[bytes], T],
        **details: Unpack[Details],
    ) -> T:
        response = self._calls.repeatable(operation, "GET", path, **details)
        return _understood(operation, response, read)

    def _pages(
        self,
        operation: str,
        path: str,
        read: Callable[[bytes], tuple[tuple[Entry, ...], bool]],
        size: int,
        params: Mapping[str, str | int] | None = None,
    ) -> Iterator[Entry]:
        """Yield every entry once; the service's paging cannot be trusted.

        `next` may be present on the last page, and a page may be shorter than asked because the
        service has a smaller limit. So a short page ends the list only if it names no next one,
        and a page without anything new always does.
        """
        seen: set[str] = set()
        skip = 0
        for _ in range(PAGES_MAX):
            response = self._calls.repeatable(
                operation,
                "GET",
                path,
                params={**(params or {}), "$top": size, "$skip": skip},
                prefer=REPRESENTATION,
            )
            entries, more = _understood(operation, response, read)
            new = {entry.id: entry for entry in entries if entry.id not in seen}
            yield from new.values()
            if not new or (len(entries) < size and not more):
                return
            seen.update(new)
            skip += len(entries)
        raise faults.unclear(operation, f"the list does not end after {PAGES_MAX} pages")


def _understood(operation: str, response: httpx.Response, read: Callable[[bytes], T]) -> T:
    try:
        return read(response.content)
    except wire.Unreadable as exc:
        request_id = response.headers.get("x-correlation-id", "")
        raise faults.error_from(operation, exc, request_id=request_id) from exc


def _source(storage_id: StorageId, connector: str) -> dict[str, str]:
    return {"storageFileId": storage_id, "connectorType": connector}


def _id(text: str) -> str:
    """Return the id as one path segment."""
    return quote(text, safe="")
