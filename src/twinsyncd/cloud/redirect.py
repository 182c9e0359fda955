"""Waits on this machine for a browser that comes back from a page, once.

Only loopback addresses are listened on. Every connection has its own thread and time limit:
browsers open connections ahead that carry nothing.
Source: RFC 8252, 7.3 and 8.3 (the port is open only while a sign-in is under way).
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, Self
from urllib.parse import parse_qsl, urlsplit

from ..core.model import Failure, Fault
from ..errors import CloudError

REQUEST_S: Final = 10.0  # a connection that carries no request is closed
THANKS_PATH: Final = "/thank-you"  # where another page may send the browser
_PAGE: Final = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>twinsyncd</title><p>{}</p></html>'
)
_DONE: Final = "Thank you. You may close this page and return to twinsyncd."
_FAILED: Final = "This is not the answer that twinsyncd waits for. Begin again: twinsyncd login"

Query = dict[str, str]


class Redirect:
    """Listens at a loopback URL until one request is accepted."""

    def __init__(self, url: str, accepts: Callable[[Query], bool]) -> None:
        """Listen at `url` (port 0: a free one). Raises CloudError if that is not possible.

        `accepts` decides, on another thread, whether a request is the one that is waited for.
        """
        parts = urlsplit(url)
        self._path = parts.path or "/"
        self._accepts = accepts
        self._arrived = threading.Event()
        self._query: Query | None = None
        self._lock = threading.Lock()
        address = "::1" if parts.hostname == "::1" else "127.0.0.1"
        try:
            self._server = _Server((address, parts.port or 0), self)
        except OSError as exc:
            message = (
                f"nothing can listen at {url} ({exc.strerror}); close the program that does, or "
                "change redirect_url in [auth] and in the portal"
            )
            raise CloudError("sign in", Failure(Fault.REFUSED, message)) from exc
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        self._base = f"http://{host}:{self._server.server_address[1]}"
        self.url = f"{self._base}{self._path}"
        self.thanks_url = f"{self._base}{THANKS_PATH}"

    def __enter__(self) -> Self:
        """Begin to listen."""
        serve = self._server.serve_forever
        threading.Thread(target=serve, args=(0.05,), name="redirect", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Close the port; connections under way end by themselves."""
        self._server.shutdown()
        self._server.server_close()

    def wait(self, timeout_s: float) -> Query | None:
        """Return what the browser brought; None if it did not come within `timeout_s` [s]."""
        self._arrived.wait(timeout_s)
        with self._lock:
            return self._query

    def deliver(self, target: str) -> bool:
        """Take the path and query of a request, or a whole address; return if it is accepted."""
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query))
        with self._lock:
            if self._query is not None or parts.path != self._path or not self._accepts(query):
                return False
            self._query = query
        self._arrived.set()
        return True


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = os.name == "posix"  # elsewhere it would take another program's port

    def __init__(self, address: tuple[str, int], redirect: Redirect) -> None:
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        self.redirect = redirect
        super().__init__(address, _Answer)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a browser that hangs up is no error."""


class _Answer(BaseHTTPRequestHandler):
    timeout = REQUEST_S
    server: _Server

    def do_GET(self) -> None:
        """Answer the browser."""
        redirect = self.server.redirect
        good = redirect.deliver(self.path) or urlsplit(self.path).path == THANKS_PATH
        body = _PAGE.format(_DONE if good else _FAILED).encode()
        self.send_response(200 if good else 400)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Content-Security-Policy", "default-src 'none'")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing: the path holds the code."""
