"""Reports what the examination of each source found, and what all sources come to together."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath
from typing import Final

from ...cloud.access_check import NEAR, CheckResult
from ...cloud.connection_list import SOURCE_FILES_MAX
from ...config import Config, Connection, Source, sources_of
from ...config.folders import within
from ...config.setup import SCAN_LOCAL, SCAN_REMOTE
from ...config.units import written
from ...connectors import READS, connectors_for
from ...core.model import BlindSpot
from ...disk import smb_address
from ...disk.folder_count import WatchLimits, read_watch_limits
from ...disk.reference_scan import DRAWING_ENDINGS, is_readable
from ...errors import how_to_install
from ..bulk_check import examine_exports
from ..formatting import count
from .account import account_name
from .source_folder import ExaminedSource, examine

SPOTS_MAX: Final = 10  # unreadable paths named per source; more scroll the others away
AT_ONCE: Final = 8  # sources examined at the same time; a share that hangs delays no other
EXPORTS_S: Final = 60.0  # patience with the rows of a source's export files
WATCHES_ADVISED: Final = 524_288
QUEUES_ADVISED: Final = 1024

REASONS_MAX: Final = 3  # patterns whose trouble is named in one line

EMPTY: Final = "the folder holds no file yet"
_EXCLUDED: Final = "excluded by"
_NARROWER: Final = "make exclude narrower: it takes these files out"
_OWN_INCLUDE: Final = "name the files that are meant in an include"
DEFAULT: Final = "the include that comes with the connector"
_LETTER: Final = re.compile(r"[A-Za-z]:")


def drive_results(config: Config) -> Iterator[CheckResult]:
    """Yield the results of every source in the order of the file, then of all together."""
    source_files: Counter[str] = Counter()
    local: list[ExaminedSource] = []
    sources = list(sources_of(config))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        examined = pool.map(lambda each: examine(config, *each), sources)
        for (connection, source), found in zip(sources, examined, strict=True):
            if connection.target != "bulk":
                source_files[connection.imodel_id] += found.kinds["source"]
            if not found.remote and not found.failed and found.reports is None:
                local.append(found)
            yield from source_results(connection, source, found)
            if connection.target == "bulk" and not found.failed:
                yield from _exports(connection, source, found)
    yield from watch_results(local, read_watch_limits())
    for imodel_id, files in source_files.items():
        if files >= SOURCE_FILES_MAX * NEAR:
            number = f"{files} source files; the portal's stated limit is {SOURCE_FILES_MAX}"
            fix = "narrow include, or divide the files over several iModels"
            yield CheckResult(f"fill the iModel {imodel_id}", True, number, fix)


def source_results(
    connection: Connection, source: Source, found: ExaminedSource
) -> Iterator[CheckResult]:
    """Yield the results of one source."""
    step = f"read {source.folder}"
    if found.failed:
        fix = "mount it, check its server, or correct folder"
        yield CheckResult(step, False, found.failed, fix)
        return
    references = count(found.kinds["reference"], "reference")
    files = f"{count(found.kinds['source'], 'source file')}, {references}"
    if found.kinds["source"] or found.blind:
        noticed = f"changes are noticed {_how(connection, found)}"
        yield CheckResult(step, True, f"{files}; {noticed}")
    else:
        yield _nothing_matches(step, source, found, files)
    if found.remote and _LETTER.match(str(source.folder)):
        letter = "a drive letter exists only for the person who connected it, not for a service"
        fix = 'write the name of the share: folder = "//server/share/..."'
        yield CheckResult(step, True, letter, fix)
    if found.reports:
        fix = "correct [connection.source.smb]; nothing is lost, scans find what changes meanwhile"
        yield CheckResult(f"ask the file server of {source.folder}", True, found.reports, fix)
    if found.paths:
        for pattern, reason in found.idle.items():
            matches_none = f"{_named(source, pattern)} takes no file: {reason}"
            yield CheckResult(step, True, matches_none, _correction(source, pattern, reason))
    yield from _spatial_root(source, found)
    yield from _choices(step, found)
    yield from _misread(step, source, found)
    yield from _references(step, found)
    yield from _unreadable(step, source, found)


def _nothing_matches(step: str, source: Source, found: ExaminedSource, files: str) -> CheckResult:
    """Return that the source has no source file, with the reason that its patterns give."""
    if found.kinds["reference"]:
        fix = "make references narrower: a file that it takes is never a source file"
        return CheckResult(step, False, f"{files}: no file matches", fix)
    if set(found.idle.values()) == {EMPTY}:
        return CheckResult(step, False, f"{files}: {EMPTY}", "save one there, or correct folder")
    reasons = [f"{_named(source, each)}: {reason}" for each, reason in found.idle.items()]
    shown = "; ".join(reasons[:REASONS_MAX])
    fix = "check include, exclude, references and connector; **/ means in any folder below"
    if any(_EXCLUDED in each for each in reasons):
        fix = _NARROWER
    return CheckResult(step, False, f"{files}: no file matches; {shown}".rstrip("; "), fix)


def _is_written(source: Source, pattern: str) -> bool:
    return pattern in (*source.include, *source.references)


def _named(source: Source, pattern: str) -> str:
    """Return what a person calls the pattern; the one that nobody wrote is a long list."""
    return f'"{pattern}"' if _is_written(source, pattern) else DEFAULT


def _correction(source: Source, pattern: str, reason: str) -> str:
    if _EXCLUDED in reason:
        return _NARROWER
    return "correct the pattern, or delete it" if _is_written(source, pattern) else _OWN_INCLUDE


def _references(step: str, found: ExaminedSource) -> Iterator[CheckResult]:
    """Yield whether it is read which other files the drawings need."""
    endings = Counter(PurePosixPath(path).suffix.lower() for path in found.paths)
    unread = sum(endings[each] for each in DRAWING_ENDINGS if not is_readable(each))
    if unread:
        text = f"what {count(unread, 'drawing')} refer to is not read: nobody knows what is missing"
        yield CheckResult(step, True, text, how_to_install("references"))


def _spatial_root(source: Source, found: ExaminedSource) -> Iterator[CheckResult]:
    """Yield which file decides where the iModel is, if the configuration names one."""
    if not source.spatial_root:
        return
    step, decides = f"find the spatial root in {source.folder}", source.is_spatial_root()
    chosen = [path for path in sorted(found.paths) if decides(path)]
    if not chosen:
        fix = "correct spatial_root: a pattern from this folder, like survey/site.dgn"
        yield CheckResult(step, True, "no file matches it, so no file goes in first", fix)
    elif len(chosen) == 1:
        yield CheckResult(step, True, f"{chosen[0]} goes in first")
    else:
        fix = "name one file; of several, the service takes the first with coordinates"
        yield CheckResult(step, True, f"{len(chosen)} files go in first, {chosen[0]} and more", fix)


def _exports(
    connection: Connection, source: Source, found: ExaminedSource
) -> Iterator[CheckResult]:
    """Yield whether the rows can be read; a share that stops answering is not waited for."""
    step, fix = f"read the rows in {source.folder}", "check its server, then try again"
    late = [CheckResult(step, True, f"not finished within {EXPORTS_S:.0f} s", fix)]
    paths = sorted(found.paths)
    yield from within(lambda: list(examine_exports(connection, source, paths)), EXPORTS_S, late)


def watch_results(local: list[ExaminedSource], limits: WatchLimits) -> Iterator[CheckResult]:
    """Yield whether the system lets one account watch that many folders."""
    folders, queues = sum(each.folders for each in local), len(local)
    if not limits.watches or not local:
        return
    step = "watch the folders on local disks"
    if folders > limits.watches or queues > limits.queues:
        asked = f"{folders} folders in {queues} sources"
        may = f"an account may watch {limits.watches} with {limits.queues} queues"
        found = f"{asked}, and {may}; changes in the others wait for the next scan"
        watches = max(WATCHES_ADVISED, 2 * folders)
        yield CheckResult(
            step,
            True,
            found,
            f"run: sudo sysctl -w fs.inotify.max_user_watches={watches} "
            f"fs.inotify.max_user_instances={max(QUEUES_ADVISED, 2 * queues)}   "
            "(and keep both lines in /etc/sysctl.d/twinsyncd.conf)",
        )
    else:
        yield CheckResult(step, True, f"{folders}, of {limits.watches} that an account may watch")


def _how(connection: Connection, found: ExaminedSource) -> str:
    scan = written(connection.scan_every or (SCAN_REMOTE if found.remote else SCAN_LOCAL))
    kind = found.filesystem or "share"
    if found.reports == "":
        return f"at once, as its file server reports them, and by scans every {scan} ({kind})"
    if found.remote and kind in smb_address.KINDS and found.reports is None:
        quicker = "to notice saves at once, see [connection.source.smb]"
        return f"by scans every {scan} (a network drive: {kind}; {quicker})"
    if found.reports:
        return f"by scans alone, every {scan} ({kind})"
    if found.remote:
        return f"by scans every {scan} (a network drive: {kind})"
    return f"at once, and by scans every {scan} (a local disk: {found.filesystem or 'disk'})"


def _choices(step: str, found: ExaminedSource) -> Iterator[CheckResult]:
    """Yield the kinds of files that several connectors read, where none is configured."""
    for ending, number in found.ambiguous.items():
        first, *others = connectors_for(f"x{ending}")
        named = ", ".join(f'"{each}" ({READS[each]})' for each in (first, *others))
        fix = f"write for this source connector = {named}"
        if found.endings > 1:
            fix += "; its files of other kinds then need a source of their own"
        several = f"{count(number, f'{ending} file')} can be of several programs"
        yield CheckResult(step, True, f"{several}, and {first} reads them", fix)


def _misread(step: str, source: Source, found: ExaminedSource) -> Iterator[CheckResult]:
    """Yield the kinds of files that the configured connector is not known to read."""
    for ending, number in found.misread.items():
        readers = " or ".join(f'"{each}"' for each in connectors_for(f"x{ending}"))
        fix = f"write connector = {readers} for a source of these files, or exclude them"
        text = f'connector = "{source.connector}" is not known to read {ending}'
        yield CheckResult(step, True, f"{count(number, 'file')}: {text}", fix)


def _unreadable(step: str, source: Source, found: ExaminedSource) -> Iterator[CheckResult]:
    blind = [*found.blind, *(BlindSpot(path, reason) for path, reason in found.unreadable)]
    for spot in blind[:SPOTS_MAX]:
        reason = spot.reason.removesuffix(f"; {spot.advice}")
        fix = spot.advice or f"let the account {account_name()} read it, or exclude it"
        yield CheckResult(f"read {source.folder / spot.path}", False, reason, fix)
    if len(blind) > SPOTS_MAX:
        more = f"{len(blind) - SPOTS_MAX} more paths cannot be read"
        yield CheckResult(step, False, more, "correct those listed above, then check again")
