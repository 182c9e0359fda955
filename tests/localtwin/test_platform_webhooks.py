"""Webhooks: which events are delivered, to whom, and with which content."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from threading import Thread
from typing import Any

import pytest
from platform_scene import Platform, error_of, expect

pytest_plugins = ["platform_fixtures"]

IMODEL_EVENTS = [
    "iModels.changesReady.v1",
    "iModels.namedVersionCreated.v1",
    "iModels.iModelCreated.v1",
    "iModels.iModelDeleted.v1",
]


@pytest.fixture
def listener() -> Iterator[tuple[str, Queue[tuple[str, bytes]]]]:
    """An address on this computer, and the signatures and bodies posted there."""
    received: Queue[tuple[str, bytes]] = Queue()

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.put((self.headers["Signature"], body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (its name there)
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/", received
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_end_of_a_run_is_delivered_signed(
    platform: Platform, listener: tuple[str, Queue[tuple[str, bytes]]]
) -> None:
    """The signature proves the sender; an inactive webhook receives nothing."""
    url, received = listener
    secret = "s" * 32
    body = {
        "callbackUrl": url,
        "scope": "iTwin",
        "scopeId": platform.itwin_id,
        "eventTypes": ["synchronization.jobCompleted.v1"],
        "secret": secret,
    }
    hook = expect(platform.post("/webhooks/", json=body), 201)["webhook"]
    connection = platform.connect(platform.new_imodel(), platform.upload("a.ifc", b"a"))
    platform.run(connection)
    platform.world.webhook_delivery.drain()
    silent = received.empty()
    expect(platform.patch(f"/webhooks/{hook['id']}", json={"active": True}), 200)

    run = platform.run(connection)

    signed, raw = received.get(timeout=10)
    platform.delete(f"/webhooks/{hook['id']}")
    digest = hmac.new(secret.encode(), raw, "sha256").hexdigest()
    assert (silent, signed) == (True, f"sha256={digest}")
    assert json.loads(raw)["content"]["synchronizationId"] == run["id"]
    assert json.loads(raw)["content"]["result"] == "success"


def test_webhooks_call_this_computer_only(platform: Platform) -> None:
    """A rehearsal must not talk to the internet."""
    body = {
        "callbackUrl": "https://example.org/hook",
        "scope": "Account",
        "eventTypes": ["synchronization.jobCompleted.v1"],
    }

    answer = platform.post("/webhooks", json=body)

    assert error_of(answer)[2] == {("InvalidValue", "callbackUrl")}


def subscribe(platform: Platform, url: str, *event_types: str) -> str:
    """Create an active webhook of the platform's iTwin and return its path."""
    body = {
        "callbackUrl": url,
        "scope": "iTwin",
        "scopeId": platform.itwin_id,
        "eventTypes": event_types,
    }
    hook = expect(platform.post("/webhooks", json=body), 201)["webhook"]
    expect(platform.patch(f"/webhooks/{hook['id']}", json={"active": True}), 200)
    return f"/webhooks/{hook['id']}"


def test_what_happens_to_an_imodel_is_delivered(
    platform: Platform, listener: tuple[str, Queue[tuple[str, bytes]]]
) -> None:
    """An event type that can be subscribed to and never comes is a broken promise."""
    url, received = listener
    hook = subscribe(platform, url, *IMODEL_EVENTS)

    imodel = platform.new_imodel()
    platform.run(platform.connect(imodel, platform.upload("a.ifc", b"a")))
    (changeset,) = platform.changesets(imodel)
    body = {"name": "One", "changesetId": changeset["id"]}
    named = expect(platform.post(f"/imodels/{imodel}/namedversions", json=body), 201)
    platform.delete(f"/imodels/{imodel}")
    events = [json.loads(received.get(timeout=10)[1]) for _ in range(4)]
    platform.delete(hook)

    of_type = {event["eventType"]: event["content"] for event in events}
    pushed = {
        "imodelId": imodel,
        "changesetId": changeset["id"],
        "changesetIndex": "1",
        "userId": changeset["creatorId"],
    }
    assert [event["eventType"] for event in events] == [
        "iModels.iModelCreated.v1",
        "iModels.changesReady.v1",
        "iModels.namedVersionCreated.v1",
        "iModels.iModelDeleted.v1",
    ]
    assert of_type["iModels.changesReady.v1"] == pushed
    version = {"versionId": named["namedVersion"]["id"]}
    assert of_type["iModels.namedVersionCreated.v1"] == pushed | version
    assert {event["iTwinId"] for event in events} == {platform.itwin_id}


def test_an_event_that_never_comes_can_not_be_subscribed_to(platform: Platform) -> None:
    """A client would wait for it for ever."""
    body = {
        "callbackUrl": "http://127.0.0.1:1/",
        "scope": "Account",
        "eventTypes": ["forms.formCreated.v1"],
    }

    created = platform.post("/webhooks", json=body)

    assert error_of(created) == (
        422,
        "InvalidCreateWebhookRequest",
        {("InvalidValue", "eventTypes")},
    )
