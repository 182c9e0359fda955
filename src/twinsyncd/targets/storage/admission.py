"""Which files a connection holds after a preparation."""

from __future__ import annotations

from dataclasses import dataclass

from ...core.model import FileKey


@dataclass(frozen=True, slots=True)
class Admission:
    """Which files the connection holds now, and which the service does not accept, with reasons."""

    in_connection: tuple[FileKey, ...] = ()
    refused: tuple[tuple[FileKey, str], ...] = ()
    storage_as_expected: bool = True  # none of the refused ones is gone from Storage

    def __add__(self, other: Admission) -> Admission:
        """Return both together."""
        return Admission(
            self.in_connection + other.in_connection,
            self.refused + other.refused,
            self.storage_as_expected and other.storage_as_expected,
        )
