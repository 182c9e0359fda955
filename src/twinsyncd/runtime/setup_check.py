"""Examines, without changing anything, whether the daemon can work as configured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from ..cloud.access_check import CheckResult, examine_authorization, examine_place, examine_sign_in
from ..cloud.session import open_cloud
from ..config import Config, Connection, Source, sources_of
from ..core.commands import Scan
from ..core.facts import FilesFound, ScanFailed, Scanned
from ..core.model import BlindSpot, SourceKey
from ..core.pattern_advice import idle_patterns, likely_mistake
from ..errors import AppError, CloudError, DiskError
from .bulk_check import examine_exports, examine_service
from .share_folder import ShareFolder
from .wiring import cloud_settings, open_folder, place_of

SPOTS_MAX: Final = 10  # unreadable paths named per source; more scroll the others away
SURVEY_MAX: Final = 20_000  # names read to explain a pattern
SOURCE_FILES_MAX: Final = 250  # per iModel, over all its connections; the portal's stated limit


class NothingKnown:
    """An empty journal: a scan that compares with it finds every file."""

    def folders(self, _source: str) -> tuple[str, ...]:
        """Return no folder."""
        return ()

    def files(self, _source: str, _folder: str) -> dict[str, None]:
        """Return no file."""
        return {}


def findings(config: Config, *, offline: bool) -> Iterator[CheckResult]:
    """Yield a finding per step: drives first, then, unless `offline`, the platform."""
    yield from _drive_findings(config)
    if offline:
        return
    for connection in config.connection:
        if connection.target == "bulk":
            yield from examine_service(connection)
    if all(connection.target == "bulk" for connection in config.connection):
        return
    with open_cloud(cloud_settings(config)) as cloud:
        signed_in = examine_sign_in(cloud)
        yield signed_in
        if signed_in.good:
            if config.auth.kind == "user":
                yield examine_authorization(cloud)
            for (itwin_id, imodel_id), storage in _places(config).items():
                yield from examine_place(
                    cloud, itwin_id=itwin_id, imodel_id=imodel_id, storage=storage
                )
    for connection in config.connection:
        if connection.target == "manifest":
            yield _examine_objects(connection)


def _places(config: Config) -> dict[tuple[str, str], bool]:
    """Return each iModel with its iTwin, and whether its files go to the iTwin's Storage."""
    places: dict[tuple[str, str], bool] = {}
    for each in (each for each in config.connection if each.target != "bulk"):
        place = (each.itwin_id, each.imodel_id)
        places[place] = places.get(place, False) or each.target == "storage"
    return places


def _examine_objects(connection: Connection) -> CheckResult:
    """List the object store of a manifest connection; whether it can be written shows later."""
    step = f"open {connection.objects.url}"
    try:
        held = place_of(connection).held()
    except AppError as exc:
        fix = exc.hint or "correct url and the credentials below [connection.objects]"
        reason = exc.failure.message if isinstance(exc, CloudError) else str(exc)
        return CheckResult(step, False, reason, fix)
    return CheckResult(step, True, f"it holds {len(held)} objects of this connection")


def _drive_findings(config: Config) -> Iterator[CheckResult]:
    source_files: Counter[str] = Counter()
    for connection, source in sources_of(config):
        found = _examine(config, connection.key_of(source), source)
        source_files[connection.imodel_id] += found.kinds["source"]
        yield from _source_findings(source, found)
        if connection.target == "bulk" and not found.failed:
            yield from examine_exports(connection, source, sorted(found.paths))
    for imodel_id, files in source_files.items():
        if files > SOURCE_FILES_MAX:
            number = f"{files} source files; the portal's stated limit is {SOURCE_FILES_MAX}"
            yield CheckResult(f"fill the iModel {imodel_id}", True, number)


@dataclass(slots=True)
class _Examined:
    """What one source folder holds; `failed` says why it cannot be read at all."""

    kinds: Counter[str | None] = field(default_factory=Counter)
    blind: tuple[BlindSpot, ...] = ()
    remote: bool = False  # other hosts change it without this one noticing
    failed: str = ""
    paths: list[str] = field(default_factory=list)
    idle: dict[str, str] = field(default_factory=dict)  # patterns that take no file, and why


def _source_findings(source: Source, found: _Examined) -> Iterator[CheckResult]:
    step = f"read {source.folder}"
    if found.failed:
        yield CheckResult(step, False, found.failed, "mount it, or correct folder")
        return
    how = "by scans (a network drive)" if found.remote else "at once"
    files = f"{found.kinds['source']} source files, {found.kinds['reference']} references"
    if found.kinds["source"] or found.blind:
        yield CheckResult(step, True, f"{files}; changes are noticed {how}")
    else:
        fix = "check include, exclude, references and connector; **/ means in any folder below"
        yield CheckResult(step, False, f"{files}: no file matches", fix)
    for pattern, reason in found.idle.items():
        matches_none = f'"{pattern}" takes no file: {reason}'
        yield CheckResult(step, True, matches_none, "correct the pattern, or delete it")
    for spot in found.blind[:SPOTS_MAX]:
        fix = "give this account the right to read it, rename it, or exclude it"
        yield CheckResult(f"read {source.folder / spot.path}", False, spot.reason, fix)
    if len(found.blind) > SPOTS_MAX:
        more = f"{len(found.blind) - SPOTS_MAX} more paths cannot be read"
        yield CheckResult(step, False, more, "correct those listed above, then check again")


def _examine(config: Config, key: SourceKey, source: Source) -> _Examined:
    """Count what the source matches, by kind, and list what cannot be read."""
    matcher, folder = source.matcher(), open_folder(config, key, source, NothingKnown())
    found = _Examined()
    for fact in folder.scan(Scan(key, "")):
        match fact:
            case FilesFound(_, files):
                found.kinds.update(matcher.kind(path) for path, _ in files)
                found.paths += [path for path, _ in files]
            case ScanFailed(reason=reason):
                found.failed = reason
            case Scanned(blind=blind, remote=remote):
                found.blind, found.remote = blind, remote
    idle = idle_patterns(matcher, found.paths)
    if idle and not found.failed:
        there = _surveyed(folder)
        found.idle = {text: likely_mistake(matcher, text, there) for text in idle}
    return found


def _surveyed(folder: ShareFolder) -> list[str]:
    try:
        return folder.survey(SURVEY_MAX)
    except DiskError:
        return []  # it stopped answering since the scan
