"""The bulk Synchronization API: one request for many records, answered by two numbers.

An upsert by GUID is idempotent, so it is repeated like any other idempotent call.
Source: Ra Factory, "Synchronization API Overview", read 2026-11.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import httpx

from ..core.model import Failure, Fault
from ..errors import CloudError
from ..redact import redact
from . import faults
from .retries import Sleep, retrying

BATCH_MAX: Final = 1000  # the service's limit for pieces; the others are kept to it too
_MESSAGE_MAX: Final = 500


class Counts(NamedTuple):
    """How many records a request made, and how many it changed."""

    inserted: int
    updated: int


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
        api_key: Callable[[], str],
        sleep: Sleep = time.sleep,
    ) -> None:
        """`url` ends in /api/v1; `api_key` is read for every request. The caller owns `http`."""
        self.url = url.rstrip("/")
        self._http = http
        self._api_key = api_key
        self._retrying = retrying(sleep)

    def upsert(self, entity: str, records: Sequence[Mapping[str, Any]]) -> Counts:
        """Insert or update records, all or none. Raises BatchRefused, CloudError."""
        assert len(records) <= BATCH_MAX, "the caller makes the batches"
        return self._retrying(self._once, entity, json.dumps({entity: records}).encode())

    def check_key(self) -> None:
        """Raise CloudError unless the key may write.

        The body is none that the service accepts, so nothing is written; the key is examined
        first. An empty list would not do: where a request is a snapshot it deletes everything.
        """
        try:
            self._retrying(self._once, "projects", b"{}")
        except CloudError as exc:
            if exc.status != 422:
                raise

    def _once(self, entity: str, body: bytes) -> Counts:
        operation = f"send {entity}"
        try:
            headers = {"Content-Type": "application/json", "X-API-Key": self._api_key()}
        except OSError as exc:
            message = f"the API key cannot be read: {exc}"
            raise CloudError(operation, Failure(Fault.UNAUTHORISED, message)) from exc
        try:
            response = self._http.post(f"{self.url}/sync/{entity}", content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise faults.error_from(operation, exc) from exc
        if not response.is_success:
            raise _error_of(operation, entity, response)
        try:
            answer = response.json()
            return Counts(int(answer["inserted"]), int(answer["updated"]))
        except (ValueError, KeyError, TypeError) as exc:
            raise faults.unreadable(operation, exc, response) from exc


def _error_of(operation: str, entity: str, response: httpx.Response) -> CloudError:
    detail = _detail(response)
    status = response.status_code
    if detail is None and status != 413:
        return faults.error_of(operation, response)
    if status not in {400, 401, 403, 409, 413, 422}:
        return faults.error_of(operation, response)
    found = _objections(detail) if isinstance(detail, list) else ()
    text = redact(detail if isinstance(detail, str) else "; ".join(each.message for each in found))
    words = {
        401: "the API key is not accepted; create another one, and put it into api_key_file",
        403: "the API key may not do this: it needs the scope sync:write, and company_guid must be "
        "its own company",
        413: f"the service takes no request of so many {entity}",
    }.get(status, f"the service refused {entity}")
    fault = Fault.UNAUTHORISED if status in {401, 403} else Fault.REFUSED
    failure = Failure(fault, f"{words} (the service: HTTP {status}: {text})"[:_MESSAGE_MAX])
    if status == 401:
        return CloudError(operation, failure, status=status)
    refused = BatchRefused(operation, failure, status=status)
    refused.objections, refused.detail = found, text[:_MESSAGE_MAX]
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
