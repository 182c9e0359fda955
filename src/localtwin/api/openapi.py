"""localtwin's OpenAPI document: what each operation answers, errors included.

FastAPI describes the requests. The answers are listed here, operation by operation, because every
one is written by hand in the platform's shapes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute

from localtwin.api.openapi_schema import (
    INTEGER,
    STRING,
    Schema,
    a_list,
    closed,
    page,
    ref,
    wrapped,
)
from localtwin.api.openapi_shapes import SHAPES

_ITWIN = "/itwins/{itwin_id}"
_IMODEL = "/imodels/{imodel_id}"
_FOLDER = "/storage/folders/{item_id}"
_FILE = "/storage/files/{item_id}"
_BIN = "/storage/recyclebin"
_SYNC = "/synchronization/imodels"
_CONTROL = "/accesscontrol/itwins"
_EMPTY: Schema = {}
_PERMISSIONS = closed({"permissions": a_list(STRING)})
_NONE: Schema = {"type": "array", "maxItems": 0}
_ITEMS = page("items", "Folder", "File", folder=True)
_KEYS = closed({"keys": a_list({"type": "object"})})
_USER = closed({"sub": STRING, "name": STRING, "email": STRING})
_TOKEN = closed(
    {"access_token": STRING, "expires_in": INTEGER, "token_type": STRING, "scope": STRING},
    {"refresh_token": STRING, "id_token": STRING},
)
_PAGE_FOR_PEOPLE: Schema = {"x-html": True}

# What success looks like: status and schema; no schema, no body.
_SUCCESS: dict[str, tuple[int, Schema]] = {
    "GET /.well-known/openid-configuration": (200, {"type": "object"}),
    "GET /.well-known/openid-configuration/jwks": (200, _KEYS),
    "GET /connect/userinfo": (200, _USER),
    "POST /connect/token": (200, _TOKEN),
    "GET /connect/authorize": (200, _PAGE_FOR_PEOPLE),
    "POST /connect/authorize": (302, _EMPTY),
    "POST /connect/revocation": (200, _EMPTY),
    "POST /connect/introspect": (200, {"type": "object", "required": ["active"]}),
    "GET /connect/endsession": (200, _PAGE_FOR_PEOPLE),
    "GET /connect/consent": (200, _PAGE_FOR_PEOPLE),
    "POST /connect/consent": (303, _EMPTY),
    "POST /itwins": (201, wrapped("iTwin", "ITwin")),
    "GET /itwins": (200, page("iTwins", "ITwin", "ITwinMinimal")),
    f"GET {_ITWIN}": (200, wrapped("iTwin", "ITwin")),
    f"GET {_ITWIN}/account": (200, wrapped("iTwin", "ITwin")),
    "GET /itwins/myprimaryaccount": (200, wrapped("iTwin", "ITwin")),
    "GET /users/me": (200, wrapped("user", "User")),
    "GET /users": (200, closed({"users": a_list(ref("User"))})),
    "POST /users/getbyidlist": (200, closed({"users": a_list(ref("User"))})),
    f"GET {_CONTROL}/permissions": (200, _PERMISSIONS),
    f"GET {_CONTROL}/{{itwin_id}}/permissions": (200, _PERMISSIONS),
    f"GET {_CONTROL}/{{itwin_id}}/roles": (200, closed({"roles": a_list(ref("Role"))})),
    f"POST {_CONTROL}/{{itwin_id}}/roles": (201, wrapped("role", "Role")),
    f"GET {_CONTROL}/{{itwin_id}}/roles/{{role_id}}": (200, wrapped("role", "Role")),
    f"PATCH {_CONTROL}/{{itwin_id}}/roles/{{role_id}}": (200, wrapped("role", "Role")),
    f"DELETE {_CONTROL}/{{itwin_id}}/roles/{{role_id}}": (204, _EMPTY),
    f"POST {_CONTROL}/{{itwin_id}}/members/users": (
        201,
        closed({"members": a_list(ref("Member")), "invitations": _NONE}),
    ),
    f"PATCH {_CONTROL}/{{itwin_id}}/members/users/{{member_id}}": (
        200,
        wrapped("member", "Member"),
    ),
    f"DELETE {_CONTROL}/{{itwin_id}}/members/users/{{member_id}}": (204, _EMPTY),
    f"GET {_CONTROL}/{{itwin_id}}/members": (200, page("members", "Member")),
    f"GET {_CONTROL}/{{itwin_id}}/members/users": (200, page("members", "Member")),
    f"GET {_CONTROL}/{{itwin_id}}/members/{{member_id}}": (200, wrapped("member", "Member")),
    f"GET {_CONTROL}/{{itwin_id}}/members/users/{{member_id}}": (200, wrapped("member", "Member")),
    f"GET {_CONTROL}/{{itwin_id}}/members/groups": (200, closed({"members": _NONE})),
    f"GET {_CONTROL}/{{itwin_id}}/groups": (200, closed({"groups": _NONE})),
    f"PATCH {_ITWIN}": (200, wrapped("iTwin", "ITwin")),
    f"DELETE {_ITWIN}": (204, _EMPTY),
    "POST /imodels": (201, wrapped("iModel", "IModel")),
    "GET /imodels": (200, page("iModels", "IModel", "IModelMinimal")),
    f"GET {_IMODEL}": (200, wrapped("iModel", "IModel")),
    f"PATCH {_IMODEL}": (200, wrapped("iModel", "IModel")),
    f"DELETE {_IMODEL}": (204, _EMPTY),
    f"GET {_IMODEL}/operations/create": (200, wrapped("createOperation", "CreateOperation")),
    f"GET {_IMODEL}/users": (200, page("users", "IModelUser", "IModelUserMinimal")),
    f"GET {_IMODEL}/users/{{user_id}}": (200, wrapped("user", "IModelUser")),
    f"GET {_IMODEL}/permissions": (200, _PERMISSIONS),
    f"GET {_IMODEL}/changesets": (200, page("changesets", "Changeset", "ChangesetMinimal")),
    f"GET {_IMODEL}/changesets/{{changeset_id}}": (200, wrapped("changeset", "Changeset")),
    f"POST {_IMODEL}/namedversions": (201, wrapped("namedVersion", "NamedVersion")),
    f"GET {_IMODEL}/namedversions": (
        200,
        page("namedVersions", "NamedVersion", "NamedVersionMinimal"),
    ),
    f"GET {_IMODEL}/namedversions/{{version_id}}": (200, wrapped("namedVersion", "NamedVersion")),
    f"PATCH {_IMODEL}/namedversions/{{version_id}}": (200, wrapped("namedVersion", "NamedVersion")),
    "GET /storage": (200, _ITEMS),
    f"GET {_FOLDER}/list": (200, page("items", "Folder", "File")),
    f"GET {_FOLDER}/folders": (200, page("folders", "Folder")),
    f"GET {_FOLDER}/files": (200, page("files", "File")),
    f"GET {_FOLDER}/search": (200, page("items", "Folder", "File")),
    f"POST {_FOLDER}/folders": (201, wrapped("folder", "Folder")),
    f"POST {_FOLDER}/files": (202, ref("Upload")),
    f"POST {_FOLDER}/lock": (200, ref("LockedFiles")),
    f"POST {_FOLDER}/unlock": (200, ref("LockedFiles")),
    f"GET {_FOLDER}": (200, wrapped("folder", "Folder")),
    f"PATCH {_FOLDER}": (200, wrapped("folder", "Folder")),
    f"DELETE {_FOLDER}": (204, _EMPTY),
    f"POST {_FOLDER}/move": (200, wrapped("folder", "Folder")),
    f"POST {_FILE}/complete": (200, wrapped("file", "File")),
    f"POST {_FILE}/updatecontent": (202, ref("Upload")),
    f"GET {_FILE}/download": (302, _EMPTY),
    f"GET {_FILE}": (200, wrapped("file", "File")),
    f"PATCH {_FILE}": (200, wrapped("file", "File")),
    f"DELETE {_FILE}": (204, _EMPTY),
    f"POST {_FILE}/move": (200, wrapped("file", "File")),
    f"GET {_BIN}": (200, page("items", "Folder", "File")),
    f"POST {_BIN}/folders/{{item_id}}/restore": (204, _EMPTY),
    f"DELETE {_BIN}/folders/{{item_id}}": (204, _EMPTY),
    f"POST {_BIN}/files/{{item_id}}/restore": (204, _EMPTY),
    f"DELETE {_BIN}/files/{{item_id}}": (204, _EMPTY),
    f"GET {_SYNC}/connections": (200, page("connections", "Connection", "ConnectionMinimal")),
    f"GET {_SYNC}/connections/authorizationinformation": (
        200,
        wrapped("authorizationInformation", "AuthorizationInformation"),
    ),
    "GET /synchronization/reports": (200, closed({"reports": a_list(ref("Report"))})),
    "POST /webhooks": (201, wrapped("webhook", "Webhook")),
    "GET /webhooks": (200, page("webhooks", "Webhook")),
    "GET /webhooks/{webhook_id}": (200, wrapped("webhook", "Webhook")),
    "PATCH /webhooks/{webhook_id}": (200, wrapped("webhook", "Webhook")),
    "DELETE /webhooks/{webhook_id}": (204, _EMPTY),
    "GET /localtwin/faults": (200, closed({"faults": a_list(ref("Switch"))})),
    "POST /localtwin/faults": (201, wrapped("fault", "Switch")),
    "DELETE /localtwin/faults": (204, _EMPTY),
}


def _of_connections(kind: str) -> dict[str, tuple[int, Schema]]:
    every = f"{_SYNC}/{kind}connections"
    one, sources = f"{every}/{{connection_id}}", f"{every}/{{connection_id}}/sourcefiles"
    source = f"{kind.capitalize()}Source"
    shapes = (source, "StorageSourceMinimal") if kind == "storage" else (source,)
    return {
        f"POST {every}": (201, wrapped("connection", "Connection")),
        f"GET {every}": (200, page("connections", "Connection", "ConnectionMinimal")),
        f"GET {one}": (200, wrapped("connection", "Connection")),
        f"PUT {one}": (200, wrapped("connection", "Connection")),
        f"DELETE {one}": (204, _EMPTY),
        f"POST {sources}": (201, wrapped("sourceFile", source)),
        f"GET {sources}": (200, page("sourceFiles", *shapes)),
        f"GET {sources}/{{source_id}}": (200, wrapped("sourceFile", source)),
        f"PUT {sources}/{{source_id}}": (200, wrapped("sourceFile", source)),
        f"DELETE {sources}/{{source_id}}": (204, _EMPTY),
        f"POST {one}/{'run' if kind == 'storage' else 'runs'}": (202, _EMPTY),
        f"GET {one}/runs": (200, page("runs", "Run", "RunMinimal")),
        f"GET {one}/runs/{{run_id}}": (200, wrapped("run", "Run")),
    }


def _of_marks(kind: str, verb: str) -> dict[str, tuple[int, Schema]]:
    return {
        f"GET /itwins/{kind}": (200, page("iTwins", "ITwin", "ITwinMinimal")),
        f"POST /itwins/{kind}/{{entity_id}}": (204, _EMPTY),
        f"DELETE /itwins/{kind}/{{entity_id}}": (204, _EMPTY),
        f"GET /imodels/{kind}": (200, page("iModels", "IModel", "IModelMinimal")),
        f"{verb} /imodels/{kind}/{{entity_id}}": (204, _EMPTY),
        f"DELETE /imodels/{kind}/{{entity_id}}": (204, _EMPTY),
    }


def _of_configurations(scope: str) -> dict[str, tuple[int, Schema]]:
    path = f"/synchronization/configurations/{scope}/{{scope_id}}"
    configuration = wrapped("configuration", "Configuration")
    return {
        f"GET {path}": (200, configuration),
        f"POST {path}": (201, configuration),
        f"PATCH {path}": (200, configuration),
        f"DELETE {path}": (204, _EMPTY),
    }


_SUCCESS |= _of_connections("storage") | _of_connections("manifest")
_SUCCESS |= _of_marks("favorites", "PUT") | _of_marks("recents", "POST")
_SUCCESS |= {
    name: answer
    for scope in ("itwins", "imodels", "connections")
    for name, answer in _of_configurations(scope).items()
}
_MEANING = {
    201: "Created",
    202: "Accepted; Location or _links say what comes next",
    204: "Done",
    302: "Go on at Location",
    303: "A run of the iModel is already active; Location is its address",
    400: "The request can not be parsed",
    401: "No token, or one that is not valid",
    403: "The caller may not do this",
    404: "Not there, or not at this address or in this version",
    409: "The request conflicts with the current state",
    413: "The body is too large",
    421: "The Host is not a name of this server",
    422: "The request breaks a rule of the operation",
    429: "Too many requests; Retry-After says when to come back",
}


def described(routes: Sequence[BaseRoute], *, title: str, version: str) -> dict[str, Any]:
    """Return the OpenAPI document of `routes`.

    Raises KeyError for an operation whose answers are not listed.
    """
    document = get_openapi(title=title, version=version, routes=routes)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            operation["responses"] = _responses(method.upper(), path)
            if not path.startswith(("/.well-known", "/connect/")):
                operation["security"] = [{"bearer": []}]
    components = document.setdefault("components", {})
    components["schemas"] = components.get("schemas", {}) | SHAPES
    components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    return document


def _responses(method: str, path: str) -> dict[str, Any]:
    status, schema = _SUCCESS[f"{method} {path}"]
    answers = {str(status): _answer(status, schema)}
    if path == "/connect/consent":
        answers |= {"200": _answer(200, _PAGE_FOR_PEOPLE), "400": _answer(400, _PAGE_FOR_PEOPLE)}
        answers |= {"422": _answer(422, ref("Error"))}
    elif path.startswith("/connect/authorize"):
        answers["302"] = _answer(302, _EMPTY)
        answers |= {"400": _answer(400, _PAGE_FOR_PEOPLE), "422": _answer(422, ref("Error"))}
    elif path == "/connect/endsession":
        answers |= {"302": _answer(302, _EMPTY), "400": _answer(400, _PAGE_FOR_PEOPLE)}
        answers["422"] = _answer(422, ref("Error"))
    elif path in {"/connect/token", "/connect/revocation", "/connect/introspect"}:
        answers |= {str(code): _answer(code, ref("OAuthError")) for code in (400, 401)}
        answers |= {"422": _answer(422, ref("Error"))}
    else:
        answers |= {str(code): _answer(code, ref("Error")) for code in _errors(method, path)}
        if status == 202 and "/run" in path:
            answers["303"] = _answer(303, _EMPTY)
    return answers


def _errors(method: str, path: str) -> list[int]:
    """Return the statuses of the errors that an operation may answer."""
    if path.startswith("/.well-known"):
        return []
    if path.startswith("/connect/"):
        return [401, 422]
    errors = [400, 401, 404, 413, 421, 422, 429]
    if not path.startswith(("/users", "/localtwin")):
        errors.append(403)
    if method in {"POST", "PUT", "PATCH", "DELETE"}:
        errors.append(409)
    return sorted(errors)


def _answer(status: int, schema: Schema) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": _MEANING.get(status, "Success")}
    if schema is _PAGE_FOR_PEOPLE:
        answer["content"] = {"text/html": {"schema": STRING}}
    elif schema:
        answer["content"] = {"application/json": {"schema": schema}}
    if status in {201, 202, 302, 303} and not schema:
        answer["headers"] = {"Location": {"schema": STRING}}
    return answer
