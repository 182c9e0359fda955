"""What export files wait for, as the journal keeps it for this target."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from ...core.model import FileKey


class FileMarks(Protocol):
    """The files of bulk connections; every change is durable when its method returns."""

    def note(self, connection: str, key: FileKey, entity: str) -> None:
        """Note a file that was sent, and waits for nothing that is kept here."""

    def await_parents(self, connection: str, key: FileKey, entity: str) -> None:
        """Note that rows of the file name parents that the service does not have."""

    def note_delivery(
        self, connection: str, key: FileKey, entity: str, delivery: Mapping[str, Any]
    ) -> None:
        """Note what a delivery of the file did so far."""

    def rename(self, connection: str, storage_id: str, key: FileKey) -> None:
        """Move what is known of the file with this id to another path."""

    def parents_came(self, connection: str, entities: Collection[str]) -> None:
        """Let the files of these kinds that await parents be sent again."""

    def resend(self, connection: str, entities: Collection[str]) -> None:
        """Let all files of these kinds be sent again."""

    def to_resend(self, connection: str) -> list[FileKey]:
        """Return the files that are to be sent again."""

    def hold(
        self,
        connection: str,
        key: FileKey,
        entity: str,
        digest: str,
        leaving: tuple[int, int, int],
    ) -> None:
        """Keep a snapshot for a person's approval, in place of an earlier one of the file.

        `leaving`: the rows, the known records, and those of them that leave.
        """

    def approved_digest(self, connection: str, key: FileKey) -> str:
        """Return the digest of the file's content that a person approved; "" if none."""
