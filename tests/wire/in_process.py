"""Calls an application without a network."""

from __future__ import annotations

import asyncio

import httpx
from starlette.applications import Starlette


class InProcess(httpx.BaseTransport):
    """Calls an ASGI application without a socket, from plain functions."""

    def __init__(self, app: Starlette) -> None:
        self._inner = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        self._runner = asyncio.Runner()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._runner.run(self._answer(request))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        try:
            answer = await self._inner.handle_async_request(request)
        except AssertionError as broken:  # an answer that ends too early, as a fault demands
            raise httpx.RemoteProtocolError("the connection broke") from broken
        body = await answer.aread()
        return httpx.Response(answer.status_code, headers=answer.headers, content=body)

    def close(self) -> None:
        self._runner.close()
