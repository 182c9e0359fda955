"""The gateway in front of every API: paths, query names, sign-in, versions, correlation.

Pure ASGI, because it runs on every request. Source: iTwin Platform, "Authorization", "Versioning";
paths without regard to case, with or without a trailing slash: clients use all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from localtwin.api.envelope import BodyTooLarge, refused, resource_not_found, too_large
from localtwin.api.fault_injection import RateLimit, throttled
from localtwin.errors import Refusal, Unauthorised
from localtwin.ids import is_guid, new_guid
from localtwin.world.access.clients import Access, Caller

_VERSION = re.compile(r"application/vnd\.bentley\.itwin-platform\.v(\d+)\+json", re.IGNORECASE)
# The versions each API has; any other is unknown to the gateway.
_VERSIONS = {
    "synchronization": {"1"},
    "storage": {"1"},
    "itwins": {"1"},
    "imodels": {"2"},
    "webhooks": {"2"},
    "users": {"1"},
    "accesscontrol": {"1", "2"},
    "localtwin": {"1"},
}
# No operation of the platform takes more than a list of files; contents go to the blob endpoint.
BODY_BYTES = 8 << 20
# A form is taken apart on the event loop; none of a sign-in or of a page is longer than this.
_FORM_BYTES = 64 << 10
_QUERY_NAMES = {
    name.lower(): name
    for name in (
        "$continuationToken",
        "$orderBy",
        "$search",
        "$skip",
        "$top",
        "afterIndex",
        "displayName",
        "iTwinId",
        "imodelId",
        "lastIndex",
        "name",
        "number",
        "redirectUrl",
        "runId",
        "state",
        "taskId",
    )
} | {"projectid": "iTwinId"}


class Gateway:
    """Passes authenticated requests on to `app`, with paths and query names in one spelling."""

    def __init__(
        self, app: ASGIApp, *, access: Access, words: Iterable[str], limit: RateLimit
    ) -> None:
        self._app = app
        self._access = access
        self._words = frozenset(words)
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["path"].startswith("/blobs/"):  # signed as they are spelt
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        path = canonical_path(scope["path"], self._words)
        api = path.lstrip("/").partition("/")[0]
        if path.startswith("/api/v1/"):  # signs in, and answers errors, in its own way
            await self._app({**scope, "path": path}, _bounded(receive, BODY_BYTES), send)
            return
        if api not in _VERSIONS:
            answer = too_large() if _length(headers) > _FORM_BYTES else self._app
            await answer({**scope, "path": path}, _bounded(receive, _FORM_BYTES), send)
            return
        send = _correlated(send, headers.get(b"x-correlation-id", b"").decode("latin-1"))
        try:
            caller = self._caller(headers)
            wait_s = self._limit.retry_after_s(caller.client_id)
            send = _telling(send, self._limit.headers_for(caller.client_id))
            if wait_s is not None:
                await throttled({**scope, "path": path}, wait_s)(scope, receive, send)
                return
            if _length(headers) > BODY_BYTES:
                raise BodyTooLarge
            _check_version(headers.get(b"accept", b"").decode("latin-1"), api)
        except Refusal as refusal:
            await refused(refusal)(scope, receive, send)
            return
        except BodyTooLarge:
            await too_large()(scope, receive, send)
            return
        receive = _bounded(receive, BODY_BYTES)
        query = canonical_query(scope["query_string"].decode("latin-1"))
        state = dict(scope.get("state", {})) | {"caller": caller}
        if b"content-type" not in headers:  # what the APIs take is JSON, said or not
            json = (b"content-type", b"application/json")
            scope = {**scope, "headers": [*scope["headers"], json]}
        changed = {"path": path, "query_string": query.encode("latin-1"), "state": state}
        await self._app({**scope, **changed}, receive, send)

    def _caller(self, headers: dict[bytes, bytes]) -> Caller:
        header = headers.get(b"authorization")
        if header is None:
            raise Unauthorised(
                "HeaderNotFound",
                "Header Authorization was not found in the request. Access denied.",
            )
        scheme, _, token = header.decode("latin-1").partition(" ")
        return self._access.caller(token.strip() if scheme.lower() == "bearer" else "")


def canonical_path(path: str, words: frozenset[str]) -> str:
    """Return `path` with the APIs' own words and GUIDs in lower case, without a slash at the end.

    Storage ids keep their case: it carries meaning.
    """
    parts = [part.lower() if _is_caseless(part, words) else part for part in path.split("/")]
    return "/".join(parts).rstrip("/") or "/"


def canonical_query(query: str) -> str:
    """Return `query` with the known names spelt as the routes declare them."""
    if not query:
        return query
    return "&".join(_spelt(pair) for pair in query.split("&"))


def _spelt(pair: str) -> str:
    name, equals, value = pair.partition("=")
    return _QUERY_NAMES.get(unquote(name).lower(), name) + equals + value


def _is_caseless(part: str, words: frozenset[str]) -> bool:
    return part.lower() in words or is_guid(part)


def _check_version(accept: str, api: str) -> None:
    asked = set(_VERSION.findall(accept))
    if asked and not _VERSIONS[api] & asked:
        raise resource_not_found()


def _length(headers: dict[bytes, bytes]) -> int:
    return int(headers.get(b"content-length", b"0"))


def _bounded(receive: Receive, size_bytes: int) -> Receive:
    """Return `receive`, which fails when a body turns out longer than `size_bytes`."""
    left = size_bytes

    async def within_bounds() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise BodyTooLarge
        return message

    return within_bounds


def _correlated(send: Send, given: str) -> Send:
    correlation = given or new_guid()

    async def with_header(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message)["x-correlation-id"] = correlation
        await send(message)

    return with_header


def _telling(send: Send, headers: dict[str, str]) -> Send:
    """Return `send`, which adds these headers to the answer."""
    if not headers:
        return send

    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(headers)
        await send(message)

    return with_headers
