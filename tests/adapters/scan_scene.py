# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""A drive with drawings, a memory of them, and drives that refuse: to try scans with."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field
from pathlib import Path

from twinsyncd.core.commands import Scan
from twinsyncd.core.facts import FilesFound, ScanFailed, Scanned
from twinsyncd.core.model import Fingerprint
from twinsyncd.disk.look import look
from twinsyncd.disk.protocols import Entry, Look
from twinsyncd.disk.scan import scan
from twinsyncd.disk.tree import Tree

Facts = list[FilesFound | Scanned | ScanFailed]


class Drawings:
    """Wants every .dgn outside folders named archive."""

    def file(self, path: str) -> bool:
        return path.endswith(".dgn")

    def folder(self, path: str) -> bool:
        return not path.endswith("archive")

    def name(self, name: str) -> bool:
        return name.endswith(".dgn")


@dataclass
class Memory:
    """What is remembered, by folder and name."""

    held: dict[str, dict[str, Fingerprint | None]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)  # where each page began that was read
    changed: dict[str, int] = field(default_factory=dict)
    count: int = 0

    def folders(self, source: str) -> list[str]:
        return list(self.held)

    def files(self, source: str, folder: str) -> Mapping[str, Fingerprint | None]:
        return self.held.get(folder, {})

    def files_from(
        self, source: str, folder: str, rows: int
    ) -> tuple[list[tuple[str, list[Look]]], bool]:
        self.asked.append(folder)
        page: list[tuple[str, list[Look]]] = []
        for each in sorted(self.held):
            if each >= folder:
                files = self.held[each].items()
                page.append((each, [(name, *astuple(look)) for name, look in files if look]))
                rows -= len(self.held[each])
                if rows <= 0:
                    return page, False
        return page, True

    def changes(self) -> float:
        return self.count

    def changed_at(self, source: str, folder: str) -> float:
        return self.changed.get(folder, 0)

    def changed_in(self, source: str) -> float:
        return max(self.changed.values(), default=0)

    def change(self, path: str, fingerprint: Fingerprint | None) -> None:
        """Remember a file anew, as a commit of the journal does."""
        folder, _, name = path.rpartition("/")
        self.held.setdefault(folder, {})[name] = fingerprint
        self.count += 1
        self.changed[folder] = self.count


class FlakyDrive:
    """Lists folders, but refuses those named; `before` is called ahead of every listing."""

    def __init__(self, refused: Mapping[Path, int] | None = None) -> None:
        self.refused = dict(refused or {})
        self.listed: list[Path] = []
        self.before: Callable[[Path], None] = lambda _: None

    @contextmanager
    def __call__(self, tree: Tree, path: str) -> Iterator[Iterator[Entry]]:
        folder = tree.folder / path
        self.before(folder)
        self.listed.append(folder)
        if code := self.refused.get(folder):
            raise OSError(code, os.strerror(code), path)
        with tree.list(path) as entries:
            yield entries


def fill(folder: Path, *paths: str) -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(path.encode())


def remembering(folder: Path, *paths: str) -> Memory:
    """A memory that holds these files as they are on the drive now."""
    memory = Memory()
    for path in paths:
        parent, _, name = path.rpartition("/")
        memory.held.setdefault(parent, {})[name] = look(Tree(folder), path)
    return memory


def run(
    folder: Path, known: Memory | None = None, drive: FlakyDrive | None = None, identity: str = ""
) -> Facts:
    return list(
        scan(
            Scan("s", identity),
            Tree(folder),
            Drawings(),
            known or Memory(),
            lister=drive or FlakyDrive(),
        )
    )


def found(facts: Facts) -> list[str]:
    parts = [fact for fact in facts if isinstance(fact, FilesFound)]
    return sorted(path for part in parts for path, _ in part.files)


def closing(facts: Facts) -> Scanned:
    last = facts[-1]
    assert isinstance(last, Scanned)
    return last


def failure(facts: Facts) -> str:
    """The reason of the scan's failure, which must be its only end."""
    assert not [fact for fact in facts if isinstance(fact, Scanned)]
    last = facts[-1]
    assert isinstance(last, ScanFailed)
    return last.reason


def what_needs_a_person(facts: Facts) -> tuple[str, int]:
    """Which drive is there, and how many files it lacks, as a person will be shown."""
    last = facts[-1]
    assert isinstance(last, ScanFailed)
    assert last.needs_person
    return last.drive, last.missing_count
