"""The facts about what was found in the service; part of `facts`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from .model import ConnectionKey, Failure, FileKey, StorageId


class Differs(StrEnum):
    """How the service differs from what is remembered of one file."""

    MISSING = "missing"  # it is not in Storage any more
    OVERWRITTEN = "overwritten"  # Storage holds another content
    MISPLACED = "misplaced"  # Storage holds it under another name, or in another folder
    UNMAPPED = "unmapped"  # it is no source file of the connection any more
    CONNECTOR = "connector"  # it is one, to be read by another connector than configured


class Difference(NamedTuple):
    """One difference; `text` says for a person what was found."""

    key: FileKey
    differs: Differs
    text: str


@dataclass(frozen=True, slots=True)
class Compared:
    """The connection was compared; what is not named here is as remembered.

    `versions`: the service's marks of contents that are as remembered, where the marks were not.
    `last_run_known`: whether the service still knows the newest run of ours.
    `others`: further source files of the connection: id in Storage, and name. `leftovers`: those of
    them that lie in Storage where a file of ours would lie, and which file.
    """

    connection: ConnectionKey
    differences: tuple[Difference, ...] = ()
    versions: tuple[tuple[FileKey, str], ...] = ()
    last_run_known: bool = True
    others: tuple[tuple[StorageId, str], ...] = ()
    leftovers: tuple[tuple[FileKey, StorageId], ...] = ()


@dataclass(frozen=True, slots=True)
class CompareFailed:
    """The comparison came to no end, so nothing is known."""

    connection: ConnectionKey
    failure: Failure
