"""Delivers files by URL through one manifest connection of an iModel.

The files' ids are our own and stay for life. Content goes to the office's object store; a run gets
addresses that are good for its duration. What a later content replaced is deleted after the run
that read the later one.
Source: Synchronization API, "Create ManifestConnection run", read 2026-11.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, replace
from typing import Final

import structlog

from ...cloud.faults import refused
from ...cloud.manifest_api import ChildFile, ManifestFile, ManifestPlatform
from ...core import commands, facts
from ...core.commands import NamedFile
from ...core.model import Digest, RunKey, StorageId
from ...core.results import Outcome
from ...errors import CloudError
from ..connection_runs import PlatformConnection
from ..protocol import Content
from ..run_reports import RunReports
from ..storage.comparison import CloudComparison
from .contents import HeldContents
from .places import ObjectPath, Place
from .run_files import RunFile, files_of_run, name_of
from .settings import ManifestConnectionSettings

_IDS: Final = uuid.UUID("0b6d3b9e-6f2a-5c0d-9d5e-3f1c8a7e4b21")  # names become ids below it
_Content = tuple[StorageId, Digest]
_Objects = dict[_Content, ObjectPath]

log = structlog.get_logger()


class ManifestConnection(PlatformConnection):
    """A Target: one configured manifest connection."""

    names_in_storage = False

    def __init__(
        self,
        platform: ManifestPlatform,
        place: Place,
        settings: ManifestConnectionSettings,
        *,
        reports: RunReports | None = None,
    ) -> None:
        """Send nothing before the first command."""
        super().__init__(platform, settings, reports=reports)
        self._manifests = platform
        self._place = place
        self._manifest_settings = settings
        self._newer: set[ObjectPath] = set()  # stored since the last run began
        self._given: dict[RunKey, tuple[NamedFile, ...]] = {}  # runs of this process, until tidied

    def store(
        self,
        command: commands.Store,
        content: Content,
        note: Callable[[facts.Reserved], None],
    ) -> facts.Stored:
        """Put the content into the object store; the file's id stays the same for life."""
        storage_id = command.storage_id or self._new_id(command)
        note(facts.Reserved(command.key, storage_id))
        path = ObjectPath.of(storage_id, command.digest, command.key.path)
        self._newer.add(path)
        self._place.put(path, content)
        return facts.Stored(command.key, command.digest, storage_id)

    def place(self, command: commands.Place) -> facts.Placed:
        """Do nothing: objects are named by their content, and each run names its files anew."""
        return facts.Placed(command.key)

    def remove(self, command: commands.Remove) -> facts.Removed:
        """Do nothing: its runs unmap what is gone."""
        return facts.Removed(command.connection, tuple(file.key for file in command.files))

    def prepare(self, command: commands.Prepare) -> facts.Prepared:
        """Find or create the connection; leave out files that the object store lost."""
        prepared = super().prepare(command)
        there = {path.storage_id for path in self._place.held()} if command.files else set()
        lost = {each.key for each in command.files if each.storage_id not in there}
        if not lost:
            return prepared
        again = "the object store does not hold the file any more; it is uploaded again soon"
        return replace(
            prepared,
            in_connection=tuple(key for key in prepared.in_connection if key not in lost),
            refused=(*prepared.refused, *((key, again) for key in sorted(lost))),
            storage_as_expected=False,
        )

    def compare(self, command: commands.Compare) -> facts.Compared:
        """Compare what is remembered with the object store, the source files and the newest run."""
        contents = HeldContents(self._place)
        return CloudComparison(self._platform, contents, self._settings).compare(command)

    def start_run(
        self, command: commands.StartRun
    ) -> facts.RunStarted | facts.RunRefused | facts.StartClashed:
        """Request a run over the files of the command, once.

        Raises CloudError REFUSED when the object store lost a content that the run is for.
        """
        held = _by_content(self._place.held())
        named = [each for each in command.files if self._is_there(each, held)]
        chosen = files_of_run(named, self._manifest_settings.is_reference)
        files = self._with_urls(chosen, held)
        answer = self._manifests.start_manifest_run(
            command.remote_id, files, self._manifest_settings.schema_url
        )
        started = self._started(command, answer)
        if isinstance(started, facts.RunStarted):
            self._newer.clear()
            self._given[started.run] = tuple(each for each in command.files if each.covered)
        return started

    def look_at_run(self, command: commands.LookAtRun) -> facts.RunSeen:
        """Look at one run; after one of ours, delete what it made superfluous."""
        seen = super().look_at_run(command)
        if seen.outcome is not Outcome.ACTIVE and (given := self._given.pop(command.run, None)):
            try:
                self._tidy(given)
            except CloudError as exc:
                log.warning("objects.not_deleted", reason=exc.failure.message)
        return seen

    # ---- inside -------------------------------------------------------------------------

    def _new_id(self, command: commands.Store) -> StorageId:
        """Return the same id whenever the answer to an earlier store was lost.

        The path alone is not enough: a file that was renamed takes the id of its first path along.
        """
        settings, key = self._manifest_settings, command.key
        look = astuple(command.fingerprint)
        name = (settings.imodel_id, settings.connection, *key, command.digest, *look)
        return StorageId(str(uuid.uuid5(_IDS, "/".join(map(str, name)))))

    def _is_there(self, file: NamedFile, held: _Objects) -> bool:
        if file.unmap or _content(file) in held:
            return True
        if file.covered:
            lost = f"the object store no longer holds {file.key.path}; save the file again"
            raise refused("start a run", lost)
        log.warning("object.missing", source=file.key.source, path=file.key.path)
        return False

    def _with_urls(self, chosen: Sequence[RunFile], held: _Objects) -> list[ManifestFile]:
        needed = {_content(each): "" for run_file in chosen for each in _bridged(run_file)}
        addresses = self._place.urls([held[content] for content in needed])
        urls = dict(zip(needed, addresses, strict=True))
        return [self._manifest_file(each, urls) for each in chosen]

    def _manifest_file(self, chosen: RunFile, urls: dict[_Content, str]) -> ManifestFile:
        file = chosen.file
        connector = self._settings.connector_of(file.key)
        if file.unmap:
            return ManifestFile(file.storage_id, name_of(file.key), connector, unmap=True)
        document = self._manifest_settings.document_of(file.key)
        return ManifestFile(
            file.storage_id,
            name_of(file.key),
            connector,
            urls[_content(file)],
            children=tuple(
                ChildFile(
                    each.storage_id,
                    name_of(each.key),
                    urls[_content(each)],
                    self._manifest_settings.reference_connector_of(each.key),
                )
                for each in chosen.references
            ),
            document_class=document.class_name if document else "",
            document=document.properties if document else {},
        )

    def _tidy(self, given: Sequence[NamedFile]) -> None:
        """Delete what the contents of a run replaced; newer ones wait for the next run."""
        held = self._place.held()
        kept = {each.storage_id: each for each in given}
        paths = _by_content(held)
        current = {each.storage_id: paths.get(_content(each)) for each in given}
        since_s = {id_: held[path].stored_s if path else 0.0 for id_, path in current.items()}

        def is_old(path: ObjectPath, stored_s: float) -> bool:
            id_ = path.storage_id
            if id_ not in kept or path in self._newer:  # stores' times may be as coarse as seconds
                return False
            return kept[id_].unmap or (path != current[id_] and stored_s <= since_s[id_])

        old = [path for path, found in held.items() if is_old(path, found.stored_s)]
        self._place.delete(old)
        if old:
            log.info("objects.deleted", objects=len(old))


def _content(file: NamedFile) -> _Content:
    return file.storage_id, file.digest


def _by_content(held: Iterable[ObjectPath]) -> _Objects:
    """Return the objects by what they hold; a file that was renamed has its earlier name there."""
    return {(path.storage_id, path.digest): path for path in held}


def _bridged(chosen: RunFile) -> list[NamedFile]:
    return [] if chosen.file.unmap else [chosen.file, *chosen.references]
