"""Proposes what a source takes, from the names of the files that lie in its folder."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final

from ..connectors import MODELS, connectors_for
from .default_globs import AUTO
from .patterns import matcher

REFERENCE_FOLDERS: Final = frozenset(
    {"xref", "xrefs", "ref", "refs", "reference", "references", "external references"}
)
ARCHIVE_FOLDERS: Final = frozenset(
    {"archive", "archiv", "archives", "backup", "backups", "old", "superseded", "obsolete", "trash"}
)
OTHERS_MAX: Final = 8  # kinds of files that are not taken, by name
_ANY: Final = matcher(["**/*"])


@dataclass(frozen=True, slots=True)
class SourceProposal:
    """One source's patterns and connector; `files` is how many of those seen it takes."""

    include: tuple[str, ...]
    references: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    connector: str = AUTO
    files: int = 0
    is_all: bool = True  # some source of the folder takes the kinds that do not lie there yet


@dataclass(frozen=True, slots=True)
class FolderContent:
    """What lies in a folder: models by ending, folders of references, folders of old files.

    `others`: further files by ending, which are proposed by nobody; "" for those without one.
    """

    endings: Mapping[str, int]
    references: tuple[str, ...]
    exclude: tuple[str, ...]
    others: Mapping[str, int] = field(default_factory=dict)

    def choices(self) -> dict[str, tuple[str, ...]]:
        """Return the endings that several connectors read, the default first."""
        readers = {ending: connectors_for(f"x{ending}") for ending in self.endings}
        return {ending: several for ending, several in readers.items() if len(several) > 1}

    def left_out(self) -> str:
        """Return which other files lie there, most of them first: "3 .csv, 1 .txt"; or ""."""
        named = [f"{n:,} {each or 'without an ending'}" for each, n in self.others.items()]
        more = len(named) - OTHERS_MAX
        return ", ".join(named[:OTHERS_MAX]) + (f" and {more} more kinds" if more > 0 else "")


def content_of(paths: Iterable[str]) -> FolderContent:
    """Return what the paths, relative POSIX, are of; names that programs write are left out."""
    endings: Counter[str] = Counter()
    others: Counter[str] = Counter()
    references: set[str] = set()
    exclude: set[str] = set()
    for path in paths:
        if _ANY.kind(path) is None:
            continue
        *above, name = path.split("/")
        if old := _first_of(above, ARCHIVE_FOLDERS):
            exclude.add(f"**/{_literal(old)}/**")
        elif reference := _first_of(above, REFERENCE_FOLDERS):
            references.add(f"**/{_literal(reference)}/**")
        elif ending := _ending(name):
            endings[ending] += 1
        else:
            others[PurePosixPath(name).suffix.lower()] += 1
    in_order = {ending: endings[ending] for ending in MODELS if endings[ending]}
    return FolderContent(
        in_order, tuple(sorted(references)), tuple(sorted(exclude)), dict(others.most_common())
    )


def propose(content: FolderContent, connectors: Mapping[str, str]) -> Sequence[SourceProposal]:
    """Return the sources to write: one for each connector that was chosen, one for the rest.

    `connectors` names the connector of an ending, where somebody chose it. The rest is every
    other kind of design file, also those of which none lies there yet.
    """
    by_connector: dict[str, list[str]] = {}
    for ending in content.endings:
        by_connector.setdefault(connectors.get(ending, AUTO), []).append(ending)
    taken = tuple(ending for ending in content.endings if ending in connectors)
    return [
        SourceProposal(
            _rest_but(taken) if connector == AUTO else tuple(f"**/*{each}" for each in endings),
            content.references if place == 0 else (),  # stored once are enough
            content.exclude,
            connector,
            sum(content.endings[ending] for ending in endings),
            is_all=AUTO in by_connector,
        )
        for place, (connector, endings) in enumerate(by_connector.items())
    ]


def _rest_but(taken: tuple[str, ...]) -> tuple[str, ...]:
    """Return the glob of every kind of design file without the endings that are `taken`."""
    left = [each.removeprefix(".") for each in MODELS if not each.endswith(taken)]
    return (f"**/*.{{{','.join(left)}}}",)


def _first_of(folders: Iterable[str], names: Container[str]) -> str:
    return next((each for each in folders if each.lower() in names), "")


def _literal(name: str) -> str:
    """Return the name as a glob that means only it."""
    return re.sub(r"([\[{*?])", r"[\1]", name)


def _ending(name: str) -> str:
    """Return the ending of a model's name, the longest that is known; "" for other files."""
    lowered = name.lower()
    known = [ending for ending in MODELS if lowered.endswith(ending)]
    return max(known, key=len, default="")
