"""The platform's error envelope, and answers without a body.

Source: iTwin Platform, "Error handling".
"""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from localtwin.errors import (
    Conflict,
    Detail,
    Forbidden,
    Invalid,
    NotFound,
    Refusal,
    Unauthorised,
)

log = logging.getLogger(__name__)

_STATUS: dict[type[Refusal], int] = {
    Unauthorised: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Invalid: 422,
}
# The API of a path, by the longest prefix that fits: code and message of its 422.
_INVALID = {
    "/synchronization/imodels/storageconnections": "InvalidStorageConnectionRequest",
    "/synchronization/imodels/manifestconnections": "InvalidManifestConnectionRequest",
    "/synchronization/imodels/connections": "InvalidConnectionRequest",
    "/synchronization/imodels/connections/authorizationinformation": (
        "InvalidAuthorizationInformationRequest"
    ),
    "/synchronization/configurations": "InvalidConfigurationRequest",
    "/synchronization/reports": "InvalidBadgersRequest",
    "/storage": "InvalidStorageRequest",
    "/imodels": "InvalidiModelsRequest",
    "/itwins": "InvalidiTwinsRequest",
    "/accesscontrol": "InvalidiTwinsRequest",
    "/users": "InvalidUsersRequest",
    "/webhooks": "Invalid{}WebhookRequest",
}
_MALFORMED = Detail("InvalidRequestBody", "Error parsing JSON, malformed JSON.")
_NOT_SAID_TO_BE_JSON = Detail(
    "InvalidRequestBody", "The Content-Type of the request body must be application/json."
)
_NOT_JSON = {"json_invalid", "model_attributes_type", "dict_type"}
_MISSING = {"missing", "too_short"}


def empty(status: int, **headers: str) -> Response:
    """Return an answer without a body and without a Content-Type."""
    return Response(status_code=status, headers=headers)


def refused(refusal: Refusal) -> JSONResponse:
    """Return the answer for `refusal`."""
    error: dict[str, Any] = {"code": refusal.code, "message": refusal.message}
    if refusal.target is not None:
        error["target"] = refusal.target
    if refusal.details:
        error["details"] = [_detail(detail) for detail in refusal.details]
    return JSONResponse({"error": error}, _STATUS[type(refusal)])


def invalid(path: str, *details: Detail, method: str = "POST") -> Invalid:
    """Return the 422 of the API that `path` belongs to."""
    fitting = [prefix for prefix in _INVALID if path.startswith(prefix)]
    code = _INVALID[max(fitting, key=len)] if fitting else "InvalidRequest"
    if code.startswith(("InvalidStorageConnection", "InvalidManifestConnection")):
        code = code.replace("Request", "SourceFileRequest") if "/sourcefiles" in path else code
    verb = _VERBS.get(method, "perform")
    return Invalid(code.format(verb.capitalize()), _summary(path, verb), *details)


def _summary(path: str, verb: str) -> str:
    """Return the message of the error above its details.

    Source: error examples of each API's operations.
    """
    if path.startswith("/storage"):
        return "Request payload contains errors."
    if path.startswith("/webhooks"):
        return f"Cannot {verb} a webhook. Make sure the request body is valid."
    words = [part for part in path.split("/") if part in _NOUNS]
    if not words or path.startswith("/synchronization"):
        return "Cannot perform operation."
    many = path.endswith(words[-1]) and verb == "get"
    return f"Cannot {verb} {_NOUNS[words[-1]]}{'s' if many else ''}."


_VERBS = {"POST": "create", "PATCH": "update", "GET": "get"}
_NOUNS = {
    "itwins": "iTwin",
    "imodels": "iModel",
    "changesets": "Changeset",
    "namedversions": "Named Version",
}
INCOMPLETE = "A property required to create or update a connection is missing."


class BodyTooLarge(HTTPException):
    """The body is longer than any operation accepts.

    FastAPI answers 400 for every other exception that ends the reading of a body.
    """

    def __init__(self) -> None:
        super().__init__(413)


def too_large() -> JSONResponse:
    """Return the answer for a body that is too large."""
    error = {"code": "RequestTooLarge", "message": "The request body is too large."}
    return JSONResponse({"error": error}, 413)


def resource_not_found() -> NotFound:
    """Return the gateway's own 404: no such URL, or not in the accepted version."""
    return NotFound(
        "ResourceNotFound",
        "The requested resource was not found. Verify the API URL and the Accept header.",
    )


