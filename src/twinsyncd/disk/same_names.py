"""Refuses a new file whose name is that of another one for Windows, for Storage, or for both.

A Linux server keeps `Plan.dwg` beside `plan.dwg`, and the same accents in two encodings; Windows
sees one of them, and whoever downloads both from Storage keeps one. The file that was there first
goes on; the other waits until one of them is renamed or moved. Excluding one is no way out:
patterns ignore case and encodings, too.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import Final, NamedTuple
from unicodedata import normalize

from ..core.alike_names import comparable
from ..core.model import UNLIKE_ANY, SourceKey
from ..errors import DiskError
from .protocols import Known, PathFilter
from .tree import Tree

TAKEN_MAX: Final = 100_000  # files that need no further look; once more is the price of forgetting
FOLDERS_MAX: Final = 64  # whose names are kept: a first sync reads one folder after the other

_Names = dict[tuple[str, bool], list[str]]  # by comparable name, and whether it is a folder


class _Listed(NamedTuple):
    version: tuple[int, int]  # changes whenever a name in the folder does
    names: _Names


class SameNames:
    """The names of some folders of one source; safe from several threads."""

    def __init__(self) -> None:
        """List nothing yet."""
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, _Listed] = OrderedDict()
        self._taken: dict[str, str] = {}  # by comparable path: which one was taken last
        self._refused: dict[str, set[str]] = {}  # names by folder, as of its first file, and since

    def require_unlike(
        self, tree: Tree, source: SourceKey, path: str, path_filter: PathFilter, known: Known
    ) -> None:
        """Raise DiskError if another file or folder has this name, and came first.

        A file that was taken is not looked at again: each save changes its folder, and to list
        that for every save of a large folder would load the share.
        """
        alike = "/".join(map(comparable, path.split("/")))
        if self._taken.get(alike) == path:
            return
        for own, other in self._alike(tree, path, path_filter):
            if _is_known(known, source, own, is_file=own == path):
                continue
            if other < own or _is_known(known, source, other, is_file=own == path):
                self._refused_in(path, known, source).add(path.rpartition("/")[2])
                raise DiskError(
                    f"{tree.folder / own} has the name of {tree.folder / other} for Windows and"
                    f" Storage: they differ only in {_difference(own, other)}",
                    hint="rename one of them, or move it to another folder; the other goes on",
                )
        if waits_for := self._leaving(path, known, source):
            raise DiskError(
                f"it takes the place of {waits_for}, which is not on the drive any more",
                hint="it is uploaded once that counts as gone: two lists a minute apart lack it",
            )
        with self._lock:
            if len(self._taken) >= TAKEN_MAX:
                self._taken.clear()
            self._taken[alike] = path

    def _leaving(self, path: str, known: Known, source: SourceKey) -> str:
        """Return the file for which this one was refused, and that does not count as gone yet.

        Both would lie in Storage side by side; once it is gone, this one takes its place there.
        """
        above, _, name = path.rpartition("/")
        if name not in self._refused_in(path, known, source):
            return ""
        wanted, remembered = comparable(name), known.files(source, above)
        there = (e for e, look in remembered.items() if look not in (None, UNLIKE_ANY))
        return next((each for each in there if each != name and comparable(each) == wanted), "")

    def _refused_in(self, path: str, known: Known, source: SourceKey) -> set[str]:
        """Return which names of the file's folder were refused, also by an earlier process.

        The journal is asked once per folder: of a large one that costs, and its files are many.
        """
        above = path.rpartition("/")[0]
        with self._lock:
            refused = self._refused.get(above)
        if refused is None:
            files = known.files(source, above).items()
            refused = {name for name, look in files if look == UNLIKE_ANY}
            with self._lock:
                if len(self._refused) >= TAKEN_MAX:
                    self._refused.clear()
                refused = self._refused.setdefault(above, refused)
        return refused

    def _alike(self, tree: Tree, path: str, path_filter: PathFilter) -> Iterator[tuple[str, str]]:
        """Yield each part of the path with what lies beside it and has its name."""
        parts = path.split("/")
        for depth, name in enumerate(parts):
            above = "/".join(parts[:depth])
            is_folder = depth < len(parts) - 1
            matters = path_filter.folder if is_folder else path_filter.file
            for other in self._alike_in(tree, above, name, is_folder=is_folder):
                beside = f"{above}/{other}" if above else other
                if other != name and matters(beside):
                    yield "/".join(parts[: depth + 1]), beside

    def _alike_in(self, tree: Tree, folder: str, name: str, *, is_folder: bool) -> list[str]:
        """Return what in the folder has the name, itself included, of files or of folders."""
        wanted = comparable(name), is_folder
        try:
            found = tree.stat(folder) if folder else tree.folder.stat()
            version = found.st_mtime_ns, found.st_ino
            with self._lock:
                kept = self._kept.get(folder)
            if kept and kept.version == version and name in kept.names.get(wanted, ()):
                return kept.names[wanted]
            names: _Names = {}
            with tree.list(folder) as entries:
                for entry in entries:
                    kind = comparable(entry.name), entry.is_dir(follow_symlinks=False)
                    names.setdefault(kind, []).append(entry.name)
        except OSError as exc:
            where = tree.folder / folder
            raise DiskError(f"cannot list {where}: {exc.strerror or exc}") from exc
        with self._lock:
            self._kept[folder] = _Listed(version, names)
            self._kept.move_to_end(folder)
            if len(self._kept) > FOLDERS_MAX:
                self._kept.popitem(last=False)
        return names.get(wanted, [])


def _is_known(known: Known, source: SourceKey, path: str, *, is_file: bool) -> bool:
    """Return whether the file was taken before, or one below the folder was."""
    if is_file:
        above, _, name = path.rpartition("/")
        return known.files(source, above).get(name) not in (None, UNLIKE_ANY)
    below = (each for each in known.folders(source) if f"{each}/".startswith(f"{path}/"))
    return any(look not in (None, UNLIKE_ANY) for f in below for look in _looks(known, source, f))


def _looks(known: Known, source: SourceKey, folder: str) -> Iterator[object]:
    yield from known.files(source, folder).values()


def _difference(one: str, other: str) -> str:
    if normalize("NFC", one) == normalize("NFC", other):
        forms = ["as one character", "as a letter and an accent"]
        first, second = forms if one == normalize("NFC", one) else reversed(forms)
        return f"how their accents are encoded: {first} in the first, {second} in the second"
    if one.rstrip(". ") == other.rstrip(". "):
        return "dots or blanks at the end"
    return "upper and lower case"
