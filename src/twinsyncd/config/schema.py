"""Every key of the configuration file: type, default, and the message for a bad value."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import (
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from ..connectors import connectors_for
from ..core.match import Matcher
from ..core.model import ConnectionKey, LaneKey, SourceKey
from .bandwidth import Bandwidth, Limits
from .bulk import Bulk, Rows, check_one_sender, check_snapshot, with_auth, without_imodel
from .daemon import DaemonSection
from .default_globs import AUTO, endings_for, globs_for, unreadable
from .journal import MachineName
from .notify import Notify
from .page import Page
from .patterns import BadPatternError, excluding, matcher, wanting
from .sections import Auth, Objects, Platform, Section
from .smb import Smb
from .timetable import TimeOfWeek, always
from .units import Duration, ScanInterval, Share, mistake
from .values import (
    ConnectionId,
    Connector,
    Folder,
    Guid,
    Name,
    RunSettings,
    StorageFolder,
    Url,
    choice,
)

SETTLE_BY_FORMAT: Final = {
    "dgn": timedelta(seconds=30),  # MicroStation writes in place every few seconds of work
    "rvt": timedelta(seconds=20),  # a central model is saved to by several people in turn
    "ifc": timedelta(seconds=10),  # exporters write for minutes, with pauses
}
"""Quiet times that differ from `settle`, by the end of the name."""

Globs = tuple[str, ...]
TABLES: Final[Globs] = ("**/*.{csv,json,ndjson,jsonl,xlsx,xls,ods,parquet}",)
"""The files of a bulk source without `include`."""


class Source(Section):
    """One folder of a connection."""

    folder: Folder
    machine: MachineName = ""
    connector: Connector = AUTO
    rows: Rows = Rows()
    smb: Smb = Smb()
    include: Globs = Field(default=(), min_length=1)
    references: Globs = ()
    exclude: Globs = ()
    storage_folder: StorageFolder = ""
    spatial_root: bool | str = False
    only_complete: bool = True
    only_closed: bool = False
    document_class: str = ""
    document_properties: dict[str, str] = Field(default={})

    @field_validator("include", "references", "exclude")
    @classmethod
    def _are_globs(cls, globs: Globs, info: ValidationInfo) -> Globs:
        for text in globs:
            try:
                excluding(text) if info.field_name == "exclude" else wanting(text)
            except BadPatternError as exc:
                raise mistake(f'"{text}" matches nothing', str(exc)) from exc
            of_models = info.data.get("connector") == AUTO and not _has_rows(info)
            if info.field_name == "include" and of_models:
                _check_readable(text)
        return globs

    @model_validator(mode="after")
    def _takes_something(self) -> Source:
        if not self.wanted():
            message = f"nothing is known about the names of files for {self.connector}"
            raise mistake(message, 'name its files, like include = ["**/*.xyz"]')
        return self

    def wanted(self) -> Globs:
        """Return the globs of its source files: as written, or those that its connector reads."""
        return self.include or (TABLES if self.rows.entity else globs_for(self.connector))

    @field_validator("spatial_root")
    @classmethod
    def _is_glob(cls, given: bool | str) -> bool | str:
        if isinstance(given, str):
            try:
                wanting(given)
            except BadPatternError as exc:
                raise mistake(f'"{given}" matches nothing', str(exc)) from exc
        return given

    def is_spatial_root(self) -> Callable[[str], bool]:
        """Return what decides whether a file, by its path, is the iModel's spatial root."""
        if isinstance(self.spatial_root, bool):
            decided = self.spatial_root
            return lambda _path: decided
        chosen = matcher((self.spatial_root,))
        return lambda path: chosen.kind(path) == "source"

    def matcher(self) -> Matcher:
        """Return what decides about the files of the folder."""
        if self.connector != AUTO or not self.include or self.rows.entity:
            return matcher(self.wanted(), self.references, self.exclude)
        endings = endings_for(self.include)
        return matcher(
            self.wanted(),
            self.references,
            self.exclude,
            readable=lambda name: name.lower().endswith(endings),
        )

    def connector_of(self, name: str) -> str:
        """Return the connector for a source file, by the configuration or by its name."""
        if self.rows.entity:
            return ""
        return self.connector if self.connector != AUTO else connectors_for(name)[0]


