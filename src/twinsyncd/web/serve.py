"""Serves the page on a thread of its own; whatever happens to it, the daemon goes on.

A port that is taken, or a certificate that cannot be read, is reported and tried again.
"""

from __future__ import annotations

import errno
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final

import structlog
import uvicorn
from starlette.types import ASGIApp

from ..core.waits import delay_s

STOP_S: Final = 3.0  # the daemon ends within ten seconds, whoever still reads a page
ENDING_S: Final = 1  # for answers that are being sent
RETRY_CAP_S: Final = 60.0
AT_ONCE: Final = 64  # requests; a browser needs a few, whoever needs more is refused with 503
BACKLOG: Final = 64

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page is served."""

    address: str
    port: int
    certificate: Path | None = None
    key: Path | None = None

    @property
    def url(self) -> str:
        """Its address in a browser on this machine."""
        shown = {"0.0.0.0": "localhost", "::": "localhost"}.get(self.address, self.address)  # noqa: S104 - compared, not listened on
        host = f"[{shown}]" if ":" in shown else shown
        return f"{'https' if self.certificate else 'http'}://{host}:{self.port}/"


class PageServer:
    """Serves while its context lasts. `report` gets the reason why it cannot, or ""."""

    def __init__(self, app: ASGIApp, place: Place, report: Callable[[str], None]) -> None:
        """Serve nothing yet."""
        self._app = app
        self._place = place
        self._report = report
        self._stopping = threading.Event()
        self._server: uvicorn.Server | None = None
        self._thread = threading.Thread(target=self._run, name="page", daemon=True)

    def __enter__(self) -> PageServer:
        """Begin; returns at once."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End; a thread that does not is left behind, and ends with the process."""
        self._stopping.set()
        if self._server is not None:
            self._server.should_exit = True
        self._thread.join(STOP_S)

    def _run(self) -> None:
        attempts = 0
        while not self._stopping.is_set():
            try:
                self._serve()
            except (OSError, RuntimeError) as exc:
                attempts += 1
                reason = reason_of(exc, self._place)
                log.warning("page.not_served", url=self._place.url, reason=reason)
                self._report(reason)
                self._stopping.wait(delay_s(attempts, 0.0, cap_s=RETRY_CAP_S))

    def _serve(self) -> None:
        """Serve until stopped. Raises OSError when the place cannot be used."""
        config = uvicorn.Config(
            self._app,
            log_config=None,
            access_log=False,
            lifespan="off",
            loop="asyncio",
            http="h11",
            ws="none",
            proxy_headers=False,
            server_header=False,
            limit_concurrency=AT_ONCE,
            timeout_graceful_shutdown=ENDING_S,
            ssl_certfile=self._place.certificate,
            ssl_keyfile=self._place.key,
        )
        with listening(self._place) as listener:
            config.load()  # reads the certificate
            self._server = uvicorn.Server(config)
            if self._stopping.is_set():
                return
            log.info("page.served", url=self._place.url)
            self._report("")
            self._server.run(sockets=[listener])


def listening(place: Place) -> socket.socket:
    """Return a socket that listens there. Raises OSError."""
    family = socket.AF_INET6 if ":" in place.address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):  # Windows: else two programs share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((place.address, place.port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def reason_of(exc: Exception, place: Place) -> str:
    """Return why the page is not served, and what to do."""
    if isinstance(exc, ssl.SSLError):
        return (
            f"the certificate or its key cannot be used ({exc.reason}); they must belong together"
        )
    match exc:
        case OSError(errno=errno.EADDRINUSE):
            return f"port {place.port} is in use by another program; choose another port in [page]"
        case OSError(errno=errno.EADDRNOTAVAIL):
            return f"{place.address} is no address of this machine; correct address in [page]"
        case OSError(errno=errno.EACCES) if place.port < 1024:
            return f"port {place.port} is for the system; choose one above 1023 in [page]"
        case OSError(filename=str(file), strerror=str(text)):
            return f"{file} cannot be read: {text}"
        case _:
            return str(exc)
