"""Delivers events to webhooks, in a thread of its own: a slow listener delays no run.

Source: Webhooks API v2, "Signature: sha256=<hex HMAC-SHA256(secret, raw body)>" and its events.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import queue
import threading
import urllib.error
import urllib.request
from http.client import HTTPException

from localtwin.ids import new_guid
from localtwin.world.clock import Clock
from localtwin.world.events import Content
from localtwin.world.outgoing import open_address
from localtwin.world.webhooks import Webhook, Webhooks

log = logging.getLogger(__name__)

_TRIES = 3
_PAUSES_S = 1.0  # times the number of the try; the real service retries, too
_WAIT_S = 10


class WebhookDelivery:
    """Delivers each event to every webhook that subscribed to it, with a few retries."""

    def __init__(self, webhooks: Webhooks, clock: Clock) -> None:
        self._webhooks = webhooks
        self._clock = clock
        self._events: queue.Queue[tuple[str, str, Content] | None] = queue.Queue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._deliver_all, daemon=True)

    def start(self) -> None:
        """Begin to deliver."""
        self._thread.start()

    def stop(self) -> None:
        """Stop; undelivered events are lost, as clients may not rely on webhooks alone."""
        self._stopping.set()
        self._events.put(None)
        if self._thread.is_alive():
            self._thread.join()

    def announce(self, event_type: str, itwin_id: str, content: Content) -> None:
        """Deliver the event to every webhook that subscribed to it; returns at once."""
        self._events.put((event_type, itwin_id, content))

    def drain(self) -> None:
        """Wait until everything announced so far was delivered or given up."""
        self._events.join()

    def _deliver_all(self) -> None:
        while (event := self._events.get()) is not None:
            event_type, itwin_id, content = event
            for hook in self._webhooks.interested(event_type, itwin_id):
                self._deliver(hook, event_type, itwin_id, content)
            self._events.task_done()

    def _deliver(self, hook: Webhook, event_type: str, itwin_id: str, content: Content) -> None:
        now = self._clock()
        message = {
            "content": content,
            "eventType": event_type,
            # The platform writes this one date in American style.
            "enqueuedDateTime": f"{now.month}/{now.day}/{now.year} {now:%I:%M:%S %p}",
            "iTwinId": itwin_id,
            "messageId": new_guid(),
            "webhookId": hook.id,
        }
        body = json.dumps(message).encode("utf-8")
        for attempt in range(1, _TRIES + 1):
            if _post(hook, body) or self._stopping.wait(attempt * _PAUSES_S):
                return
        log.warning("webhook.undelivered webhook_id=%s", hook.id)


def signature(secret: str, body: bytes) -> str:
    """Return the header that proves the body."""
    return "sha256=" + hmac.new(secret.encode("utf-8"), body, hashlib.sha256).hexdigest()


def _post(hook: Webhook, body: bytes) -> bool:
    headers = {"Content-Type": "application/json", "Signature": signature(hook.secret, body)}
    request = urllib.request.Request(  # noqa: S310 (loopback only, checked at creation)
        hook.callback_url, body, headers, method="POST"
    )
    try:
        with open_address(request, timeout_s=_WAIT_S):
            return True
    except urllib.error.HTTPError as refused:
        refused.close()
        return False
    except (OSError, HTTPException):
        return False
