"""What happened to content that goes up beside a file's own while a run is active."""

from __future__ import annotations

from dataclasses import dataclass

from .model import Digest, Failure, FileKey


@dataclass(frozen=True, slots=True)
class Staged:
    """Storage has this content beside the file's own, unseen; it may drop it at any time."""

    key: FileKey
    digest: Digest


@dataclass(frozen=True, slots=True)
class StageMoved:
    """The file changed while it was staged; what the file holds in Storage stays as it is."""

    key: FileKey


@dataclass(frozen=True, slots=True)
class StageFailed:
    """The content could not be staged; what the file holds in Storage stays as it is."""

    key: FileKey
    failure: Failure


StageFact = Staged | StageMoved | StageFailed
