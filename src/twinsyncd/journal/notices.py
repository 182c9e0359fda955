"""What people were notified of: alerts that last, and messages with their deliveries.

They are kept so that a restart neither repeats nor forgets anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from sqlalchemy import Connection, Engine, delete, insert, select

from . import tables
from .transactions import writing

KEPT_S: Final = 30 * 86_400.0  # a message that was sent


@dataclass(frozen=True, slots=True)
class Alert:
    """A condition that lasts. Times are wall clock [s]; 0: not yet."""

    key: str
    kind: str
    needs_person: bool
    about: str
    connection: str
    text: str
    fix: str
    seen_s: float  # when it was first seen
    since_s: float = 0.0  # since when it lasts, as far as is known
    sent_s: float = 0.0  # when a message last named it
    gone_s: float = 0.0  # when it was first missed
    reminders: int = 0  # how often people were reminded of it


@dataclass(frozen=True, slots=True)
class Delivery:
    """How one message gets to one target; `target` names it without its secrets."""

    target: str
    attempts: int = 0
    next_try_s: float = 0.0
    done_s: float = 0.0  # when it was taken, or given up
    error: str = ""  # why the last try failed


@dataclass(frozen=True, slots=True)
class Notice:
    """One message."""

    id: str
    kind: str  # began, ended, reminder, digest
    made_s: float
    title: str
    body: str
    deliveries: tuple[Delivery, ...] = ()

    @property
    def is_open(self) -> bool:
        """Return whether some target has not taken it."""
        return any(not each.done_s for each in self.deliveries)

    def with_delivery(self, delivery: Delivery) -> Notice:
        """Return the message after another try."""
        others = [delivery if d.target == delivery.target else d for d in self.deliveries]
        return replace(self, deliveries=tuple(others))


@dataclass(frozen=True, slots=True)
class NoticeState:
    """All that is remembered; messages that everybody took are not in `notices`."""

    alerts: dict[str, Alert] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()
    digest_s: float = 0.0  # when the last digest was made


def read_notices(engine: Engine) -> NoticeState:
    """Return what was remembered. Raises JournalError."""
    with engine.connect() as connection:
        alerts = [Alert(**row) for row in connection.execute(select(tables.alerts)).mappings()]
        table = tables.notices
        undone = connection.execute(select(table).where(table.c.is_open)).mappings()
        digests = select(table.c.made_s).where(table.c.kind == "digest")
        last = connection.execute(digests.order_by(table.c.made_s.desc()).limit(1)).scalar()
        return NoticeState(
            {each.key: each for each in alerts}, tuple(map(_notice, undone)), last or 0.0
        )


def save_notices(
    engine: Engine, alerts: Iterable[Alert], changed: Iterable[Notice], now_s: float
) -> None:
    """Remember all alerts, and these messages, in one transaction. Raises JournalError."""
    with writing(engine) as connection:
        connection.execute(delete(tables.alerts))
        if rows := [asdict(each) for each in alerts]:
            connection.execute(insert(tables.alerts), rows)
        for notice in changed:
            _put(connection, notice)
        old = tables.notices.c.made_s < now_s - KEPT_S
        connection.execute(delete(tables.notices).where(old))


def _put(connection: Connection, notice: Notice) -> None:
    connection.execute(delete(tables.notices).where(tables.notices.c.id == notice.id))
    row = {**asdict(notice), "is_open": notice.is_open}
    connection.execute(insert(tables.notices).values(row))


def _notice(row: Any) -> Notice:
    values = {name: value for name, value in row.items() if name != "is_open"}
    deliveries = tuple(Delivery(**each) for each in row["deliveries"])
    return Notice(**{**values, "deliveries": deliveries})
