"""The Webhooks API, version 2; listeners are on this computer only.

Source: Webhooks API v2, "Create webhook", "Update webhook".
"""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request
from pydantic import Field
from starlette.responses import JSONResponse, Response

from localtwin.api.envelope import empty, invalid
from localtwin.api.links import PAGE, Skip, Top, caller, page_links, paged
from localtwin.api.permissions import forbidden, holds, require
from localtwin.api.request_body import RequestBody
from localtwin.errors import Detail
from localtwin.world.webhooks import ITWIN, Webhook
from localtwin.world.world import World

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_PERMISSION = "webhooks_maintainer"
_HOOKS_MAX = 10_000  # nobody has that many on one computer
Secret = Annotated[str | None, Field(min_length=32, max_length=256)]
EventType = Literal[
    "synchronization.jobCompleted.v1",
    "iModels.changesReady.v1",
    "iModels.namedVersionCreated.v1",
    "iModels.iModelCreated.v1",
    "iModels.iModelDeleted.v1",
    "iTwins.iTwinCreated.v1",
    "iTwins.iTwinDeleted.v1",
]
Events = Annotated[list[EventType], Field(alias="eventTypes", min_length=1)]


class WebhookCreate(RequestBody):
    """The body of a creation."""

    callback_url: Annotated[str, Field(alias="callbackUrl")]
    scope: Literal["Account", "iTwin"]
    scope_id: Annotated[str | None, Field(alias="scopeId")] = None
    event_types: Events
    secret: Secret = None


class WebhookUpdate(RequestBody):
    """The body of an update."""

    callback_url: Annotated[str, Field(alias="callbackUrl")] = ""
    event_types: Annotated[
        list[EventType], Field(alias="eventTypes", min_length=1, default_factory=list)
    ]
    secret: Annotated[str, Field(min_length=32, max_length=256)] = ""
    active: bool = False


def router(world: World) -> APIRouter:
    """Return the routes of webhooks."""
    checks = [Depends(_check_caller)]
    routes = APIRouter(prefix="/webhooks", tags=["Webhooks"], dependencies=checks)

    @routes.post("")
    def create(request: Request, body: WebhookCreate) -> JSONResponse:
        """Create a webhook, inactive; its secret is shown only here."""
        _check_url(request, body.callback_url)
        if body.scope == ITWIN and body.scope_id is None:
            text = "Required property is missing."
            raise invalid(request.url.path, Detail("MissingRequiredProperty", text, "scopeId"))
        if body.scope != ITWIN and body.scope_id not in {None, world.account.id}:
            text = "A local platform has one account; leave the property out, or name that one."
            raise invalid(request.url.path, Detail("InvalidValue", text, "scopeId"))
        require(world, request, _itwin_of(body.scope, body.scope_id), _PERMISSION)
        hook = world.webhooks.create(
            body.callback_url,
            scope=body.scope,
            scope_id=body.scope_id and body.scope_id.lower(),
            event_types=list(body.event_types),
            secret=body.secret,
        )
        return JSONResponse({"webhook": _shape(hook) | {"secret": hook.secret}}, 201)

    @routes.get("")
    def listing(request: Request, skip: Skip = 0, top: Top = PAGE) -> JSONResponse:
        """List the webhooks."""
        every = world.webhooks.page(skip=0, top=_HOOKS_MAX)
        seen = [
            hook
            for hook in every
            if holds(world, request, _itwin_of(hook.scope, hook.scope_id), _PERMISSION)
        ]
        page, more = paged(seen[skip : skip + top + 1], top)
        links = page_links(request, skip=skip, top=top, more=more)
        return JSONResponse({"webhooks": [_shape(hook) for hook in page], "_links": links})

    @routes.get("/{webhook_id}")
    def get(webhook_id: str) -> JSONResponse:
        """Return one webhook."""
        return JSONResponse({"webhook": _shape(world.webhooks.get(webhook_id))})

    @routes.patch("/{webhook_id}")
    def change(request: Request, webhook_id: str, body: WebhookUpdate) -> JSONResponse:
        """Change a webhook, or make it active."""
        values = body.given()
        if "callback_url" in values:
            _check_url(request, body.callback_url)
        hook = world.webhooks.change(webhook_id, values)
        return JSONResponse({"webhook": _shape(hook)})

    @routes.delete("/{webhook_id}")
    def delete(webhook_id: str) -> Response:
        """Delete a webhook."""
        world.webhooks.delete(webhook_id)
        return empty(204)

    return routes


def _check_caller(request: Request) -> None:
    """Raise Forbidden for a person: webhooks are for service applications only."""
    if caller(request).is_person:
        raise forbidden()


def _itwin_of(scope: str, scope_id: str | None) -> str:
    """Return the iTwin that a webhook is about; "" for one of the whole account."""
    return (scope_id or "") if scope == ITWIN else ""


def _check_url(request: Request, url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or parts.hostname not in _LOOPBACK:
        text = "A local platform calls back to this computer only."
        detail = Detail("InvalidValue", text, "callbackUrl")
        raise invalid(request.url.path, detail, method=request.method)


def _shape(hook: Webhook) -> dict[str, Any]:
    return {
        "id": hook.id,
        "callbackUrl": hook.callback_url,
        "scope": hook.scope,
        "scopeId": hook.scope_id,
        "eventTypes": hook.event_types,
        "active": hook.active,
    }
