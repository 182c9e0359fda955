"""What a delivery of an export file to a bulk API did, counted in records; values only."""

from __future__ import annotations

from typing import NamedTuple

from .model import ABSENT, ConnectionKey, Digest, FileKey


class RejectedRow(NamedTuple):
    """A row that the service does not have as the file has it: where it is, why, what to do.

    `sheet` is "" for files without sheets, `column` if no single one is at fault.
    """

    row: int
    message: str
    fix: str = ""
    column: str = ""
    sheet: str = ""

    def place(self) -> str:
        """Return where to look, as the program that shows the file calls it."""
        parts = (
            f'sheet "{self.sheet}"' if self.sheet else "",
            f"row {self.row}",
            f"column {self.column}" if self.column else "",
        )
        return ", ".join(part for part in parts if part)

    def __str__(self) -> str:
        fix = f" (fix: {self.fix})" if self.fix else ""
        return f"{self.place()}: {self.message}{fix}"


class LastDelivery(NamedTuple):
    """What the last delivery of a file did, in records.

    `rows`: how many the file had, without empty ones; the service has `acknowledged` of them as
    the file has them, `rejected` are wrong, the others wait. `changed`: rows that were to be sent.
    `inserted` and `updated`: what the service counted, in `requests` requests; `leaving`: how many
    a snapshot deleted. `done` of `batches` batches were sent; fewer while a delivery goes on, and
    after one that an outage ended. `digest`: of the file's content; `at_s`: wall clock [s].
    `seen`: the digest of what is on the drive now; ABSENT if the file is gone. `is_missed`: the
    last list of its folder lacked it, which does not count as gone yet.
    """

    connection: ConnectionKey
    key: FileKey
    entity: str
    seen: Digest = ABSENT
    digest: Digest = ABSENT
    at_s: float = 0.0
    rows: int = 0
    acknowledged: int = 0
    rejected: int = 0
    changed: int = 0
    inserted: int = 0
    updated: int = 0
    leaving: int = 0
    requests: int = 0
    batches: int = 0
    done: int = 0
    rejected_rows: tuple[RejectedRow, ...] = ()
    is_missed: bool = False

    @property
    def is_current(self) -> bool:
        """Return whether the delivery was of the content that is on the drive now."""
        return self.seen == self.digest != ABSENT

    @property
    def is_gone(self) -> bool:
        """Return whether the file is not on the drive any more."""
        return self.seen == ABSENT
