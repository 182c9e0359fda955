"""Finds a file's content in Storage before it is uploaded by a journal that knows nothing of it.

After the journal was lost Storage holds nearly everything already. Name, size and time say which
file to look at; its content is read back and must have the digest that settled on the drive.
Sizes and times alone are no evidence: MicroStation writes in place, so each save of a drawing has
the same size. Reading back costs a download, which a line has more room for, and no upload.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ...cloud.blob_reader import BlobReader
from ...cloud.client import Platform
from ...cloud.values import StorageItem
from ...core.commands import Store
from ...core.model import Fault, FileKey, StorageId
from ...errors import CloudError
from .account_faults import nobodys_file
from .tree import StorageTree

CLOCKS_DIFFER_S: Final = 3600.0  # a server and a file server may be apart by so much
HELD: Final = "Storage has this content already; nothing was uploaded"


@dataclass(frozen=True, slots=True)
class HeldContents:
    """Looks in the folders of one connection; `folder_of` gives that of a file."""

    platform: Platform
    reader: BlobReader
    tree: StorageTree
    folder_of: Callable[[FileKey], str]

    def find(self, command: Store) -> StorageItem | None:
        """Return the file in Storage that has exactly the content to be stored.

        None if none has, if the journal knows the file's id, which says what it needs, or if it
        cannot be found out: the content is uploaded then. Raises CloudError.
        """
        if command.storage_id:
            return None
        path = command.key.path
        try:
            folder = self.tree.find(self.folder_of(command.key))
            name = path.rpartition("/")[2]
            there = self.tree.with_content(folder, name) if folder else ()
            same = (each for each in there if _may_be_same(each, command))
            return next((each for each in same if self._digest(each) == command.digest), None)
        except CloudError as exc:
            if exc.failure.fault is not Fault.GONE:
                raise nobodys_file(exc) from exc
            return None  # whoever stores it looks again from the top

    def _digest(self, item: StorageItem) -> str:
        try:
            return self.reader.digest(lambda: self.platform.download_link(StorageId(item.id)))
        except CloudError as exc:
            if exc.failure.fault in _OF_ALL:
                raise
            return ""


def _may_be_same(item: StorageItem, command: Store) -> bool:
    look = command.fingerprint
    is_older = 0.0 < item.modified_s < look.mtime_ns / 1e9 - CLOCKS_DIFFER_S
    return item.size_bytes == look.size_bytes and not is_older


_OF_ALL: Final = frozenset({Fault.UNAUTHORISED, Fault.SIGNED_OUT, Fault.THROTTLED})
"""What is no trouble of one content: the store waits, as it would for its upload."""
