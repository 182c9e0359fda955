"""Finds, or creates once, the folders and files of one iTwin's Storage by name.

Names are not unique there and no call looks up a path, so every folder is listed once per
process and remembered. Of several entries of one name the oldest counts, of files the oldest that
holds anything: an upload that broke off may have left an empty one.
Source: Storage API, "Folder listing" (not recursive) and "Create folder".
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ...cloud.client import Platform
from ...cloud.values import StorageItem
from ...core.alike_names import comparable
from ...core.model import (
    Failure,
    Fault,
    StorageId,
)
from ...errors import CloudError
from .new_folders import FolderMemory, FoldersJustMade, NoMemory
from .refused_names import with_name_advice


@dataclass(slots=True)
class _Listing:
    """Ids by name, oldest first, of files those that hold nothing last."""

    folders: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, list[StorageId]] = field(default_factory=dict)
    held: dict[StorageId, StorageItem] = field(default_factory=dict)  # files with content
    alike: dict[str, dict[str, None]] = field(default_factory=dict)  # names of both, comparable

    def add_name(self, name: str) -> None:
        """Note a name, so that those like it are found."""
        self.alike.setdefault(comparable(name), {})[name] = None

    def folder(self, name: str) -> str:
        """Return the folder of this name, or else of one that is the same name; "" for none."""
        for each in (name, *self.alike.get(comparable(name), ())):
            if ids := self.folders.get(each):
                return ids[0]
        return ""


class StorageTree:
    """The folders of one iTwin, shared by its connections; one thread looks or creates at a time.

    Raises CloudError GONE when a known folder is gone: `forget`, then try again.
    """

    def __init__(
        self,
        platform: Platform,
        itwin_id: str,
        *,
        lag_s: float = 0.0,
        now: Callable[[], float] = time.time,
        memory: FolderMemory | None = None,
    ) -> None:
        """Send nothing before the first question. `memory` keeps new folders beyond this process.

        `lag_s`: how long a listing may lack what was created [s]. After a lost answer to a create
        no listing is believed before that, else the file would be created twice.
        """
        self._lag_s = lag_s
        self._now = now
        self._doubted_s: dict[str, float] = {}  # folders, since when, wall clock [s]
        self._platform = platform
        self._itwin_id = itwin_id
        self._lock = threading.Lock()
        self._root = ""
        self._ids: dict[str, str] = {}
        self._listings: dict[str, _Listing] = {}
        self._made = FoldersJustMade(memory or NoMemory(), now)

    def folder(self, path: str) -> str:
        """Return the id of the folder at this path below the root; creates it if needed."""
        with self._lock:
            if path not in self._ids:
                self._ids[path] = self._walk([part for part in path.split("/") if part])
            return self._ids[path]

    def find(self, path: str) -> str | None:
        """Return the id of the folder at this path below the root; None if there is none."""
        with self._lock:
            here = self._root = self._root or self._find_root()
            for part in (part for part in path.split("/") if part):
                if not (found := self._listing(here).folder(part)):
                    return None
                here = found
            self._ids[path] = here
            return here

    def files(self, folder_id: str, name: str) -> tuple[StorageId, ...]:
        """Return the ids of the files of this name in the folder, the one to be used first."""
        with self._lock:
            return tuple(self._listing(folder_id).files.get(name, ()))

    def twins(self, folder_id: str, name: str) -> tuple[tuple[str, StorageId], ...]:
        """Return name and id of files there whose name is the same, written in another way."""
        with self._lock:
            listing = self._listing(folder_id)
            others = (e for e in listing.alike.get(comparable(name), ()) if e != name)
            return tuple((each, id_) for each in others for id_ in listing.files.get(each, ()))

    def with_content(self, folder_id: str, name: str) -> tuple[StorageItem, ...]:
        """Return the files of this name that held something when the folder was listed."""
        with self._lock:
            listing = self._listing(folder_id)
            ids = listing.files.get(name, ())
            return tuple(listing.held[each] for each in ids if each in listing.held)

    def created(self, folder_id: str, name: str, storage_id: StorageId) -> None:
        """Remember a file that was just created."""
        with self._lock:
            if listing := self._listings.get(folder_id):
                listing.files.setdefault(name, []).append(storage_id)
                listing.add_name(name)

    def placed(self, folder_id: str, name: str, storage_id: StorageId) -> None:
        """Remember that a file has this name in this folder now, and no other."""
        with self._lock:
            for listing in self._listings.values():
                for ids in listing.files.values():
                    if storage_id in ids:
                        ids.remove(storage_id)
            if folder_id in self._listings:
                self._listings[folder_id].files.setdefault(name, []).append(storage_id)
                self._listings[folder_id].add_name(name)

    def vanished(self, folder_id: str, name: str, storage_id: StorageId) -> None:
        """Forget a file that turned out to be unusable."""
        with self._lock:
            if listing := self._listings.get(folder_id):
                rest = [each for each in listing.files.get(name, []) if each != storage_id]
                listing.files[name] = rest

    def doubt(self, folder_id: str) -> None:
        """List this folder again before its next use: something may have been created in it."""
        with self._lock:
            self._doubt(folder_id)

    def forget(self) -> None:
        """Forget all folders: somebody removed or moved one, or took away our role.

        The top is asked for again, too: it alone shows whether a role or a folder is missing.
        """
        with self._lock:
            self._root = ""
            self._ids.clear()
            self._listings.clear()

    def _walk(self, parts: list[str]) -> str:
        here = self._root = self._root or self._find_root()
        for part in parts:
            here = self._listing(here).folder(part) or self._unlisted(here, part)
        return here

    def _unlisted(self, parent_id: str, name: str) -> str:
        """Return the id of a folder that is not listed: one that was just made, or a new one."""
        try:
            made_id = self._made.id_of(parent_id, name)
        except CloudError:
            self._listings.pop(parent_id, None)  # it may be listed by the next try
            raise
        if made_id and self._is_still(made_id, parent_id, name):
            return made_id
        return self._create(parent_id, name)

    def _is_still(self, made_id: str, parent_id: str, name: str) -> bool:
        """Return whether a folder is what it was made as.

        One that somebody renamed or moved is not; one that cannot be found at all may come, so it
        is looked for again: raises a transient CloudError.
        """
        try:
            here = self._platform.folder(made_id)
        except CloudError as exc:
            if exc.failure.fault is not Fault.GONE:
                raise
            self._listings.pop(parent_id, None)  # it may be listed by the next try
            raise self._made.not_shown(parent_id, name) from exc
        return (here.parent_id, here.name) == (parent_id, name)

    def _find_root(self) -> str:
        try:
            return self._platform.root_folder(self._itwin_id)
        except CloudError as exc:
            if exc.failure.fault is not Fault.GONE:
                raise
            message = f"the iTwin {self._itwin_id} does not exist, or this application has no role"
            failure = Failure(Fault.UNAUTHORISED, message, request_id=exc.failure.request_id)
            raise CloudError(exc.operation, failure, status=exc.status) from exc

    def _create(self, parent_id: str, name: str) -> str:
        self._made.ask(parent_id, name)
        try:
            made = self._platform.create_folder(parent_id, name)
        except CloudError as exc:
            self._made.failed(parent_id, name, exc.failure.fault)
            self._doubt(parent_id)  # it may have been created all the same
            raise with_name_advice(exc, name) from exc
        self._made.made(parent_id, name, made.id)
        self._listing(parent_id).folders[name] = [made.id]
        self._listing(parent_id).add_name(name)
        self._listings[made.id] = _Listing()  # new, so nothing is in it
        return made.id

    def _listing(self, folder_id: str) -> _Listing:
        if folder_id not in self._listings:
            self._wait_for_lag(folder_id)
            self._listings[folder_id] = _sorted_by_name(self._platform.list_folder(folder_id))
        return self._listings[folder_id]

    def _doubt(self, folder_id: str) -> None:
        self._listings.pop(folder_id, None)
        if self._lag_s:
            self._doubted_s[folder_id] = self._now()

    def _wait_for_lag(self, folder_id: str) -> None:
        """Raise a transient CloudError while a listing of the folder may be out of date."""
        since_s = self._doubted_s.get(folder_id)
        if since_s is None:
            return
        age_s = self._now() - since_s
        if 0.0 <= age_s < self._lag_s:  # the clock may have been set back
            left_s = self._lag_s - age_s
            message = "Storage lists new files late, so it is looked at again in a moment"
            raise CloudError(
                "list a folder in Storage", Failure(Fault.TRANSIENT, message, retry_after_s=left_s)
            )
        del self._doubted_s[folder_id]


def _sorted_by_name(items: Iterable[StorageItem]) -> _Listing:
    """Return the ids by name; files that hold nothing, which may be unfinished, come last."""
    listing = _Listing()
    for entry in sorted(items, key=lambda each: (not each.size_bytes, each.created_s, each.id)):
        listing.add_name(entry.name)
        if entry.is_folder:
            listing.folders.setdefault(entry.name, []).append(entry.id)
        else:
            listing.files.setdefault(entry.name, []).append(StorageId(entry.id))
            if entry.size_bytes:
                listing.held[StorageId(entry.id)] = entry
    return listing
