"""Finds source files of our connection that lie where our files lie, but that nobody remembers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final

from ...cloud.client import Platform
from ...cloud.values import SourceFile, StorageItem
from ...core.model import Fault, FileKey, StorageId
from ...errors import CloudError

LOOKED_UP_MAX: Final = 100  # per comparison, two calls each at most; of a lost journal few are left


def find_leftovers(
    platform: Platform,
    others: Iterable[SourceFile],
    path_of: Callable[[str], str],
    key_at: Callable[[str, str], FileKey | None],
) -> Iterator[tuple[FileKey, StorageId]]:
    """Yield which file of ours each of the source files would be, for those that would be one.

    `path_of` returns the path of a folder in Storage by its id. Raises CloudError.
    """
    for each in islice(others, LOOKED_UP_MAX):
        item = _item(platform, each.storage_id)
        key = key_at(path_of(item.parent_id), item.name) if item and item.parent_id else None
        if key is not None:
            yield key, each.storage_id


def _item(platform: Platform, storage_id: StorageId) -> StorageItem | None:
    try:
        return platform.file(storage_id)
    except CloudError as exc:
        if exc.failure.fault is not Fault.GONE:
            raise
        return None
