"""A virtual shared drive: saves in slices, by rename, touches, deletions, outages."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from twinsyncd.core.model import FileKey, Fingerprint

BACKUP = ("b.dwg", "e.ifc", "0.shp")  # what another drive in the same place holds


@dataclass(frozen=True, slots=True)
class VirtualFile:
    content: str
    fingerprint: Fingerprint


@dataclass
class VirtualDrive:
    """Paths to files; `outage` hides them all: "offline", "empty", "other" or "third"."""

    files: dict[FileKey, VirtualFile] = field(default_factory=dict)
    outage: str = ""
    broken_folders: set[str] = field(default_factory=set)
    hung_until_s: float = -1.0  # until then it answers nothing
    torn: set[str] = field(default_factory=set)  # contents that were never a finished save
    _ids: int = 0

    @property
    def identity(self) -> str:
        return {"other": "disk-2", "third": "disk-3"}.get(self.outage, "disk-1")

    def write(self, key: FileKey, content: str, at_s: float, *, torn: bool = False) -> None:
        """Write in place: the identity stays."""
        old = self.files.get(key)
        file_id = old.fingerprint.file_id if old else self._next_id()
        self._put(key, content, file_id, at_s)
        if torn:
            self.torn.add(content)

    def write_unseen(self, key: FileKey, content: str, at_s: float) -> None:
        """Write a part into an open file whose size and time show only once it is closed."""
        if key not in self.files:
            self._put(key, content, self._next_id(), at_s)
        self.files[key] = replace(self.files[key], content=content)
        self.torn.add(content)

    def replace(self, key: FileKey, content: str, at_s: float) -> None:
        """Save beside and rename over: a new identity."""
        self._put(key, content, self._next_id(), at_s)

    def move(self, key: FileKey, to: FileKey) -> None:
        """Rename: time and identity go along."""
        self.files[to] = self.files.pop(key)

    def touch(self, key: FileKey, at_s: float) -> None:
        """Change the time only."""
        old = self.files[key]
        self._put(key, old.content, old.fingerprint.file_id, at_s)

    def delete(self, key: FileKey) -> None:
        self.files.pop(key, None)

    def see(self, key: FileKey) -> VirtualFile | None:
        """Return what a program sees now; an outage hides everything."""
        return self.files.get(key) if self.shows(key) else None

    def shows(self, key: FileKey) -> bool:
        """Return whether the drive that is there could hold the file; another holds a backup."""
        return not self.outage or (self.outage == "other" and key.path in BACKUP)

    def is_broken(self, key: FileKey) -> bool:
        return key.path.rpartition("/")[0] in self.broken_folders

    def _put(self, key: FileKey, content: str, file_id: int, at_s: float) -> None:
        look = Fingerprint(len(content), int(at_s * 1e9), file_id)
        self.files[key] = VirtualFile(content, look)

    def _next_id(self) -> int:
        self._ids += 1
        return self._ids
