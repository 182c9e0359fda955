"""Refuses what the caller's roles do not permit, before the request reaches its operation.

Who may not even see a thing gets the operation's own 404 where it has one; who may see it, but not
do this, gets the platform's 403. What does not exist is left to the operation, as is what only the
body names (`require`). Pure ASGI, because it runs on every request.
Source: iTwin Platform, "Error handling" (403 InsufficientPermissions); Storage API, "Authorization"
of each operation. The other APIs do not say it for each; theirs follow from the permissions' names.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from localtwin.api.envelope import refused
from localtwin.api.links import caller
from localtwin.errors import Forbidden, NotFound, Refusal, not_found
from localtwin.ids import split_pair
from localtwin.world.access.roles import PERMISSIONS
from localtwin.world.webhooks import ITWIN
from localtwin.world.world import World

Locate = Callable[[World, str], str]
"""Returns the iTwin of a thing; "" or NotFound: there is no such thing."""

READS_IMODELS: Final = "imodels_read"
SEES_IMODELS: Final = ("imodels_webview", READS_IMODELS, "imodels_write", "imodels_manage")
_CHANGE: Final = "POST|PUT|PATCH"
_NOT_GET: Final = f"{_CHANGE}|DELETE"


@dataclass(frozen=True, slots=True)
class Rule:
    """Requests of one shape: one of `needs` is needed, one of `sees` to know that it exists.

    `hidden` names the entity of the 404 for who may not know; "": the operation answers 403.
    """

    shape: re.Pattern[str]
    locate: Locate
    needs: tuple[str, ...]
    sees: tuple[str, ...]
    hidden: str

    def refuse(self, held: frozenset[str]) -> None:
        """Raise a Refusal unless the permissions that the caller holds are enough."""
        if not held.isdisjoint(self.needs):
            return
        if self.hidden and held.isdisjoint(self.sees):
            raise not_found(self.hidden, _TEXTS.get(self.hidden))
        raise forbidden()


_TEXTS: Final = {"Folder": "folder", "File": "file"}


class Permissions:
    """Passes on to `app` what the caller may ask for."""

    def __init__(self, app: ASGIApp, *, world: World) -> None:
        self._app = app
        self._world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        asking = scope.get("state", {}).get("caller") if scope["type"] == "http" else None
        if asking is not None and not self._world.roles.is_unrestricted(asking.user_id):
            try:
                self._check(scope, asking.user_id)
            except Refusal as refusal:
                await refused(refusal)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _check(self, scope: Scope, user_id: str) -> None:
        asked = f"{scope['method']} {scope['path']}"
        for rule in RULES:
            found = rule.shape.fullmatch(asked)
            if found is not None:
                itwin_id = self._itwin(rule, found, scope)
                if itwin_id is not None:
                    rule.refuse(self._world.roles.permissions(user_id, itwin_id))
                return

    def _itwin(self, rule: Rule, found: re.Match[str], scope: Scope) -> str | None:
        """Return the iTwin that the request is about; None where it names nothing that exists."""
        parts = found.groupdict()
        named = parts["id"] if "id" in parts else _named(scope)
        try:
            return rule.locate(self._world, named)
        except NotFound:
            return None


def forbidden() -> Forbidden:
    """Return the platform's refusal for a missing permission."""
    text = "The user has insufficient permissions for the requested operation."
    return Forbidden("InsufficientPermissions", text)


def holds(world: World, request: Request, itwin_id: str, *permissions: str) -> bool:
    """Return whether the caller has one of the permissions in the iTwin."""
    held = world.roles.permissions(caller(request).user_id, itwin_id.lower())
    return not held.isdisjoint(permissions)


def require(world: World, request: Request, itwin_id: str, permission: str) -> None:
    """Raise Forbidden unless the caller has the permission in the iTwin."""
    if not holds(world, request, itwin_id, permission):
        raise forbidden()


def require_for_connection(world: World, request: Request, imodel_id: str) -> None:
    """Raise a Refusal unless the caller may add a connection to the iModel.

    The operation knows "not found" only, which is the answer for who may not see the iModel.
    """
    try:
        itwin_id = world.imodels.get(imodel_id).itwin_id
    except NotFound:
        return  # the operation says so
    if not holds(world, request, itwin_id, *SEES_IMODELS):
        raise not_found("iModel")
    require(world, request, itwin_id, "imodels_write")


def _named(scope: Scope) -> str:
    """Return the iTwin or iModel that the query names."""
    text: str = scope["query_string"].decode("latin-1")
    query = parse_qs(text)
    return (query.get("iTwinId") or query.get("imodelId") or [""])[0]


def _itwin(world: World, itwin_id: str) -> str:
    return world.itwins.get(itwin_id).id


def _nowhere(_world: World, _named: str) -> str:
    """Return the iTwin of what belongs to the account as a whole."""
    return ""


def _item(world: World, item_id: str) -> str:
    pair = split_pair(item_id)
    return world.itwins.get(pair[0] if pair else "").id


def _imodel(world: World, imodel_id: str) -> str:
    return world.imodels.get(imodel_id).itwin_id


