"""Webhooks: subscriptions to events.

Source: Webhooks API v2, "Create webhook"; a webhook is created inactive.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from localtwin.errors import NotFound
from localtwin.ids import new_guid
from localtwin.world.database import Database, next_seq
from localtwin.world.itwins import find_itwin
from localtwin.world.tables import webhooks

ITWIN = "iTwin"


@dataclass(frozen=True, slots=True)
class Webhook:
    """One subscription; `secret` signs what is sent."""

    id: str
    seq: int
    callback_url: str
    scope: str
    scope_id: str | None
    event_types: list[str]
    secret: str
    active: bool


class Webhooks:
    """All subscriptions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self,
        callback_url: str,
        *,
        scope: str,
        scope_id: str | None,
        event_types: list[str],
        secret: str | None,
    ) -> Webhook:
        """Return a new, inactive webhook, with a random secret unless one is given."""
        with self._database.write() as connection:
            if scope == ITWIN:
                find_itwin(connection, scope_id or "")
            row: dict[str, Any] = {
                "id": new_guid(),
                "seq": next_seq(connection, webhooks),
                "callback_url": callback_url,
                "scope": scope,
                "scope_id": scope_id,
                "event_types": event_types,
                "secret": secret or secrets.token_hex(32),
                "active": False,
            }
            connection.execute(insert(webhooks).values(row))
        return Webhook(**row)

    def page(self, *, skip: int, top: int) -> list[Webhook]:
        """Return one page in order of creation."""
        query = select(webhooks).order_by(webhooks.c.seq).offset(skip).limit(top)
        return [Webhook(**row._mapping) for row in self._database.all(query)]

    def get(self, webhook_id: str) -> Webhook:
        """Return the webhook; raises NotFound."""
        with self._database.read() as connection:
            return _find(connection, webhook_id)

    def change(self, webhook_id: str, values: dict[str, Any]) -> Webhook:
        """Return the webhook with what was given changed."""
        with self._database.write() as connection:
            found = _find(connection, webhook_id)
            if values:
                wanted = webhooks.c.id == found.id
                connection.execute(update(webhooks).where(wanted).values(values))
            return _find(connection, webhook_id)

    def delete(self, webhook_id: str) -> None:
        """Delete the webhook."""
        with self._database.write() as connection:
            found = _find(connection, webhook_id)
            connection.execute(delete(webhooks).where(webhooks.c.id == found.id))

    def interested(self, event_type: str, itwin_id: str) -> list[Webhook]:
        """Return the active webhooks for an event in an iTwin."""
        rows = self._database.all(select(webhooks).where(webhooks.c.active))
        found = [Webhook(**row._mapping) for row in rows]
        return [
            hook
            for hook in found
            if event_type in hook.event_types and (hook.scope != ITWIN or hook.scope_id == itwin_id)
        ]


def _find(connection: Connection, webhook_id: str) -> Webhook:
    row = connection.execute(select(webhooks).where(webhooks.c.id == webhook_id.lower())).first()
    if row is None:
        raise NotFound("WebhookNotFound", "Requested Webhook is not available.")
    return Webhook(**row._mapping)
