"""Real targets: what is sent over a socket, and what an error shows of an address."""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from twinsyncd.errors import AppError
from twinsyncd.notify.ping import ping
from twinsyncd.notify.targets import Target, targets_of

PASSWORD = "pa55w0rd-of-mail"


class Hook(HTTPServer):
    """A chat service on this machine."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.got: list[dict[str, Any]] = []
        super().__init__(("127.0.0.1", 0), HookRequest)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])


class HookRequest(BaseHTTPRequestHandler):
    """One request."""

    server: Hook

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.server.got.append(json.loads(self.rfile.read(length)))
        self._answer()

    def do_GET(self) -> None:
        self.server.got.append({"path": self.path})
        self._answer()

    def _answer(self) -> None:
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Keep quiet."""


@contextmanager
def hook(status: int = 200) -> Iterator[Hook]:
    """Yield a chat service that answers so."""
    with Hook(status) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def test_a_message_arrives_as_it_was_written() -> None:
    """Names of files hold signs that a chat service might take for its own."""
    with hook() as server:
        (target,) = targets_of([f"json://127.0.0.1:{server.port}/x"])
        error = target.send("2 < 3: *b*.dgn", "first\nsecond & <third>")

    assert error == ""
    assert server.got[0]["title"] == "2 < 3: *b*.dgn"
    assert server.got[0]["message"] == "first\nsecond & <third>"


def test_a_refusal_says_why_and_shows_no_secret() -> None:
    """The reason is shown by status and on the page, and nothing more in the log (P11)."""
    logged = io.StringIO()
    handler = logging.StreamHandler(logged)
    logging.getLogger().addHandler(handler)
    with hook(403) as server:
        target = Target(f"json://person:{PASSWORD}@127.0.0.1:{server.port}/t0ken-of-chat", 1)
        error = target.send("a", "b")
    logging.getLogger().removeHandler(handler)

    assert "403" in error
    assert logged.getvalue() == ""
    assert PASSWORD not in error
    assert "t0ken-of-chat" not in error
    assert PASSWORD not in target.name + target.id


def test_a_target_that_does_not_answer_is_reported() -> None:
    """A chat service that is away is an error like others, not an exception."""
    with hook() as server:
        port = server.port
    (target,) = targets_of([f"json://127.0.0.1:{port}/x"])

    assert target.send("a", "b")


@pytest.mark.parametrize("url", ["mail me", f"nosuch://person:{PASSWORD}@example.com"])
def test_an_address_that_nobody_understands_is_named_by_its_number(url: str) -> None:
    """It holds a password, so the message may not repeat it."""
    with pytest.raises(AppError, match="number 2") as error:
        targets_of(["json://127.0.0.1:1/x", url])

    assert PASSWORD not in str(error.value) + error.value.hint


def test_a_ping_is_a_plain_request() -> None:
    """Every monitoring service takes one, and whether it was taken is shown."""
    with hook() as server:
        taken = ping(f"http://127.0.0.1:{server.port}/check-id")
    with hook(404) as gone:
        refused = ping(f"http://127.0.0.1:{gone.port}/check-id")
    away = ping(f"http://127.0.0.1:{gone.port}/check-id")

    assert (taken, server.got) == ("", [{"path": "/check-id"}])
    assert "404" in refused
    assert "does not answer" in away
    assert "check-id" not in refused + away