def install(app: FastAPI) -> None:
    """Make `app` answer every failure in the envelope."""

    @app.exception_handler(Refusal)
    async def on_refusal(_request: Request, refusal: Refusal) -> Response:
        return refused(refusal)

    @app.exception_handler(RequestValidationError)
    async def on_invalid(request: Request, error: RequestValidationError) -> Response:
        details = [_validation(entry, request.url.path) for entry in error.errors()]
        if any(detail == _MALFORMED for detail in details) and not _is_json(request):
            details = [_NOT_SAID_TO_BE_JSON]
        return refused(invalid(request.url.path, *details, method=request.method))

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> Response:
        if error.status_code in {404, 405}:
            return refused(resource_not_found())
        if request.url.path.startswith("/connect/"):  # RFC 6749, 5.2: another shape than the APIs'
            form = {"error": "invalid_request", "error_description": str(error.detail)}
            return JSONResponse(form, error.status_code)
        body = {"error": {"code": "InvalidRequest", "message": str(error.detail)}}
        return JSONResponse(body, error.status_code)

    @app.exception_handler(BodyTooLarge)
    async def on_flood(_request: Request, _error: BodyTooLarge) -> Response:
        return too_large()

    @app.exception_handler(Exception)
    async def on_defect(_request: Request, _error: Exception) -> Response:
        body = {"error": {"code": "InternalServerError", "message": "An error has occurred."}}
        return JSONResponse(body, 500)


def _is_json(request: Request) -> bool:
    """Return whether the request says that its body is JSON."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type == "application/json" or media_type.endswith("+json")


def _detail(detail: Detail) -> dict[str, str]:
    entry = {"code": detail.code, "message": detail.message}
    return entry if detail.target is None else entry | {"target": detail.target}


def _validation(entry: Any, path: str) -> Detail:
    """Return the contract's detail for what pydantic found."""
    kind, place = entry["type"], entry["loc"]
    if place == ("body",) and kind == "missing":
        return Detail("MissingRequestBody", "Request body was not provided.")
    if kind in _NOT_JSON or place == ("body",):
        return _MALFORMED
    names = [part for part in place[1:] if isinstance(part, str)]
    target = _target(names[-1] if names else str(place[-1]), path)
    if kind == "extra_forbidden":
        return Detail("InvalidValue", f"'{target}' is not supported.", target)
    if kind in _MISSING or (kind == "string_too_short" and not entry["input"]):
        return Detail("MissingRequiredProperty", _missing(target, path, kind), target)
    if path.startswith(("/synchronization", "/storage")):
        return _not_accepted(target, entry) if kind == "literal_error" else not_valid(target)
    if place[0] == "query":
        return not_this(target, str(entry["input"]))
    reason = f"{entry['msg']}."
    if kind == "string_too_long":
        reason = f"The value exceeds allowed {entry['ctx']['max_length']} characters."
    return Detail("InvalidValue", f"Provided '{target}' value is not valid. {reason}", target)


def _not_accepted(target: str, entry: Any) -> Detail:
    accepted = entry["ctx"]["expected"].replace(" or ", ", ")
    return Detail("InvalidValue", f"{target} must be one of: {accepted}.", target)


def not_valid(name: str) -> Detail:
    """Return the detail for a value of the wrong form."""
    return Detail("InvalidValue", f"Provided {name} value is not valid.", name)


def not_this(name: str, value: str) -> Detail:
    """Return the detail for a value of the wrong form, as iTwins and iModels write it.

    Source: iModels API, "Get iTwin iModels", error examples.
    """
    return Detail("InvalidValue", f"'{value}' is not a valid '{name}' value.", name)


def _missing(target: str, path: str, kind: str) -> str:
    """Return the message for a missing property.

    Source: Synchronization API, "Create StorageConnection", error examples.
    """
    if not path.startswith("/synchronization"):
        return "Required property is missing."
    if target == "imodelId":
        return "imodelId was not provided."
    if kind == "too_short":
        return "At least one input file must be included to create a ConnectionDefinition."
    return INCOMPLETE


def _target(name: str, path: str) -> str:
    """Return the name as the API's own errors spell it.

    Source: Synchronization API, "Create StorageConnection", error examples.
    """
    return "imodelId" if name == "iModelId" and path.startswith("/synchronization") else name
