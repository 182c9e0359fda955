"""The bulk Synchronization API as an application of its own, with its own errors and description.

It has nothing in common with the platform's APIs but the server: its errors are `{"detail": ...}`.
Source: Ra Factory, "Synchronization API Overview", "Error Handling", read 2026-11.
"""

import json
from collections.abc import Callable
from typing import Annotated, Any, Final, TypeVar

from fastapi import Depends, FastAPI, Header, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from localtwin.api.bulk import shapes
from localtwin.api.envelope import BodyTooLarge
from localtwin.errors import Conflict, Forbidden, Invalid, NotFound, Refusal, Unauthorised
from localtwin.world.bulk.accounts import Accounts, Member, Tokens
from localtwin.world.bulk.records import Records
from localtwin.world.world import World

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
PREFIX: Final = "/api/v1"
_STATUS: Final[dict[type[Refusal], int]] = {
    Unauthorised: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Invalid: 400,
}
_SIGN_IN: Final[dict[int | str, dict[str, Any]]] = {
    401: {"model": shapes.Problem, "description": "No credentials, or none that are valid"}
}
_ERRORS: Final[dict[int | str, dict[str, Any]]] = _SIGN_IN | {
    400: {"model": shapes.Problem, "description": "Too many pieces, or a parent that is missing"},
    403: {"model": shapes.Problem, "description": "A scope, role or company is missing"},
    409: {"model": shapes.Problem, "description": "A GUID, address or key is there twice"},
}


class BulkMount:
    """Passes what is below /api/v1 to the bulk API, and everything else to `app`."""

    def __init__(self, app: ASGIApp, *, bulk: ASGIApp) -> None:
        self._app = app
        self._bulk = bulk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        mine = scope["type"] == "http" and scope["path"].startswith(f"{PREFIX}/")
        await (self._bulk if mine else self._app)(scope, receive, send)


def build_bulk(world: World) -> FastAPI:
    """Return the application; the caller closes the world."""
    app = FastAPI(
        title="Synchronization API",
        summary="Bulk upsert of projects, components, assemblies, pieces and articles.",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=f"{PREFIX}/docs",
        redoc_url=None,
        redirect_slashes=False,
    )

    @app.exception_handler(Refusal)
    async def on_refusal(_request: Request, refusal: Refusal) -> Response:
        return JSONResponse({"detail": refusal.message}, _STATUS[type(refusal)])

    @app.exception_handler(RequestValidationError)
    async def on_invalid(_request: Request, error: RequestValidationError) -> Response:
        # What was sent is shown, and may be what JSON has not: NaN, or half of a character.
        shown = json.dumps({"detail": jsonable_encoder(error.errors())})
        plain = json.dumps(json.loads(shown, parse_constant=str))
        return Response(plain, 422, media_type="application/json")

    @app.exception_handler(BodyTooLarge)
    async def on_flood(_request: Request, _error: BodyTooLarge) -> Response:
        return JSONResponse({"detail": "Request body is too large"}, 413)

    _accounts(app, world.bulk_accounts)
    _records(app, world.bulk_accounts, world.bulk_records)
    return app


def _caller(accounts: Accounts, authorization: str | None, key: str | None) -> Member:
    scheme, _, credential = (authorization or "").partition(" ")
    if key:
        return accounts.of_key(key)
    if scheme.lower() == "apikey":
        return accounts.of_key(credential.strip())
    if scheme.lower() == "bearer":
        return accounts.of_token(credential.strip())
    raise Unauthorised("Unauthorized", "Not authenticated")


def _accounts(app: FastAPI, accounts: Accounts) -> None:
    @app.post(f"{PREFIX}/auth/login", tags=["auth"], responses=_SIGN_IN)
    def login(body: shapes.Login) -> shapes.SignedIn:
        """Sign in with an address and a password."""
        return _signed_in(accounts.sign_in(body.email, body.password))

    @app.post(f"{PREFIX}/auth/refresh", tags=["auth"], responses=_SIGN_IN)
    def refresh(body: shapes.Refresh) -> shapes.SignedIn:
        """Return fresh tokens."""
        return _signed_in(accounts.refresh(body.refresh_token))

    @app.get(f"{PREFIX}/auth/me", tags=["auth"], responses=_SIGN_IN)
    def me(authorization: Annotated[str | None, Header()] = None) -> shapes.Me:
        """Return the account that is signed in."""
        found = _caller(accounts, authorization, None)
        return shapes.Me(
            guid=found.guid,
            email=found.email,
            role=found.role.value,
            company_guid=found.company_guid,
        )

    @app.post(
        f"{PREFIX}/api-keys",
        tags=["api-keys"],
        status_code=201,
        responses=_ERRORS | {404: {"model": shapes.Problem, "description": "No such company"}},
    )
    def add_key(
        body: shapes.NewKey, authorization: Annotated[str | None, Header()] = None
    ) -> shapes.MadeKey:
        """Make an API key; it is shown only in this answer."""
        caller = _caller(accounts, authorization, None)
        company = str(body.company_guid) if body.company_guid else caller.company_guid
        guid, text = accounts.add_key(
            caller, body.description, body.scopes, key=body.key, company_guid=company
        )
        return shapes.MadeKey(
            guid=guid,
            key=text,
            description=body.description,
            scopes=body.scopes,
            company_guid=company,
        )


def _signed_in(tokens: Tokens) -> shapes.SignedIn:
    return shapes.SignedIn(
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        role=tokens.role.value,
        expires_in=tokens.expires_in,
    )


def _records(app: FastAPI, accounts: Accounts, records: Records) -> None:
    def writer(
        authorization: Annotated[str | None, Header()] = None,
        x_api_key: Annotated[str | None, Header()] = None,
    ) -> Member:
        caller = _caller(accounts, authorization, x_api_key)
        caller.require_synchronizing()
        return caller

    caller_of = Annotated[Member, Depends(writer)]

    def write(caller: Member, entity: str, items: list[Any]) -> shapes.Counted:
        done = records.write(caller, entity, [item.given() for item in items])
        return shapes.Counted(inserted=done.inserted, updated=done.updated)

    def declare(entity: str) -> Callable[[Endpoint], Endpoint]:
        return app.post(f"{PREFIX}/sync/{entity}", tags=["sync"], responses=_ERRORS)

    @declare("projects")
    def projects(body: shapes.Projects, caller: caller_of) -> shapes.Counted:
        """Insert or update projects."""
        return write(caller, "projects", body.projects)

    @declare("components")
    def components(body: shapes.Components, caller: caller_of) -> shapes.Counted:
        """Insert or update components."""
        return write(caller, "components", body.components)

    @declare("assemblies")
    def assemblies(body: shapes.Assemblies, caller: caller_of) -> shapes.Counted:
        """Insert or update assemblies."""
        return write(caller, "assemblies", body.assemblies)

    @declare("pieces")
    def pieces(body: shapes.Pieces, caller: caller_of) -> shapes.Counted:
        """Insert or update at most 1,000 pieces."""
        return write(caller, "pieces", body.pieces)

    @declare("articles")
    def articles(body: shapes.Articles, caller: caller_of) -> shapes.Counted:
        """Insert or update articles."""
        return write(caller, "articles", body.articles)
