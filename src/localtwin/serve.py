"""Starts and stops the server: from a program, a test, or the command line."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from localtwin.api.app import build
from localtwin.errors import NotFound, SetupError
from localtwin.faults import Switch
from localtwin.http_limits import HTTP_LIMITS, HttpLimits, limited_protocol
from localtwin.signals import stop_on_signals
from localtwin.tls import certified_names, check_certificate, public_name
from localtwin.world.synchronization.run_executor import Limits
from localtwin.world.world import World

_BACKLOG = 512
_KEEP_ALIVE_S = 75
_PORT_FILE = "port"
_ALL_ADDRESSES = {"0.0.0.0", "::"}  # noqa: S104 (names of no host)


@dataclass(frozen=True, slots=True)
class Settings:
    """How to serve; port 0 means the port used last, or a free one."""

    data: Path
    host: str = "127.0.0.1"
    port: int = 0
    workers: int = 2
    run_limit_s: float = 3600.0
    run_delay_s: float = 0.0
    run_memory_bytes: int | None = 8 << 30  # address space of one worker; not on Windows
    job_module: str = "localtwin.world.synchronization.worker.job"
    faults: tuple[Switch, ...] = ()
    admin_routes: bool = False
    requests_per_minute: int | None = None
    rate_headers: str = "none"
    expose: bool = False
    certificate: Path | None = None
    private_key: Path | None = None
    http_limits: HttpLimits = HTTP_LIMITS
    permissions: tuple[str, ...] | None = None  # all that the client to sign in with may do
    bulk_snapshot: bool = False  # the bulk API deletes what a request leaves out

    def run_limits(self) -> Limits:
        """Return what a run may use."""
        return Limits(
            workers=self.workers,
            run_s=self.run_limit_s,
            delay_s=self.run_delay_s,
            memory_bytes=self.run_memory_bytes,
            module=self.job_module,
        )


@dataclass(frozen=True, slots=True)
class Ready:
    """A server that accepts requests, and how to sign in to it."""

    api_url: str
    issuer_url: str
    client_id: str
    client_secret: str
    itwin_id: str
    imodel_id: str  # some iModel of that iTwin; made when there is none
    data: Path
    certificate: Path | None = None  # what others see; they must trust it
    bulk_company_guid: str = ""
    bulk_api_key: str = ""


def create_app(settings: Settings, *, warm: bool = False) -> FastAPI:
    """Return the application over the world in `settings.data`.

    Its lifespan starts the runs and closes the world; without one, close `app.state.world`.
    Raises SetupError when the folder is in use.
    """
    world = World(settings.data, limits=settings.run_limits(), faults=settings.faults)
    world.bulk_records.snapshot = settings.bulk_snapshot
    return build(
        world,
        warm=warm,
        admin_routes=settings.admin_routes,
        requests_per_minute=settings.requests_per_minute,
        rate_headers=settings.rate_headers,
        hosts=_hosts(settings),
    )


def serve(
    settings: Settings,
    on_ready: Callable[[Ready], None] | None = None,
    stop: threading.Event | None = None,
    around: Callable[[ASGIApp], ASGIApp] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, or until `stop` is set.

    `around` may wrap the application, to watch what goes over the wire. Signals are received in the
    main thread only; elsewhere give a `stop`. Raises SetupError when the folder or the address is
    not usable.
    """
    _refuse_exposure(settings)
    check_certificate(settings.certificate, settings.private_key)
    app = create_app(settings, warm=True)
    world: World = app.state.world
    try:
        listening = _listen(settings)
    except SetupError:
        world.close()
        raise
    with listening, stop_on_signals():
        ready = _ready(settings, listening, world)
        config = uvicorn.Config(
            app if around is None else around(app),
            http=limited_protocol(settings.http_limits),
            ws="none",
            log_config=None,
            access_log=False,
            backlog=_BACKLOG,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=5,
            ssl_certfile=settings.certificate,
            ssl_keyfile=settings.private_key,
        )
        _Server(config, lambda: on_ready and on_ready(ready), stop).run(sockets=[listening])


