"""Finds the files that a design file names, whatever the case of their letters."""

from __future__ import annotations

import posixpath
import stat
from collections.abc import Callable, Iterable
from unicodedata import normalize

from ..core.references import Reference, candidates
from .tree import Tree


def find_references(
    tree: Tree, drawing: str, references: Iterable[Reference], takes: Callable[[str], bool]
) -> tuple[Reference, ...]:
    """Return the references with the places where they lie; `takes`: a pattern takes this path.

    Raises OSError when the drive does not say.
    """
    names: dict[str, dict[str, str]] = {}  # of each folder that was listed, by comparable name
    found = []
    for reference in references:
        places = candidates(drawing, reference.written, tree.folder.name)
        path = next(filter(None, (_at(tree, place, names) for place in places)), "")
        found.append(reference.at(path, taken=bool(path) and takes(path)))
    return tuple(found)


def _at(tree: Tree, path: str, names: dict[str, dict[str, str]]) -> str:
    """Return the path as the drive has it; "" if no file is there."""
    if _is_file(tree, path):
        return path
    actual = ""
    for part in path.split("/"):
        name = _names_in(tree, actual, names).get(_comparable(part))
        if name is None:
            return ""
        actual = posixpath.join(actual, name)
    return actual if _is_file(tree, actual) else ""


def _names_in(tree: Tree, folder: str, names: dict[str, dict[str, str]]) -> dict[str, str]:
    if folder not in names:
        try:
            with tree.list(folder) as entries:
                names[folder] = {_comparable(entry.name): entry.name for entry in entries}
        except (FileNotFoundError, NotADirectoryError):
            names[folder] = {}
    return names[folder]


def _is_file(tree: Tree, path: str) -> bool:
    try:
        return stat.S_ISREG(tree.stat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def _comparable(name: str) -> str:
    return normalize("NFC", name).casefold()
