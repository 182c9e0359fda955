"""The shared drive: saves as people's programs do, and the memory of what each file ever was."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from .acts import Change, Delete, Outage, Rename, Replace, Slice, Touch, Unplug
from .content import Templates, write_whole


@dataclass(slots=True)
class _Saving:
    """A save in place under way."""

    stream: IO[bytes]
    written_s: float
    mtime_ns: int  # of the file before


@dataclass(slots=True)
class Drive:
    """Carries out changes below `folder`."""

    folder: Path
    templates: Templates
    patience_s: float  # a pause in a save that is longer looks like its end to anybody
    changes: int = 0
    touched: int = 0
    renamed: int = 0
    ever: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """By path, the digests of what the file was, whole, for as long as a save is given to end."""
    _saving: dict[str, _Saving] = field(default_factory=dict)

    def digest(self, path: str) -> str:
        """Return the SHA-256 of a file's content, "" without the file."""
        try:
            return hashlib.sha256((self.folder / path).read_bytes()).hexdigest()
        except FileNotFoundError:
            return ""

    def paths(self) -> list[str]:
        """Return the files that are there."""
        found = (file for file in self.folder.rglob("*.*") if not file.name.startswith("~"))
        return sorted(file.relative_to(self.folder).as_posix() for file in found)

    def carry_out(self, act: Change) -> None:
        """Change the drive."""
        file = self.folder / act.path
        match act:
            case Slice():
                self._write_slice(file, act)
            case Replace(path, version):
                file.parent.mkdir(parents=True, exist_ok=True)
                data = self.templates.content(path, version)
                self._note(path, data)
                write_whole(file, data)
                self.changes += 1
            case Delete():
                file.unlink()
                self.changes += 1
            case Rename(path, to):
                target = self.folder / to
                target.parent.mkdir(parents=True, exist_ok=True)
                self.ever[to] |= self.ever[path]
                file.rename(target)
                self.renamed += 1
            case Touch(path, rewrite):
                self.touched += 1
                write_whole(file, file.read_bytes()) if rewrite else os.utime(file)

    def unplug(self, act: Unplug) -> None:
        """Take a folder away, and leave something else in its place."""
        folder = self.folder / act.folder
        folder.rename(self._aside(act.folder))
        if act.outage is not Outage.AWAY:
            folder.mkdir()
        if act.outage is Outage.GUTTED:
            (folder / "notes.txt").write_text("moved to the archive")

    def plug(self, folder: str) -> None:
        """Bring a folder back as it was."""
        shutil.rmtree(self.folder / folder, ignore_errors=True)
        self._aside(folder).rename(self.folder / folder)

    def close(self) -> None:
        """Give up the saves that a stop has interrupted."""
        for saving in self._saving.values():
            saving.stream.close()

    def _aside(self, folder: str) -> Path:
        return self.folder.with_name(f"{folder} away")

    def _write_slice(self, file: Path, act: Slice) -> None:
        data = self.templates.content(act.path, act.version)
        if act.index == 0:
            stream = file.open("wb" if act.fresh else "r+b", buffering=0)
            mtime_ns = os.fstat(stream.fileno()).st_mtime_ns
            self._saving[act.path] = _Saving(stream, time.monotonic(), mtime_ns)
        saving = self._saving[act.path]
        if time.monotonic() - saving.written_s > self.patience_s:
            self._note(act.path, file.read_bytes())
        length = -(-len(data) // act.count)
        saving.stream.write(data[act.index * length : (act.index + 1) * length])
        saving.written_s = time.monotonic()
        if act.hidden and not act.is_last:
            self._hide(file, saving)
        if act.is_last:
            self._note(act.path, data)
            self._saving.pop(act.path).stream.close()
            self.changes += 1

    def _hide(self, file: Path, saving: _Saving) -> None:
        """Close the part and take its time back: what tells of it is the watcher alone."""
        os.utime(saving.stream.fileno(), ns=(saving.mtime_ns, saving.mtime_ns))
        written = saving.stream.tell()
        saving.stream.close()
        saving.stream = file.open("r+b", buffering=0)
        saving.stream.seek(written)

    def _note(self, path: str, data: bytes) -> None:
        self.ever[path].add(hashlib.sha256(data).hexdigest())
