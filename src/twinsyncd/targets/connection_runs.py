"""What storage and manifest connections have in common: preparing them, and looking at runs.

Sources: Synchronization API, "Get storage connection", "Get storage connection run" and the same of
manifest connections, read 2026-11.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ..cloud.client import Platform
from ..cloud.links import RunAddress
from ..cloud.values import Run, Start, StartAnswer, StorageConnectionInfo
from ..core import commands, facts
from ..core.model import Failure, Fault, RunKey
from ..errors import CloudError
from .consent import require_consent, with_page
from .run_reports import RunReports
from .settings import ConnectionSettings
from .storage.admission import Admission
from .storage.evidence import gather, knows_run
from .storage.membership import Membership
from .storage.results import seen

_DELETED: Final = Failure(
    Fault.GONE, "the connection was deleted in the service; it is created again"
)
_NO_FILES: Final = Failure(
    Fault.TRANSIENT,
    "there is no file to create the connection with, and references alone make none; see what is"
    " taken, and as what: twinsyncd check",
)


class PlatformConnection:
    """One configured connection of an iModel; its kind is that of the platform's connections."""

    names_in_storage = True  # source file ids are those of files in Storage

    def __init__(
        self,
        platform: Platform,
        settings: ConnectionSettings,
        *,
        reports: RunReports | None = None,
    ) -> None:
        """Send nothing before the first command; without `reports` none are fetched."""
        self._platform = platform
        self._settings = settings
        self._reports = reports
        self._membership = Membership(platform, settings)

    def prepare(self, command: commands.Prepare) -> facts.Prepared:
        """Find or create the connection and add its missing files.

        Raises CloudError GONE when there is no connection any more and no file to create it with,
        TRANSIENT when there was none and is no file yet, NOT_AUTHORISED when the user has not
        agreed to runs.
        """
        authorised = require_consent(self._platform, self._settings.authentication)
        return replace(self._prepare(command), authorised=authorised)

    def _prepare(self, command: commands.Prepare) -> facts.Prepared:
        found = self._membership.find(command.remote_id, command.files)
        if found is None:
            return self._create(command)
        self._membership.keep_up(found)
        admission = Admission()
        if command.files:
            admission = self._membership.admit(found.id, command.files)
        newest = self._last_run(found)
        known = newest == command.last_run or knows_run(self._platform, command.last_run)
        prepared = _prepared(command, found.id, newest, admission)
        return replace(prepared, last_run_known=known, was_there=not command.remote_id)

    def find_run(self, command: commands.FindRun) -> facts.RunFound:
        """Look up the newest run of the connection."""
        found = self._platform.connection(command.remote_id)
        return facts.RunFound(command.connection, self._last_run(found))

    def look_at_run(self, command: commands.LookAtRun) -> facts.RunSeen:
        """Look at one run of this or any other connection; gather its evidence once it ended."""
        address = RunAddress.read(command.run)
        run = self._platform.run(address)
        evidence = gather(
            self._platform, self._settings.imodel_id, address, run, named=self.names_in_storage
        )
        if self._reports is not None:
            reasons = self._reports.reasons(self._platform, self._settings.imodel_id, run)
            evidence = replace(evidence, reasons=reasons)
        found = seen(command, run, evidence)
        return with_page(self._platform, self._settings.authentication, found)

    def _started(
        self, command: commands.StartRun, answer: StartAnswer
    ) -> facts.RunStarted | facts.RunRefused | facts.StartClashed:
        if answer.start is Start.CLASHED:
            return facts.StartClashed(command.connection, answer.reason)
        run = _run_of(command.remote_id, answer.location)
        if answer.start is Start.ACCEPTED:
            return facts.RunStarted(command.connection, run)
        ours = f"/{command.remote_id}/" in answer.location
        return facts.RunRefused(command.connection, run, on_our_connection=ours)

    def _create(self, command: commands.Prepare) -> facts.Prepared:
        if not command.files:
            failure = _DELETED if command.remote_id else _NO_FILES
            raise CloudError("find the connection", failure, status=404)
        made, admission = self._membership.create(command.files)
        if made is not None:
            self._membership.keep_up(made)
        return _prepared(command, made.id if made else "", RunKey(""), admission)

    def _kind(self) -> str:
        return self._platform.connections_path.rpartition("/")[2]

    def _last_run(self, found: StorageConnectionInfo) -> RunKey:
        """Return the newest run: the service names it, or else its list of runs is searched."""
        if found.last_run_link is not None:
            return _run_of(found.id, found.last_run_link)
        newest = max(self._platform.runs(found.id), key=_age_rank, default=None)
        newest_run = RunAddress(self._kind(), found.id, newest.id) if newest else ""
        return RunKey(str(newest_run))


def _prepared(
    command: commands.Prepare, remote_id: str, last_run: RunKey, admission: Admission
) -> facts.Prepared:
    return facts.Prepared(
        command.connection,
        remote_id,
        last_run,
        admission.in_connection,
        admission.refused,
        admission.storage_as_expected,
    )


def _run_of(connection_id: str, link: str) -> RunKey:
    return RunKey(str(RunAddress.read(link, connection_id=connection_id)) if link else "")


def _age_rank(run: Run) -> tuple[bool, float]:
    """Return what is largest for the newest run; one that has not begun has no date yet."""
    return run.state != "Completed", run.started_s