@contextlib.contextmanager
def serving(
    settings: Settings, around: Callable[[ASGIApp], ASGIApp] | None = None
) -> Iterator[Ready]:
    """Serve in a thread while the context lasts."""
    stop, started = threading.Event(), threading.Event()
    answers: list[Ready] = []
    failures: list[BaseException] = []

    def announce(ready: Ready) -> None:
        answers.append(ready)
        started.set()

    def work() -> None:
        try:
            serve(settings, announce, stop, around)
        except BaseException as failure:  # noqa: BLE001 (passed to the waiting thread)
            failures.append(failure)
        started.set()

    thread = threading.Thread(target=work, name="localtwin")
    thread.start()
    try:
        started.wait()
        if not answers:
            raise failures[0] if failures else SetupError("the server ended before it was ready")
        yield answers[0]
    finally:
        stop.set()
        thread.join()


class _Server(uvicorn.Server):
    """Calls `on_ready` once it accepts requests, and ends when `stop` is set."""

    def __init__(
        self,
        config: uvicorn.Config,
        on_ready: Callable[[], object],
        stop: threading.Event | None,
    ) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._stop = stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.should_exit:
            self._on_ready()

    async def on_tick(self, counter: int) -> bool:
        if self._stop is not None and self._stop.is_set():
            self.should_exit = True
        return await super().on_tick(counter)


def _hosts(settings: Settings) -> list[str]:
    """Return the names, beside loopback, that clients may call the server by."""
    served = [] if settings.host in _ALL_ADDRESSES else [settings.host]
    return [*served, *certified_names(settings.certificate)]


def _refuse_exposure(settings: Settings) -> None:
    """Raise SetupError unless others can reach it only with --expose and a certificate."""
    try:
        alone = ipaddress.ip_address(settings.host).is_loopback
    except ValueError:
        alone = settings.host == "localhost"
    if alone or (settings.expose and settings.certificate and settings.private_key):
        return
    raise SetupError(
        f"{settings.host} can be reached by other machines; "
        "that needs --expose and a certificate with its private key"
    )


def _listen(settings: Settings) -> socket.socket:
    """Return a socket on the configured port, on the one used last, or on a free one."""
    remembered = settings.data / _PORT_FILE
    ports = [settings.port] if settings.port else [*_read_port(remembered), 0]
    for port in ports:
        try:
            listening = _bind(settings.host, port)
        except OSError as busy:
            if port == ports[-1]:
                reason = busy.strerror or str(busy)
                raise SetupError(
                    f"{settings.host}:{port} can't be used ({reason}); choose another --port"
                ) from busy
            continue
        remembered.write_text(str(listening.getsockname()[1]), encoding="ascii")
        return listening
    raise AssertionError("the last port either binds or raises")


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio switches off the delay that costs 40 ms an answer.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if hasattr(socket, "SO_REUSEADDR"):
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(_BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening


def _read_port(file: Path) -> list[int]:
    try:
        return [int(file.read_text("ascii"))]
    except (OSError, ValueError):
        return []


def _ready(settings: Settings, listening: socket.socket, world: World) -> Ready:
    host, scheme = settings.host, "http"
    if settings.certificate is not None:
        host, scheme = public_name(settings.certificate, host), "https"
    host = f"[{host}]" if ":" in host else host
    url = f"{scheme}://{host}:{listening.getsockname()[1]}"
    itwin_id = _some_itwin(world)
    few = settings.permissions
    made = world.credentials if few is None else world.restricted_credentials(itwin_id, few)
    return Ready(
        api_url=url,
        issuer_url=url,
        client_id=made.client_id,
        client_secret=made.client_secret,
        itwin_id=itwin_id,
        imodel_id=_some_imodel(world, itwin_id),
        data=settings.data,
        certificate=settings.certificate,
        bulk_company_guid=world.bulk_credentials().company_guid,
        bulk_api_key=world.bulk_credentials().api_key,
    )


def _some_itwin(world: World) -> str:
    """Return an iTwin to begin with: the one that the first start made, or another, or a new one.

    A user who deleted theirs must be able to start again.
    """
    made = world.credentials
    there = [itwin.id for itwin in world.itwins.page(skip=0, top=1)]
    try:
        return world.itwins.get(made.itwin_id).id
    except NotFound:
        if there:
            return there[0]
    user = world.access.user_id(made.client_id)
    return world.itwins.create("Local iTwin", properties={}, number=None, user=user).id


def _some_imodel(world: World, itwin_id: str) -> str:
    """Return an iModel to begin with: the first of the iTwin, or a new one."""
    there = world.imodels.page(itwin_id, skip=0, top=1)
    if there:
        return there[0].id
    user = world.access.user_id(world.credentials.client_id)
    return world.imodels.create(itwin_id, "Local iModel", user=user).id
