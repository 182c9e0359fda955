"""Decides which files a run names, with which references; pure.

A connector reads a source file together with its references, so a changed reference makes every
source file beside it due. Which file refers to which is not known: each one gets all references of
its source folder, the nearest of equal names, since names must be unique beside a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ...core.commands import NamedFile
from ...core.model import FileKey, SourceKey


@dataclass(frozen=True, slots=True)
class RunFile:
    """One source file of a run, with its references."""

    file: NamedFile
    references: tuple[NamedFile, ...] = ()


def files_of_run(
    files: Sequence[NamedFile], is_reference: Callable[[FileKey], bool]
) -> list[RunFile]:
    """Return what the run processes, by path; removals have no references."""
    references = [each for each in files if is_reference(each.key) and not each.unmap]
    changed = {each.key.source for each in references if each.covered}
    named = [
        RunFile(each, () if each.unmap else beside(each, references))
        for each in files
        if not is_reference(each.key) and _is_due(each, changed)
    ]
    return sorted(named, key=lambda each: each.file.key)


def _is_due(file: NamedFile, changed: set[SourceKey]) -> bool:
    return file.covered or file.unmap or file.key.source in changed


def beside(file: NamedFile, references: Iterable[NamedFile]) -> tuple[NamedFile, ...]:
    """Return the references of a file; of equal names the one in the nearest folder."""
    mine = [each for each in references if each.key.source == file.key.source]
    chosen: dict[str, NamedFile] = {}
    for each in sorted(mine, key=lambda one: (_distance(one.key.path, file.key.path), one.key)):
        chosen.setdefault(name_of(each.key).casefold(), each)
    chosen.pop(name_of(file.key).casefold(), None)
    return tuple(chosen.values())


def name_of(key: FileKey) -> str:
    """Return the name of a file without its folders."""
    return key.path.rpartition("/")[2]


def _distance(one: str, other: str) -> int:
    """Return how many folders lie between two files."""
    first, second = one.split("/")[:-1], other.split("/")[:-1]
    shared = 0
    for left, right in zip(first, second, strict=False):
        if left.casefold() != right.casefold():
            break
        shared += 1
    return len(first) + len(second) - 2 * shared
