"""Lists the connections of an iModel with what they hold, and warns near the service's limits.

Sources: Synchronization API, "Get storage connections", "Get manifest connections" and their source
files; Bentley's help on the Synchronizer portal (100 connections, 250 source files), read 2026-11.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from ..core.model import StorageId
from ..errors import CloudError
from .access_check import CONNECTIONS_MAX, NEAR
from .client import Platform
from .manifest_api import ManifestPlatform
from .values import StorageConnectionInfo

SOURCE_FILES_MAX: Final = 250  # of an iModel, over all its connections; the portal's stated limit
OursOf = Callable[[Sequence[StorageId]], Collection[StorageId]]


@dataclass(frozen=True, slots=True)
class ListedConnection:
    """One connection of an iModel.

    `extra`: source files that were not uploaded for it from here, by name or id; None where that
    is not known. `problem`: what the service says about the connection, or why it cannot be read.
    """

    id: str
    name: str
    kind: Literal["storage", "manifest"]
    source_files: int
    extra: tuple[str, ...] | None = None
    problem: str = ""


def list_connections(
    platform: Platform,
    manifests: ManifestPlatform,
    imodel_id: str,
    ours_of: OursOf | None = None,
) -> Iterator[ListedConnection]:
    """Yield the iModel's connections of both kinds. Raises CloudError if there is no list.

    `ours_of`: returns which of these files were uploaded from here; None: that is not known.
    """
    for info in platform.connections(imodel_id):
        yield _listed(platform, info, "storage", ours_of)
    for info in manifests.connections(imodel_id):
        yield _listed(manifests, info, "manifest", ours_of)


def warnings(listed: Collection[ListedConnection]) -> Iterator[str]:
    """Yield which limits of the service are near for an iModel with these connections."""
    files = sum(each.source_files for each in listed)
    counts = (
        (len(listed), CONNECTIONS_MAX, "connections"),
        (files, SOURCE_FILES_MAX, "source files in all its connections"),
    )
    for count, limit, what in counts:
        if count >= limit * NEAR:
            yield f"the iModel has {count} {what}; the portal's stated limit is {limit}"


def _listed(
    platform: Platform,
    info: StorageConnectionInfo,
    kind: Literal["storage", "manifest"],
    ours_of: OursOf | None,
) -> ListedConnection:
    try:
        files = list(platform.source_files(info.id))
    except CloudError as exc:
        return ListedConnection(info.id, info.name, kind, 0, None, exc.failure.message)
    extra = None
    if ours_of is not None:
        ours = ours_of([each.storage_id for each in files])
        extra = tuple(each.name or each.storage_id for each in files if each.storage_id not in ours)
    return ListedConnection(info.id, info.name, kind, len(files), extra, info.error)
