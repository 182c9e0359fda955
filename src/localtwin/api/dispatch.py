"""Finds the route of a request by its shape.

A router tries its routes one by one; with this many, that costs more than most requests do. The
number of path parts, and the last part where it is a fixed word, leave one or two to try.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from fastapi import APIRouter
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

Shape = tuple[int, str]


class Dispatch(BaseRoute):
    """One route that passes each request to the few of `routes` that can match it."""

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        found = [route for route in routes if isinstance(route, Route)]
        self.words = frozenset(word for route in found for word in _fixed(route.path))
        by_shape: dict[Shape, list[BaseRoute]] = defaultdict(list)
        for route in found:
            by_shape[self._shape(route.path)].append(route)
        self._routers = {
            shape: APIRouter(routes=few, redirect_slashes=False) for shape, few in by_shape.items()
        }

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return whether some route has the shape of the request."""
        known = scope["type"] == "http" and self._shape(scope["path"]) in self._routers
        return (Match.FULL if known else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request by the routes of its shape."""
        await self._routers[self._shape(scope["path"])].app(scope, receive, send)

    def _shape(self, path: str) -> Shape:
        parts = path.split("/")
        return len(parts), parts[-1] if parts[-1] in self.words else ""


def _fixed(path: str) -> list[str]:
    return [part for part in path.split("/") if part and not part.startswith("{")]
