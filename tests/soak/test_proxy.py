"""The proxy does what it is told, else the soak would prove nothing."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from .proxy import DELAY_S, Fault, Proxy

BLOB = "/blobs/share/a?sig=x"


@dataclass
class Upstream:
    """A server that remembers the bodies it got whole."""

    proxy: Proxy
    got: list[bytes] = field(default_factory=list)

    def put(self, target: str, body: bytes) -> httpx.Response:
        """Send one request through the proxy."""
        return httpx.put(f"http://127.0.0.1:{self.proxy.port}{target}", content=body)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """A server behind a proxy."""
    got: list[bytes] = []

    class Answering(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            if len(body) == length:
                got.append(body)
                self.send_response(201)
                self.send_header("Content-Length", "4")
                self.end_headers()
                self.wfile.write(b"done")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's)
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        with Proxy(server.server_address[1]) as proxy:
            yield Upstream(proxy, got)
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("fault", "arrives"),
    [
        (Fault.DROPPED_REQUEST, False),
        (Fault.CUT_REQUEST, False),
        (Fault.DROPPED_ANSWER, True),
        (Fault.CUT_ANSWER, True),
    ],
)
def test_a_broken_exchange_is_broken_on_the_right_side(
    upstream: Upstream, fault: Fault, arrives: bool
) -> None:
    """Before and after the effect are the two cases that recovery must tell apart."""
    upstream.proxy.arm(fault, 0)

    with pytest.raises(httpx.TransportError):
        upstream.put(BLOB, b"content")

    assert [b"content"] * arrives == upstream.got
    assert upstream.proxy.done[fault] == 1


def test_a_fault_waits_for_its_request(upstream: Upstream) -> None:
    """Faults have to fall anywhere in an upload or a run, not only on its first request."""
    upstream.proxy.arm(Fault.DROPPED_REQUEST, 1)

    assert upstream.put(BLOB, b"1").status_code == 201
    with pytest.raises(httpx.TransportError):
        upstream.put(BLOB, b"2")
    assert upstream.put(BLOB, b"3").status_code == 201


def test_a_commit_tells_when_it_was_asked_for_also_if_it_was_delayed(upstream: Upstream) -> None:
    """Who asked may have been killed meanwhile, and that excuses who asks again."""
    upstream.proxy.arm(Fault.DELAY, 0)

    upstream.put(BLOB, b"content")

    (commit,) = upstream.proxy.witness.commits
    assert commit.at_s - commit.asked_s >= DELAY_S


def test_commits_are_witnessed_even_if_their_answer_is_lost(upstream: Upstream) -> None:
    """Torn content must be seen although the daemon itself may replace it before the rest."""
    upstream.put(f"{BLOB}&comp=block&blockid=MQ%3D%3D", b"one ")
    upstream.put(f"{BLOB}&comp=block&blockid=Mg%3D%3D", b"two")
    upstream.proxy.arm(Fault.DROPPED_ANSWER, 0)

    with pytest.raises(httpx.TransportError):
        upstream.put(
            f"{BLOB}&comp=blocklist",
            b"<BlockList><Latest>MQ==</Latest><Latest>Mg==</Latest></BlockList>",
        )

    committed = [(commit.blob, commit.digest) for commit in upstream.proxy.witness.commits]
    assert [("a", hashlib.sha256(b"one two").hexdigest())] == committed