def _connection(world: World, connection_id: str) -> str:
    pair = split_pair(connection_id)  # the second half is its iModel
    return world.imodels.get(pair[1] if pair else "").itwin_id


def _webhook(world: World, webhook_id: str) -> str:
    hook = world.webhooks.get(webhook_id)
    return (hook.scope_id or "") if hook.scope == ITWIN else ""


def _rule(
    asked: str,
    locate: Locate,
    *needs: str,
    sees: tuple[str, ...] = (),
    hidden: str = "",
) -> Rule:
    """Return the rule for requests like `asked`: "METHODS /path"; ID and ... stand for parts."""
    methods, _, path = asked.partition(" ")
    path = path.replace("ID", "(?P<id>[^/]+)").replace("...", "(?:/.*)?")
    return Rule(re.compile(f"(?:{methods}) {path}"), locate, needs, sees, hidden)


def _storage() -> list[Rule]:
    found = [_rule("GET /storage(?:/recyclebin)?", _itwin, "storage_read")]
    for kind in ("folder", "file"):
        one = f"/storage/(?:recyclebin/)?{kind}s/ID..."
        for methods, needed in (("GET", "read"), (_CHANGE, "write"), ("DELETE", "delete")):
            hidden, sees = kind.capitalize(), ("storage_read",)
            needs = f"storage_{needed}"
            found.append(_rule(f"{methods} {one}", _item, needs, sees=sees, hidden=hidden))
    return found


def _synchronization() -> list[Rule]:
    here, writes, sees = "/synchronization/imodels", "imodels_write", (READS_IMODELS,)
    found = [
        _rule(f"GET {here}/(?:storage|manifest)?connections", _imodel, READS_IMODELS),
        _rule("GET /synchronization/reports", _imodel, READS_IMODELS),
    ]
    for kind in ("storage", "manifest"):
        one, hidden = f"{here}/{kind}connections/ID", f"{kind.capitalize()}Connection"
        found += [
            _rule(f"GET {one}...", _connection, READS_IMODELS),
            _rule(f"POST {one}/runs?", _connection, writes),
            _rule(f"{_NOT_GET} {one}...", _connection, writes, sees=sees, hidden=hidden),
        ]
    scopes: dict[str, Locate] = {"itwins": _itwin, "imodels": _imodel, "connections": _connection}
    for scope, locate in scopes.items():
        one, hidden = f"/synchronization/configurations/{scope}/ID", "Configuration"
        found += [
            _rule(f"GET {one}", locate, *sees, sees=sees, hidden=hidden),
            _rule(f"{_NOT_GET} {one}", locate, "imodels_manage", sees=sees, hidden=hidden),
        ]
    return found


def _imodels() -> list[Rule]:
    one = "/imodels/ID"
    marks = f"{_NOT_GET} /imodels/(?:favorites|recents)/ID"
    return [
        _rule("GET /imodels/(?:favorites|recents)", _itwin, *SEES_IMODELS),
        _rule(marks, _imodel, *SEES_IMODELS, sees=SEES_IMODELS, hidden="iModel"),
        _rule(f"GET {one}(?:/(?:users|permissions|operations)...)?", _imodel, *SEES_IMODELS),
        _rule(f"GET {one}...", _imodel, READS_IMODELS),
        _rule(f"PATCH {one}", _imodel, "imodels_manage"),
        _rule(f"DELETE {one}", _imodel, "imodels_delete"),
        _rule(f"{_CHANGE} {one}/namedversions...", _imodel, "imodels_write"),
    ]


def _itwins() -> list[Rule]:
    sees, hidden = PERMISSIONS, "iTwin"
    control = "/accesscontrol/itwins/ID"
    return [
        _rule("POST /itwins", _nowhere, "itwins_modify"),
        _rule("GET /itwins/(?:favorites|recents|myprimaryaccount)", _nothing, *sees),
        _rule("GET /accesscontrol/itwins/permissions", _nothing, *sees),
        _rule("(?:POST|DELETE) /itwins/(?:favorites|recents)/ID", _itwin, *sees, hidden=hidden),
        _rule("GET /itwins/ID...", _itwin, *sees, hidden=hidden),
        _rule("PATCH /itwins/ID", _itwin, "itwins_modify", sees=sees, hidden=hidden),
        _rule("DELETE /itwins/ID", _itwin, "itwins_delete", sees=sees, hidden=hidden),
        _rule(f"GET {control}...", _itwin, *sees, hidden=hidden),
        *(
            _rule(f"{methods} {control}/{path}...", _itwin, needed, sees=sees, hidden=hidden)
            for methods, path, needed in (
                (_NOT_GET, "roles", "administration_manage_roles"),
                ("POST", "members", "administration_invite_member"),
                ("PATCH", "members", "administration_manage_roles"),
                ("DELETE", "members", "administration_remove_member"),
            )
        ),
    ]


def _nothing(_world: World, _named: str) -> str:
    """Raise NotFound: anybody may ask."""
    raise not_found("iTwin")


RULES: Final = (
    *_storage(),
    *_synchronization(),
    *_imodels(),
    *_itwins(),
    _rule("GET|PATCH|DELETE /webhooks/ID", _webhook, "webhooks_maintainer"),
)
