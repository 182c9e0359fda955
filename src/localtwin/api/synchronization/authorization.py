"""Authorization information: whether runs may act for the calling user.

Source: Synchronization API, "Get authorization information".
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse

from localtwin.api.envelope import invalid, not_valid
from localtwin.api.links import caller, link, origin
from localtwin.faults import Fault
from localtwin.world.world import World


def router(world: World) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/synchronization/imodels/connections", tags=["Authorization"])

    @routes.get("/authorizationinformation")
    def authorization(
        request: Request, redirect_url: Annotated[str | None, Query(alias="redirectUrl")] = None
    ) -> JSONResponse:
        """Return whether runs may act for the calling user."""
        if redirect_url is not None and not _is_web_address(redirect_url):
            raise invalid(request.url.path, not_valid("redirectUrl"))
        who, here = caller(request), origin(request)
        asked = world.access.ask_consent(who, redirect_url=redirect_url or "", issuer=here)
        signed_out = any(switch.kind is Fault.UNAUTHENTICATED_RUN for switch in world.faults.on())
        if who.is_person and world.faults.take(Fault.EXPIRED_AUTHORIZATION):
            world.grants.expire_runs(who.user_id)
        agreed = not who.is_person or world.grants.runs_authorised(who.user_id)
        information = {
            "isUserAuthorized": agreed and not signed_out,
            "_links": {"authorizationUrl": link(f"{here}/connect/consent?request={asked}")},
        }
        return JSONResponse({"authorizationInformation": information})

    return routes


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:  # brackets that are no IPv6 address
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)
