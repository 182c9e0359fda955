"""Which of many files with the same content a new one was before.

Files that were copied from one template are all equal, thousands of them at times; each new file
is compared with the few that it is most like.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from .model import FileKey, FileRow

_Mark = tuple[str, str | int, str]  # what files have in common


@dataclass(slots=True)
class Origins:
    """The files of one content: those that are gone can be what a new one was."""

    gone: dict[FileKey, FileRow]
    missing: list[FileRow]  # perhaps gone, which a list or a moment will show
    present: list[FileRow]
    changed: list[FileRow] = field(default_factory=list)  # present; another content is there now
    _alike: dict[_Mark, dict[FileKey, FileRow]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Sort those that are gone by what they have in common."""
        for key, row in sorted(self.gone.items()):
            for mark in _marks(row):
                self._alike.setdefault(mark, {})[key] = row

    def nearest(self, row: FileRow, is_alike: Callable[[FileKey, FileKey], bool]) -> list[FileRow]:
        """Return the one that is gone and most like the file; none if there is none."""
        for mark in _marks(row):
            for origin in self._alike.get(mark, {}).values():
                if origin.key != row.key and is_alike(row.key, origin.key):
                    return [origin]
        return []

    def claim(self, key: FileKey) -> None:
        """Give a file that is gone to no other one."""
        row = self.gone.pop(key, None)
        for mark in _marks(row) if row else ():
            del self._alike[mark][key]


def nearest(row: FileRow, origins: Iterable[FileRow]) -> FileRow:
    """Return the one of them that is most like the file."""
    return min(origins, key=lambda each: _distance(row, each))


def name_of(key: FileKey) -> str:
    """Return the name of a file without its folder, as names are compared."""
    return key.path.rpartition("/")[2].casefold()


def _folder(key: FileKey) -> str:
    return key.path.rpartition("/")[0]


def _marks(row: FileRow) -> list[_Mark]:
    """Return what another file may have in common with it, what says most first."""
    name, folder = name_of(row.key), _folder(row.key)
    look = row.fingerprint
    file_id = look.file_id if look else 0
    of_file: list[_Mark] = [("file", file_id, name), ("file", file_id, "")] if file_id else []
    return [*of_file, ("path", name, folder), ("name", name, ""), ("folder", folder, ""), _ANY]


_ANY: _Mark = ("", "", "")


def _distance(row: FileRow, origin: FileRow) -> tuple[bool, bool, bool, FileKey]:
    """Return how unlike they are, to be compared."""
    here, there = row.fingerprint, origin.fingerprint
    same_file = bool(here and there and here.file_id and here.file_id == there.file_id)
    same_folder = _folder(row.key) == _folder(origin.key)
    return not same_file, name_of(row.key) != name_of(origin.key), not same_folder, origin.key