class Connection(Section):
    """One connection of an iModel, with the folders that feed it."""

    name: Name
    itwin_id: Guid
    imodel_id: Guid
    connection_id: ConnectionId | None = None
    target: Annotated[
        Literal["storage", "manifest", "bulk"],
        choice("storage", "manifest", "bulk"),
    ] = "storage"
    bulk: Bulk = Bulk()
    objects: Objects = Objects()
    document_schema_url: Url | None = None
    run_settings: RunSettings = Field(default={})
    settle: Duration = timedelta(seconds=5)
    settle_by_format: dict[str, Duration] = Field(default={}, validate_default=True)
    batch_quiet: Duration = timedelta(seconds=30)
    longest_wait: Duration = timedelta(minutes=15)
    poll: Duration = timedelta(seconds=10)
    window: TimeOfWeek = Field(default_factory=always)
    bandwidth: Limits = Bandwidth()
    on_delete: Annotated[Literal["keep", "unmap", "delete"], choice("keep", "unmap", "delete")] = (
        "keep"
    )
    scan_every: ScanInterval = None
    mass_deletion_share: Share = 0.2
    mass_deletion_least: int = Field(default=5, ge=1)
    source: tuple[Source, ...] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _bulk_has_no_imodel(cls, data: Any) -> Any:
        is_bulk = isinstance(data, dict) and data.get("target") == "bulk"
        return without_imodel(data) if is_bulk else data

    @field_validator("settle_by_format")
    @classmethod
    def _add_known_formats(
        cls, quiet: dict[str, timedelta], info: ValidationInfo
    ) -> dict[str, timedelta]:
        least = info.data.get("settle", timedelta())
        known = {suffix: max(time, least) for suffix, time in SETTLE_BY_FORMAT.items()}
        return known | {suffix.lstrip("*.").lower(): time for suffix, time in quiet.items()}

    @field_validator("source")
    @classmethod
    def _place_in_storage(
        cls, sources: tuple[Source, ...], info: ValidationInfo
    ) -> tuple[Source, ...]:
        name = info.data.get("name", "")
        return tuple(_placed(source, name) for source in sources)

    @model_validator(mode="after")
    def _waits_make_sense(self) -> Connection:
        if self.longest_wait < self.batch_quiet:
            raise mistake(
                "longest_wait is shorter than batch_quiet, so no change would ever be quiet",
                "make longest_wait longer, or batch_quiet shorter",
            )
        if self.target == "manifest" and not self.objects.url:
            message = "a manifest connection needs a place that the platform fetches files from"
            fix = 'add url below [connection.objects], like url = "s3://bucket/bridge12"'
            raise mistake(message, fix)
        return self

    @model_validator(mode="after")
    def _bulk_is_whole(self) -> Connection:
        is_bulk = self.target == "bulk"
        if is_bulk:
            self.bulk.check()
        if any((source.rows.entity is not None) != is_bulk for source in self.source):
            message = "rows belong to sources of a bulk connection, and each of those needs them"
            raise mistake(message, "add [connection.source.rows] with entity, keys and columns")
        if is_bulk and self.on_delete != "keep":
            message = "a bulk connection removes no records of a file that is gone"
            raise mistake(message, 'delete on_delete, or see mode = "snapshot" below bulk')
        if is_bulk and self.bulk.mode == "snapshot":
            check_snapshot(self.source)
        return self

    @property
    def key(self) -> ConnectionKey:
        """Its key for core and journal: the name."""
        return ConnectionKey(self.name)

    @property
    def lane(self) -> LaneKey:
        """The key of its iModel's lane."""
        return LaneKey(self.imodel_id)

    def key_of(self, source: Source) -> SourceKey:
        """Return the key of one of its sources: stable whatever else changes in the file."""
        folder, own = source.storage_folder, f"{self.name}/"
        return SourceKey(folder if folder.startswith(own) else f"{own}../{folder}")


class Config(Section):
    """The whole file, checked."""

    platform: Platform = Platform()
    auth: Auth
    daemon: DaemonSection = DaemonSection()
    page: Page | None = None
    notify: Notify | None = None
    connection: tuple[Connection, ...] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _bulk_needs_no_sign_in(cls, data: Any) -> Any:
        return with_auth(data)

    @model_validator(mode="after")
    def _one_sender(self) -> Config:
        check_one_sender(self.connection)
        return self


SECTIONS: Final[dict[tuple[str, ...], type[Section]]] = {
    (): Config,
    ("platform",): Platform,
    ("auth",): Auth,
    ("daemon",): DaemonSection,
    ("page",): Page,
    ("notify",): Notify,
    ("connection",): Connection,
    ("connection", "objects"): Objects,
    ("connection", "bulk"): Bulk,
    ("connection", "source"): Source,
    ("connection", "source", "rows"): Rows,
    ("connection", "source", "smb"): Smb,
}
"""Every table of the file by its name."""


def _check_readable(glob: str) -> None:
    if suffix := unreadable(glob):
        fix = "name the connector that reads it, or move the pattern to references"
        raise mistake(f'no connector is known for "{suffix}"', fix)


def _has_rows(info: ValidationInfo) -> bool:
    rows = info.data.get("rows")
    return isinstance(rows, Rows) and rows.entity is not None


def _placed(source: Source, connection: str) -> Source:
    if source.storage_folder:
        return source
    parts = [part for part in re.split(r"[\\/:]", str(source.folder)) if part]
    label = parts[-1] if parts else "files"
    place: dict[str, Any] = {"storage_folder": f"{connection}/{label}"}
    return source.model_copy(update=place)
