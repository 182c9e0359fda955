"""The bulk Synchronization API: one request for many records, answered by two numbers.

An upsert by GUID is idempotent, so it is repeated like any other idempotent call.
Source: Ra Factory, "Synchronization API Overview", read 2026-11.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

import httpx

from ..core.model import Failure, Fault
from ..errors import CloudError
from ..redact import redact
from . import faults
from .bulk_sign_in import Credentials
from .retries import Sleep, retrying

BATCH_MAX: Final = 1000  # the service's limit for pieces; the others are kept to it too
_MESSAGE_MAX: Final = 500
_FORBIDDEN: Final = (
    "the key or account may not do this: a key needs the scope sync:write, an account the role"
    " Integration or an administrator's, and company_guid must be its own company"
)


class Counts(NamedTuple):
    """How many records a request made, and how many it changed."""

    inserted: int
    updated: int


class Sender(NamedTuple):
    """Whom the service takes for the sender."""

    company_guid: str
    role: str


class Objection(NamedTuple):
    """What the service says of one record of a request; `at` counts from 0."""

    at: int
    field: str
    message: str


class BatchRefused(CloudError):
    """The service took nothing of a request, and says why.

    `objections` name its wrong records where the answer has places; else `detail` is a sentence.
    """

    objections: tuple[Objection, ...] = ()
    detail: str = ""


class BulkApi:
    """Sends records; used by several threads at once."""

    def __init__(
        self,
        http: httpx.Client,
        url: str,
        credentials: Credentials,
        sleep: Sleep = time.sleep,
    ) -> None:
        """`url` ends in /api/v1. The caller owns `http`."""
        self.url = url.rstrip("/")
        self._http = http
        self._credentials = credentials
        self._retrying = retrying(sleep)

    def upsert(self, entity: str, records: Sequence[Mapping[str, Any]]) -> Counts:
        """Insert or update records, all or none. Raises BatchRefused, CloudError."""
        assert len(records) <= BATCH_MAX, "the caller makes the batches"
        return self._retrying(self._once, entity, json.dumps({entity: records}).encode())

    def check_writing(self, entity: str) -> None:
        """Raise CloudError unless whoever sends may write records of the kind.

        The body is none that the service accepts, so nothing is written; scope and role are
        examined first. An empty list would not do: where a request is a snapshot it deletes
        everything.
        """
        try:
            self._retrying(self._once, entity, b"{}")
        except CloudError as exc:
            if exc.status != 422:
                raise

    def sender(self) -> Sender | None:
        """Return who sends; None if the service does not say. Raises CloudError for outages."""
        return self._retrying(self._sender_once)

    def _sender_once(self) -> Sender | None:
        operation, signed = "ask who sends", self._credentials.headers()
        key = signed.get("X-API-Key")
        headers = {"Authorization": f"ApiKey {key}"} if key else signed
        try:
            response = self._http.get(f"{self.url}/auth/me", headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise faults.error_from(operation, exc) from exc
        if response.status_code == 429 or response.status_code >= 500:
            raise faults.error_of(operation, response)
        try:
            answer = response.json() if response.is_success else {}
            return Sender(str(UUID(answer["company_guid"])), str(answer.get("role") or ""))
        except (ValueError, KeyError, TypeError, AttributeError):
            return None  # of a key only the documented service may know, and others never

    def _once(self, entity: str, body: bytes) -> Counts:
        operation = f"send {entity}"
        response = self._post(operation, entity, body)
        if not response.is_success:
            raise self._error_of(operation, entity, response)
        try:
            answer = response.json()
            return Counts(int(answer["inserted"]), int(answer["updated"]))
        except (ValueError, KeyError, TypeError) as exc:
            raise faults.unreadable(operation, exc, response) from exc

    def _post(self, operation: str, entity: str, body: bytes) -> httpx.Response:
        """Send a request, once more with other credentials if there are any."""
        for is_last in (False, True):
            signed = self._credentials.headers()
            headers = {"Content-Type": "application/json", **signed}
            url = f"{self.url}/sync/{entity}"
            try:
                response = self._http.post(url, content=body, headers=headers)
            except (httpx.HTTPError, httpx.InvalidURL) as exc:
                raise faults.error_from(operation, exc) from exc
            if is_last or response.status_code != 401 or not self._credentials.renew(signed):
                break
        return response

    def _error_of(self, operation: str, entity: str, response: httpx.Response) -> CloudError:
        detail = _detail(response)
        status = response.status_code
        if detail is None and status != 413:
            return faults.error_of(operation, response)
        if status not in {400, 401, 403, 409, 413, 422}:
            return faults.error_of(operation, response)
        found = _objections(detail) if isinstance(detail, list) else ()
        said = detail if isinstance(detail, str) else "; ".join(each.message for each in found)
        text = redact(said)[:_MESSAGE_MAX]
        words = {
            401: self._credentials.refusal(),
            403: _FORBIDDEN,
            413: f"the service takes no request of so many {entity}",
        }.get(status, f"the service refused {entity}")
        fault = Fault.UNAUTHORISED if status in {401, 403} else Fault.REFUSED
        failure = Failure(fault, f"{words} (the service: HTTP {status}: {text})"[:_MESSAGE_MAX])
        if status == 401:
            return CloudError(operation, failure, status=status)
        refused = BatchRefused(operation, failure, status=status)
        refused.objections, refused.detail = found, text
        return refused


def _detail(response: httpx.Response) -> Any:
    """Return what the error says: text, or a list of objections; None if it is another's error."""
    try:
        answer = response.json()
    except ValueError:
        return None
    detail = answer.get("detail") if isinstance(answer, dict) else None
    return detail if isinstance(detail, str | list) else None


def _objections(detail: Sequence[Any]) -> tuple[Objection, ...]:
    """Return the objections to records: FastAPI's `loc` is body, kind, index, field."""
    found = []
    for each in detail:
        loc: Any = each.get("loc", ()) if isinstance(each, dict) else ()
        if len(loc) >= 3 and isinstance(loc[2], int):
            name = str(loc[3]) if len(loc) > 3 else ""
            found.append(Objection(loc[2], name, str(each.get("msg", "not accepted"))))
    return tuple(found)
