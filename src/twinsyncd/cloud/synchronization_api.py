"""The operations of the Synchronization API that are used here: connections and their runs.

Reading and idempotent calls are repeated briefly; calls that create or start something never are.
Source: Synchronization API, one operation page each, read 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import ClassVar, Final

from ..core.model import StorageId
from ..errors import CloudError
from . import fault_text, faults, run_wire, wire
from .calls import Details
from .links import RunAddress, names_run
from .operations import Operations, segment, understood
from .values import Authorization, Run, SourceFile, Start, StartAnswer, StorageConnectionInfo

SYNCHRONIZATION_PAGE: Final = 100  # the default there; no maximum is documented
SOURCE_FILES_PAGE: Final = 1000  # refused by no service seen; if one does, the default is used
_AUTHORIZATION: Final = "/synchronization/imodels/connections/authorizationinformation"


class SynchronizationApi(Operations):
    """Storage connections of an iModel, their source files and their runs."""

    connections_path: ClassVar[str] = "/synchronization/imodels/storageconnections"

    def connections(self, imodel_id: str) -> Iterator[StorageConnectionInfo]:
        """Yield the iModel's storage connections; most only with id and name."""
        return self._pages(
            "list the iModel's connections",
            self.connections_path,
            wire.connections,
            SYNCHRONIZATION_PAGE,
            {"imodelId": imodel_id},
        )

    def connection(self, connection_id: str) -> StorageConnectionInfo:
        """Return a storage connection by its id."""
        path = f"{self.connections_path}/{segment(connection_id)}"
        subject = f"the connection {connection_id}"
        return self._read("look at the connection", path, wire.connection, subject=subject)

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
            "sourceFiles": [
                self.source_body(storage_id, connector) for storage_id, connector in files
            ],
        }
        response = self._calls.once(operation, "POST", self.connections_path, json=body)
        return understood(operation, response, wire.connection)

    def update_connection(
        self, connection_id: str, *, name: str = "", authentication: str = ""
    ) -> None:
        """Change a connection's name or whom its runs act for; what is empty stays.

        Source: Synchronization API, "Update storage connection" (PUT, 200).
        """
        wanted = {"displayName": name, "authenticationType": authentication}
        self._calls.repeatable(
            "update the connection",
            "PUT",
            f"{self.connections_path}/{segment(connection_id)}",
            json={key: value for key, value in wanted.items() if value},
            subject=f"the connection {connection_id}",
        )

    def source_files(self, connection_id: str) -> Iterator[SourceFile]:
        """Yield the connection's source files."""
        path = f"{self.connections_path}/{segment(connection_id)}/sourcefiles"
        pages = partial(self._pages, "list the connection's files", path, wire.source_files)
        first = True
        try:
            for each in pages(SOURCE_FILES_PAGE):
                first = False
                yield each
        except CloudError as exc:
            if exc.status not in {400, 422} or not first:
                raise
            yield from pages(SYNCHRONIZATION_PAGE)

    def add_source_file(self, connection_id: str, storage_id: StorageId, connector: str) -> None:
        """Make a stored file a source file of the connection; 409 if the iModel has it already."""
        self._calls.once(
            "add a file to the connection",
            "POST",
            f"{self.connections_path}/{segment(connection_id)}/sourcefiles",
            json=self.source_body(storage_id, connector),
        )

    def update_source_file(
        self, connection_id: str, source_file: SourceFile, connector: str
    ) -> None:
        """Let a source file have this connector and Storage file from now on; its own id stays.

        Source: Synchronization API, "Update storage connection source file" (PUT with both
        members, 200).
        """
        self._calls.repeatable(
            f"set the connector of a file to {connector}",
            "PUT",
            f"{self.connections_path}/{segment(connection_id)}/sourcefiles/{segment(source_file.id)}",
            json=self.source_body(source_file.storage_id, connector),
            subject="the source file",
        )

    def remove_source_file(self, connection_id: str, source_file_id: str) -> None:
        """Take a file out of the connection; fine if it is not in it any more.

        What becomes of its elements in the iModel is not documented.
        Source: Synchronization API, "Delete storage connection source file" (204).
        """
        files = f"{self.connections_path}/{segment(connection_id)}/sourcefiles"
        self._remove("take a file out of the connection", f"{files}/{segment(source_file_id)}")

    def authorization(self, redirect_url: str = "") -> Authorization:
        """Return whether runs may act for the calling user; services need not ask.

        `redirect_url` is where the page for agreeing sends the browser afterwards. The platform
        required one once, so one that does get a refusal for the lack of it is asked with one.
        Source: Synchronization API, "Get authorization information", read 2026-11.
        """
        operation = "ask whether runs may act for you"
        params = {"redirectUrl": redirect_url} if redirect_url else {}
        try:
            return self._read(operation, _AUTHORIZATION, wire.authorization, params=params)
        except CloudError as exc:
            if redirect_url or exc.status not in {400, 422}:
                raise
        return self.authorization(self.api_url)

    def source_body(self, storage_id: StorageId, connector: str) -> dict[str, str]:
        """Return how a source file is named when it is added."""
        return {"storageFileId": storage_id, "connectorType": connector}

    # ---- runs ---------------------------------------------------------------------------

    def start_run(self, connection_id: str) -> StartAnswer:
        """Request a run, once.

        Source: Synchronization API, "Run storage connection" (202, 303, 409).
        """
        return self._start(f"{self.connections_path}/{segment(connection_id)}/run")

    def _start(self, path: str, body: Mapping[str, object] | None = None) -> StartAnswer:
        operation = "start a run"
        details: Details = {"also": (303, 409)}
        if body is not None:
            details["json"] = body
        response = self._calls.once(operation, "POST", path, **details)
        location = response.headers.get("location", "")
        is_elsewhere = response.status_code == 303 and location
        if not names_run(location) and (is_elsewhere or fault_text.web_page(response) is not None):
            # A proxy or guest network that requires a sign-in answers so too, and names no run.
            raise faults.error_of(operation, response)
        if response.status_code == 409:
            said = faults.error_of(operation, response).failure.message
            return StartAnswer(Start.CLASHED, reason=f"no run was started: {said}")
        if not location:
            raise faults.unclear(operation, "the answer does not name the run")
        return StartAnswer(
            Start.ACTIVE if response.status_code == 303 else Start.ACCEPTED, location
        )

    def run(self, address: RunAddress) -> Run:
        """Return a run of a storage or manifest connection."""
        return self._read("look at the run", str(address), run_wire.run, subject="the run")

    def runs(self, connection_id: str) -> Iterator[Run]:
        """Yield the connection's runs, in no order that can be relied on."""
        path = f"{self.connections_path}/{segment(connection_id)}/runs"
        return self._pages("list the connection's runs", path, run_wire.runs, SYNCHRONIZATION_PAGE)
