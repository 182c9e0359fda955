"""Sends the parts of the first page that change, as server-sent events."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Final

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from ..errors import JournalError

EVERY_S: Final = 2.0
LISTENERS_MAX: Final = 24  # browsers that look at once; each costs a look at the journal
QUIET_TICKS: Final = 8  # after which a comment shows that the line still stands


class LiveParts:
    """Sends changed parts to everybody who listens."""

    def __init__(self, render: Callable[[int], dict[str, str]]) -> None:
        """`render` returns all parts of the page of so many days; it may raise JournalError."""
        self._render = render
        self._listeners = 0

    def answer(self, request: Request, days: int) -> Response:
        """Return a stream that lasts as long as the browser listens."""
        if self._listeners >= LISTENERS_MAX:
            return PlainTextResponse("too many browsers look at once\n", 503)
        stream = self._stream(request, days)
        return StreamingResponse(stream, media_type="text/event-stream")

    async def _stream(self, request: Request, days: int) -> AsyncIterator[str]:
        self._listeners += 1
        shown: dict[str, str] = {}
        quiet = 0
        try:
            yield "retry: 3000\n\n"
            while not await request.is_disconnected():
                parts = await run_in_threadpool(self._parts, days)
                changed = {name: html for name, html in parts.items() if shown.get(name) != html}
                shown = parts
                quiet = 0 if changed else quiet + 1
                if changed:
                    yield f"event: parts\ndata: {json.dumps(changed)}\n\n"
                elif quiet >= QUIET_TICKS:
                    quiet = 0
                    yield ": still here\n\n"
                await anyio.sleep(EVERY_S)
        finally:
            self._listeners -= 1

    def _parts(self, days: int) -> dict[str, str]:
        try:
            return self._render(days)
        except JournalError:
            return {}  # the page keeps what it shows; a reload says why
