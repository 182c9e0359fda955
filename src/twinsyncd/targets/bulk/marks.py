"""What export files wait for, as the journal keeps it for this target."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
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

    def rename(self, connection: str, storage_id: str, key: FileKey) -> FileKey | None:
        """Move what is known of the file with this id to another path; return where it was."""

    def parents_came(self, connection: str, entities: Collection[str]) -> None:
        """Let the files of these kinds that await parents be sent again."""

    def resend(self, connection: str, entities: Collection[str]) -> None:
        """Let all files of these kinds be sent again."""

    def to_resend(self, connection: str) -> list[FileKey]:
        """Return the files that are to be sent again, and are there."""

    def to_ask(self, connection: str, *, aside: bool = False) -> list[FileKey]:
        """Return those of them that nothing else begins: set aside, or synced unless `aside`."""

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


class KeepsRows(Protocol):
    """The digests of the rows of each export file; every change is durable."""

    def mark(self, connection: str, key: FileKey) -> str:
        """Return the mark that the file's rows were kept with; "" if none are kept."""

    def keep(
        self, connection: str, key: FileKey, entity: str, digests: Sequence[bytes], mark: str
    ) -> None:
        """Keep the rows of a file, which lets its rivals be sent again."""

    def read(self, connection: str, key: FileKey) -> list[bytes]:
        """Return the rows of a file, in pieces."""

    def others(self, connection: str, entity: str, key: FileKey) -> list[FileKey]:
        """Return the other files of this kind that are there, in order."""

    def note_rivals(self, connection: str, key: FileKey, rivals: Collection[FileKey]) -> None:
        """Note which files have records of this one, too."""

    def send_again(self, connection: str, keys: Collection[FileKey]) -> None:
        """Let these files be sent again."""

    def rename(self, connection: str, before: FileKey, key: FileKey) -> None:
        """Move the rows of a file to another path."""

    def forget_gone(self, connection: str, is_configured: Callable[[FileKey], bool]) -> None:
        """Forget the rows of files that are gone, which lets their rivals be sent again."""
