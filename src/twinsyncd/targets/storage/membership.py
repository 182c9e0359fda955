"""Makes a connection exist in the service and hold its source files; looks before it creates.

Creating is not idempotent and the service knows no keys for it, so after any doubt the next
preparation starts by looking.
Source: Synchronization API, "Create storage connection" and "Create storage connection source
file" (409: the file is mapped to the iModel by any of its connections).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import structlog

from ...cloud.client import Platform
from ...cloud.faults import refused
from ...cloud.values import SourceFile, StorageConnectionInfo
from ...core.commands import ExpectedFile
from ...core.model import (
    Fault,
    StorageId,
)
from ...errors import CloudError
from ..settings import ConnectionSettings
from .admission import Admission

CREATE_MAX: Final = 500  # files in one create call; keeps the body small, the rest is added
SINGLES_MAX: Final = 50  # creates tried one file at a time per preparation when all are refused
_ABOUT_FILES: Final = {400, 409, 413, 422}  # the service refuses a file; others may be accepted

log = structlog.get_logger()


class Membership:
    """The service's side of one configured connection."""

    def __init__(self, platform: Platform, settings: ConnectionSettings) -> None:
        """Send nothing before the first question."""
        self._platform = platform
        self._settings = settings
        self._updated: list[StorageConnectionInfo] = []  # as they were found
        self._has_settings = ""  # the connection whose run settings are known to be as configured

    def find(self, remote_id: str, files: Sequence[ExpectedFile]) -> StorageConnectionInfo | None:
        """Return the configured, the remembered or the equally named connection, or None."""
        if self._settings.connection_id:
            return self._configured(self._settings.connection_id)
        return self._remembered(remote_id) or self._named(files)

    def create(
        self, files: Sequence[ExpectedFile]
    ) -> tuple[StorageConnectionInfo | None, Admission]:
        """Create the connection with those files that the service accepts; None if it accepts none.

        One bad file makes the service refuse them all, so then they are tried one by one.
        """
        try:
            made = self._create(files[:CREATE_MAX])
        except CloudError as exc:
            if not _is_about_files(exc):
                raise
            return self._create_singly(files)
        accepted = Admission(tuple(each.key for each in files[:CREATE_MAX]))
        rest = files[CREATE_MAX:]
        return made, accepted + (self.admit(made.id, rest) if rest else Admission())

    def keep_up(self, found: StorageConnectionInfo) -> None:
        """Give the connection the configured name, kind of sign-in and run settings.

        One that the configuration names by its id keeps its name: others may find it by that.
        """
        wanted, adopted = self._settings, bool(self._settings.connection_id)
        name = wanted.display_name if found.name and not adopted else ""
        authentication = wanted.authentication if found.authentication else ""
        if (name or found.name, authentication) != (found.name, found.authentication):
            self._update(found, name, authentication)
        self._set_run_settings(found.id)

    def _update(self, found: StorageConnectionInfo, name: str, authentication: str) -> None:
        """Change it once as it was found; that it may not be changed holds up no run."""
        if found in self._updated:
            return
        self._updated.append(found)
        connection = self._settings.connection
        try:
            self._platform.update_connection(found.id, name=name, authentication=authentication)
        except CloudError as exc:
            if exc.failure.fault is not Fault.REFUSED:
                raise
            log.warning("connection.not_updated", connection=connection, reason=str(exc))
        else:
            log.info("connection.updated", connection=connection, was=found.name)

    def _set_run_settings(self, connection_id: str) -> None:
        """Set what differs, once per process; what the configuration does not name stays."""
        wanted = self._settings.run_settings
        if not wanted or self._has_settings == connection_id:
            return
        there = self._platform.run_settings(connection_id)
        differing = {key: value for key, value in wanted.items() if (there or {}).get(key) != value}
        if differing:
            try:
                self._platform.set_run_settings(connection_id, differing, first=there is None)
            except CloudError as exc:
                if exc.failure.fault not in {Fault.GONE, Fault.REFUSED}:
                    raise
                # It is a preview: where it is not there, the connection is, all the same.
                reason = f"{exc.failure.message}; correct run_settings, or delete it"
                raise refused(exc.operation, reason) from exc
        self._has_settings = connection_id

    def admit(self, connection_id: str, files: Sequence[ExpectedFile]) -> Admission:
        """Add those files that the connection does not hold yet, and correct their connectors.

        A file takes the place of what it was before, else the iModel would hold both.
        """
        present = self._source_files(connection_id)
        admission = Admission()
        for file in files:
            found = present.get(file.storage_id)
            earlier = [present[each] for each in file.replaces if each in present]
            if found is not None:
                self._correct(connection_id, found, file)
                admission += Admission(in_connection=(file.key,))
            elif earlier:
                admission += self._take_place(connection_id, earlier.pop(0), file)
            else:
                admission += self._add(connection_id, file)
            for each in earlier:
                self._platform.remove_source_file(connection_id, each.id)
        return admission

    def _take_place(self, connection_id: str, earlier: SourceFile, file: ExpectedFile) -> Admission:
        """Let the file be an earlier source file from now on, with the elements that it brought.

        Where the service refuses that, it is added as one of its own, and the earlier one removed.
        """
        connector = self._settings.connector_of(file.key)
        now = replace(earlier, storage_id=file.storage_id)
        try:
            self._platform.update_source_file(connection_id, now, connector)
        except CloudError as exc:
            if exc.failure.fault is not Fault.GONE and not _is_about_files(exc):
                raise
            added = self._add(connection_id, file)
            self._platform.remove_source_file(connection_id, earlier.id)
            return added
        return Admission(in_connection=(file.key,))

    def _correct(self, connection_id: str, found: SourceFile, file: ExpectedFile) -> None:
        """Let the configured connector read the file if another one does, as far as is told."""
        connector = self._settings.connector_of(file.key)
        if found.connector and found.connector != connector:
            self._platform.update_source_file(connection_id, found, connector)

    def _configured(self, connection_id: str) -> StorageConnectionInfo:
        operation = f"use the connection {connection_id}"
        try:
            info = self._platform.connection(connection_id)
        except CloudError as exc:
            if exc.failure.fault is not Fault.GONE:
                raise
            message = "there is no such connection; correct connection_id, or leave it out"
            raise refused(operation, message) from exc
        if not self._fits(info):
            raise refused(operation, f"it belongs to another iModel, {info.imodel_id}")
        return info

    def _remembered(self, remote_id: str) -> StorageConnectionInfo | None:
        if not remote_id:
            return None
        try:
            info = self._platform.connection(remote_id)
        except CloudError as exc:
            if exc.failure.fault is not Fault.GONE:
                raise
            return None
        return info if self._fits(info) else None

    def _named(self, files: Sequence[ExpectedFile]) -> StorageConnectionInfo | None:
        """Return the connection of that name: of several, the first that holds a file of ours."""
        wanted = self._settings.display_name
        listed = self._listed()
        found = [each for each in listed if each.name == wanted]
        if not found:
            return None
        ours = {file.storage_id for file in files}
        holding = (each for each in found if len(found) > 1 and ours & self._present(each.id))
        chosen = next(holding, found[0])
        return chosen if chosen.last_run_link is not None else self._platform.connection(chosen.id)

    def _listed(self) -> list[StorageConnectionInfo]:
        """Return the iModel's connections; says so if the iModel itself is what is missing.

        For an iModel that does not exist the service only says that listing is not permitted.
        """
        try:
            return list(self._platform.connections(self._settings.imodel_id))
        except CloudError as exc:
            if exc.status != 403:
                raise
            self._require_imodel()
            raise

    def _require_imodel(self) -> None:
        """Raise a CloudError that halts if the iModel does not exist; others are left alone."""
        try:
            self._platform.imodel(self._settings.imodel_id)
        except CloudError as exc:
            if exc.failure.fault is not Fault.GONE:
                return
            message = f"{exc.failure.message}; correct imodel_id, or ask for access to the iModel"
            failure = replace(exc.failure, fault=Fault.REFUSED, message=message)
            raise CloudError(exc.operation, failure, status=exc.status) from exc

    def _fits(self, info: StorageConnectionInfo) -> bool:
        return info.imodel_id.lower() in {"", self._settings.imodel_id.lower()}

    def _present(self, connection_id: str) -> set[StorageId]:
        return set(self._source_files(connection_id))

    def _source_files(self, connection_id: str) -> dict[StorageId, SourceFile]:
        return {each.storage_id: each for each in self._platform.source_files(connection_id)}

    def _create(self, files: Sequence[ExpectedFile]) -> StorageConnectionInfo:
        return self._platform.create_connection(
            name=self._settings.display_name,
            imodel_id=self._settings.imodel_id,
            authentication=self._settings.authentication,
            files=[(each.storage_id, self._settings.connector_of(each.key)) for each in files],
        )

    def _create_singly(
        self, files: Sequence[ExpectedFile]
    ) -> tuple[StorageConnectionInfo | None, Admission]:
        self._platform.imodel(self._settings.imodel_id)  # raises if that was the reason
        admission = Admission()
        for index, file in enumerate(files[:SINGLES_MAX]):
            try:
                made = self._create([file])
            except CloudError as exc:
                if not _is_about_files(exc):
                    raise
                admission += Admission(refused=((file.key, self._reason(file, exc)),))
            else:
                rest = self.admit(made.id, files[index + 1 :])
                return made, admission + Admission(in_connection=(file.key,)) + rest
        return None, admission

    def _add(self, connection_id: str, file: ExpectedFile) -> Admission:
        connector = self._settings.connector_of(file.key)
        try:
            self._platform.add_source_file(connection_id, file.storage_id, connector)
        except CloudError as exc:
            if exc.status == 409 and file.storage_id in self._present(connection_id):
                return Admission(in_connection=(file.key,))
            gone = exc.failure.fault is Fault.GONE
            if gone:
                self._platform.connection(connection_id)  # raises if that is what is gone
            elif not _is_about_files(exc):
                raise
            refused = ((file.key, self._reason(file, exc)),)
            return Admission(refused=refused, storage_as_expected=not gone)
        return Admission(in_connection=(file.key,))

    def _reason(self, file: ExpectedFile, exc: CloudError) -> str:
        """Return why the service refuses the file, and what to do about it."""
        if exc.status == 409:
            owner = self._owner(file.storage_id)
            whose = f"the connection {owner!r}" if owner else "another connection"
            return f"{whose} of this iModel already has this file; remove it there or here"
        if exc.failure.fault is Fault.GONE:
            return "the file is no longer in Storage; it is uploaded again soon"
        return f"the service refuses this file: {exc.failure.message}"

    def _owner(self, storage_id: StorageId) -> str:
        for each in self._platform.connections(self._settings.imodel_id):
            if storage_id in self._present(each.id):
                return each.name or each.id
        return ""


def _is_about_files(exc: CloudError) -> bool:
    """Return whether the service refuses a file; a used-up quota is nobody's file."""
    return exc.status in _ABOUT_FILES and exc.failure.fault is not Fault.QUOTA
