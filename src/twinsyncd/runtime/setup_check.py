"""Examines, without changing anything, whether the daemon can work as configured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from ..cloud.access_check import CheckResult, examine_place, examine_sign_in
from ..cloud.session import open_cloud
from ..config import Config, Source, sources_of
from ..core.commands import Scan
from ..core.facts import FilesFound, ScanFailed
from ..core.model import SourceKey
from ..disk.folder import Folder
from ..disk.root import is_network
from ..disk.tree import Tree
from .wiring import cloud_settings

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
    with open_cloud(cloud_settings(config)) as cloud:
        signed_in = examine_sign_in(cloud)
        yield signed_in
        if signed_in.good:
            for itwin_id, imodel_id in dict.fromkeys(
                (each.itwin_id, each.imodel_id) for each in config.connection
            ):
                yield from examine_place(cloud, itwin_id=itwin_id, imodel_id=imodel_id)


def _drive_findings(config: Config) -> Iterator[CheckResult]:
    source_files: Counter[str] = Counter()
    for connection, source in sources_of(config):
        kinds, reason = _kinds(connection.key_of(source), source)
        step = f"read {source.folder}"
        if reason:
            yield CheckResult(step, False, reason, "mount it, or correct folder")
            continue
        source_files[connection.imodel_id] += kinds["source"]
        how = "by scans (a network drive)" if is_network(source.folder) else "at once"
        found = f"{kinds['source']} source files, {kinds['reference']} references"
        yield CheckResult(step, True, f"{found}; changes are noticed {how}")
    for imodel_id, files in source_files.items():
        if files > SOURCE_FILES_MAX:
            found = f"{files} source files; the portal's stated limit is {SOURCE_FILES_MAX}"
            yield CheckResult(f"fill the iModel {imodel_id}", True, found)


def _kinds(key: SourceKey, source: Source) -> tuple[Counter[str | None], str]:
    """Count what the source matches, by kind; or say why it cannot be read."""
    matcher = source.matcher()
    kinds: Counter[str | None] = Counter()
    for fact in Folder(key, Tree(source.folder), matcher, NothingKnown()).scan(Scan(key, "")):
        if isinstance(fact, FilesFound):
            kinds.update(matcher.kind(path) for path, _ in fact.files)
        elif isinstance(fact, ScanFailed):
            return kinds, fact.reason
    return kinds, ""
