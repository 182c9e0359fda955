"""A virtual shared drive: saves in slices, by rename, touches, deletions, outages."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from twinsyncd.core.model import FileKey, Fingerprint


@dataclass
class VirtualFile:
    content: str
    mtime_ns: int
    file_id: int

    @property
    def fingerprint(self) -> Fingerprint:
        return Fingerprint(len(self.content), self.mtime_ns, self.file_id)


@dataclass
class VirtualDrive:
    """Paths to files; `outage` hides them all: "offline", "empty" or "other"."""

    files: dict[FileKey, VirtualFile] = field(default_factory=dict)
    outage: str = ""
    broken_folders: set[str] = field(default_factory=set)
    torn: set[str] = field(default_factory=set)  # contents that were never a finished save
    whole: dict[FileKey, set[str]] = field(default_factory=lambda: defaultdict(set))
    _ids: int = 0

    def write(self, key: FileKey, content: str, at_s: float, *, torn: bool = False) -> None:
        """Write in place: the identity stays."""
        old = self.files.get(key)
        file_id = old.file_id if old else self._next_id()
        self._put(key, VirtualFile(content, int(at_s * 1e9), file_id), torn)

    def replace(self, key: FileKey, content: str, at_s: float) -> None:
        """Save beside and rename over, as AutoCAD does: a new identity."""
        self._put(key, VirtualFile(content, int(at_s * 1e9), self._next_id()), torn=False)

    def touch(self, key: FileKey, at_s: float) -> None:
        """Change the time only."""
        old = self.files[key]
        self.files[key] = VirtualFile(old.content, int(at_s * 1e9), old.file_id)

    def delete(self, key: FileKey) -> None:
        self.files.pop(key, None)

    def see(self, key: FileKey) -> VirtualFile | None:
        """Return what a program sees now; an outage hides everything."""
        return None if self.outage else self.files.get(key)

    def is_broken(self, key: FileKey) -> bool:
        return key.path.rpartition("/")[0] in self.broken_folders

    def _put(self, key: FileKey, file: VirtualFile, torn: bool) -> None:
        self.files[key] = file
        if torn:
            self.torn.add(file.content)
        else:
            self.whole[key].add(file.content)

    def _next_id(self) -> int:
        self._ids += 1
        return self._ids
