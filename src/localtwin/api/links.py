"""Hrefs and pages.

Source: iTwin Platform, "$skip, $top"; Storage API, "_links".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from fastapi import Query, Request

from localtwin.world.access.clients import Caller
from localtwin.world.world import World

T = TypeVar("T")

PAGE = 100
_HOST = re.compile(r"[A-Za-z0-9.\-]+(:\d{1,5})?|\[[0-9a-fA-F:]+\](:\d{1,5})?")

Skip = Annotated[int, Query(alias="$skip", ge=0, le=2**31)]
Top = Annotated[int, Query(alias="$top", ge=1, le=1000)]


def origin(request: Request) -> str:
    """Return scheme, host and port as the client reached this server."""
    host = request.headers.get("host", "")
    if not _HOST.fullmatch(host):
        address, port = request.scope.get("server") or ("127.0.0.1", 80)
        host = f"{address}:{port}"
    return f"{request.scope['scheme']}://{host}"


def caller(request: Request) -> Caller:
    """Return who is calling; only behind the gateway."""
    found: Caller = request.scope["state"]["caller"]
    return found


def world_of(request: Request) -> World:
    """Return the world that the request is about."""
    world: World = request.app.state.world
    return world


def wants_representation(request: Request) -> bool:
    """Return whether the request prefers whole items to the minimum.

    Source: iTwin Platform, "Prefer: return=minimal | return=representation".
    """
    return "return=representation" in request.headers.get("prefer", "").replace(" ", "").lower()


def link(href: str) -> dict[str, str]:
    """Return a link."""
    return {"href": href}


def paged(found: Sequence[T], top: int) -> tuple[Sequence[T], bool]:
    """Return the page of `found`, fetched with one more than `top`, and whether more follow."""
    return found[:top], len(found) > top


def page_links(request: Request, *, skip: int, top: int, more: bool) -> dict[str, Any]:
    """Return self, prev and next; prev and next are null where there is no such page."""
    return {
        "self": link(_page(request, skip, top)),
        "prev": link(_page(request, max(0, skip - top), top)) if skip else None,
        "next": link(_page(request, skip + top, top)) if more else None,
    }


def _page(request: Request, skip: int, top: int) -> str:
    kept = request.url.include_query_params(**{"$skip": skip, "$top": top})
    return f"{origin(request)}{kept.path}?{kept.query}"
