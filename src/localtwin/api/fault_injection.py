"""Makes requests fail as the faults demand, and limits the request rate of clients.

Source: iTwin Platform, "Rate limits": 429 with Retry-After and ITwinPlatform-RateLimited headers.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter, deque

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from localtwin.api.blobs.errors import blob_refused
from localtwin.api.envelope import invalid, refused
from localtwin.errors import BlobRefusal, Unauthorised
from localtwin.faults import Fault, Faults, Switch
from localtwin.world.clock import Clock

_BEFORE = (Fault.THROTTLE, Fault.ERROR, Fault.SIGNED_OUT, Fault.LATE_EFFECT, Fault.LOST_ANSWER)
_TIER = "Local"
NO_HEADERS, IETF_HEADERS, X_HEADERS = "none", "ietf", "x"
HEADERS = (NO_HEADERS, IETF_HEADERS, X_HEADERS)
"""How an ordinary answer reports the rate limit; the platform's pages name no way."""
# What a client may decide by; every other status is answered as an outage.
_CODES = {403: "InsufficientPermissions", 404: "ResourceNotFound", 409: "Conflict"}
_LIMIT = (
    "RateLimitExceeded",
    "The client sent more requests than allowed by this API for the current tier.",
)
# Source: Synchronization API and Storage API, error examples of 429.
_OLD_LIMIT = (
    "TooManyRequests",
    "More requests were received than the subscription rate-limit allows.",
)


class FaultInjection:
    """Middleware between the gateway and the APIs."""

    def __init__(self, app: ASGIApp, *, faults: Faults, clock: Clock) -> None:
        self._app = app
        self._faults = faults
        self._clock = clock
        self._late: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or fail it."""
        if scope["type"] != "http" or scope["path"].startswith("/localtwin"):
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        latency = self._faults.take(Fault.LATENCY, path=path)
        if latency is not None:
            await asyncio.sleep(latency.value)
        if path.startswith("/blobs") and self._faults.take(Fault.EXPIRED_URL, path=path):
            refusal = BlobRefusal(
                "AuthenticationFailed", AuthenticationErrorDetail="Signature not valid: expired."
            )
            answer = blob_refused(refusal, now=self._clock(), head=scope["method"] == "HEAD")
            await answer(scope, receive, send)
            return
        switch = self._faults.take(*_BEFORE, path=path)
        if switch is None:
            await self._app(scope, receive, send)
        else:
            await self._fail(switch, scope, receive, send)

    async def _fail(self, switch: Switch, scope: Scope, receive: Receive, send: Send) -> None:
        to_blob = scope["path"].startswith("/blobs")
        match switch.kind:
            case Fault.THROTTLE | Fault.ERROR if to_blob:
                await blob_refused(BlobRefusal("ServerBusy"), now=self._clock(), head=False)(
                    scope, receive, send
                )
            case Fault.THROTTLE:
                await throttled(scope, int(switch.value))(scope, receive, send)
            case Fault.SIGNED_OUT:
                if scope["path"].startswith("/api/"):
                    await _failed(401, scope)(scope, receive, send)
                    return
                expired = Unauthorised("Unauthorized", "Access token has expired.")
                await refused(expired)(scope, receive, send)
            case Fault.LOST_ANSWER:
                await self._app(scope, receive, _discard)
                await _break_connection(send)
            case Fault.LATE_EFFECT:
                await self._later(switch.value, scope, receive)
                await _failed(504, scope)(scope, receive, send)
            case _:
                await _failed(int(switch.value), scope)(scope, receive, send)

    async def _later(self, delay_s: float, scope: Scope, receive: Receive) -> None:
        # Kept as it came: joining a large body, piece by piece, would hold up every other request.
        kept: deque[Message] = deque()
        while not kept or kept[-1].get("more_body"):
            kept.append(await receive())

        async def replay() -> Message:
            if not kept:  # the client is gone, but must not look so: the effect is what counts
                await asyncio.Event().wait()
            return kept.popleft()

        async def act() -> None:
            await asyncio.sleep(delay_s)
            await self._app(scope, replay, _discard)

        task = asyncio.create_task(act())
        self._late.add(task)
        task.add_done_callback(self._late.discard)


class RateLimit:
    """Counts the requests of each client per minute of the clock; None: no limit."""

    def __init__(self, per_minute: int | None, clock: Clock, headers: str = NO_HEADERS) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._headers = headers
        self._counted: Counter[str] = Counter()
        self._minute = 0
        self._lock = threading.Lock()

    def retry_after_s(self, client_id: str) -> int | None:
        """Return None to admit a request, else the seconds to wait."""
        if self._per_minute is None:
            return None
        now = int(self._clock().timestamp())
        with self._lock:
            if now // 60 != self._minute:
                self._minute = now // 60
                self._counted.clear()
            self._counted[client_id] += 1
            return 60 - now % 60 if self._counted[client_id] > self._per_minute else None

    def headers_for(self, client_id: str) -> dict[str, str]:
        """Return the headers that report what is left of its minute.

        Source: IETF draft "RateLimit header fields for HTTP", -10; X-RateLimit-* by custom.
        """
        if self._per_minute is None or self._headers == NO_HEADERS:
            return {}
        resets_s = 60 - int(self._clock().timestamp()) % 60
        with self._lock:
            left = max(self._per_minute - self._counted[client_id], 0)
        if self._headers == IETF_HEADERS:
            return {
                "RateLimit": f'"minute";r={left};t={resets_s}',
                "RateLimit-Policy": f'"minute";q={self._per_minute};w=60',
            }
        return {
            "X-RateLimit-Limit": str(self._per_minute),
            "X-RateLimit-Remaining": str(left),
            "X-RateLimit-Reset": str(resets_s),
        }


def throttled(scope: Scope, retry_after_s: int) -> JSONResponse:
    """Return the 429 for a request."""
    api, _, operation = scope["path"].strip("/").partition("/")
    if api == "api":
        wait = {"Retry-After": str(max(1, retry_after_s))}
        return JSONResponse({"detail": "Too many requests"}, 429, wait)
    code, text = _OLD_LIMIT if api in {"synchronization", "storage"} else _LIMIT
    headers = {
        "Retry-After": str(max(1, retry_after_s)),
        "ITwinPlatform-RateLimited-Tier": _TIER,
        "ITwinPlatform-RateLimited-API": api,
        "ITwinPlatform-RateLimited-Operation": f"{scope['method']} {operation}",
        "ITwinPlatform-RateLimited-Application": "localtwin",
    }
    return JSONResponse({"error": {"code": code, "message": text}}, 429, headers)


def _failed(status: int, scope: Scope) -> JSONResponse:
    if scope["path"].startswith("/api/"):
        return JSONResponse({"detail": "Injected fault."}, status)
    if status == 422:
        return refused(invalid(scope["path"], method=scope["method"]))
    code = _CODES.get(status, "ServiceUnavailable")
    body = {"error": {"code": code, "message": "Injected fault."}}
    return JSONResponse(body, status)


async def _discard(_message: Message) -> None:
    return


async def _break_connection(send: Send) -> None:
    """Announce a body and send less, so that the server closes the connection."""
    headers = [(b"content-length", b"1000000")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b" ", "more_body": True})
