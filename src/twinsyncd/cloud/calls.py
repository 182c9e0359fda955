"""Carries out one signed call and returns the answer, or raises a CloudError.

Every call has a GUID as X-Correlation-Id, so that the vendor's support can find it.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection, Mapping
from typing import Final, TypedDict, Unpack

import httpx

from . import faults
from .links import resolve
from .rate_headers import read_budget
from .request_limit import LOAD, BudgetSpent, RequestGate
from .retries import Sleep, retrying

V1: Final = "application/vnd.bentley.itwin-platform.v1+json"
V2: Final = "application/vnd.bentley.itwin-platform.v2+json"
REQUESTS_MAX: Final = 24  # of one program at a time: enough to hide the round trips of small files
REPRESENTATION: Final = "return=representation"


class Details(TypedDict, total=False):
    """What a call may add: a JSON body, a query, the API version, how much to return.

    `also`: statuses besides 2xx that are answers, not errors. `subject`: what the call is about.
    """

    json: Mapping[str, object]
    params: Mapping[str, str | int]
    accept: str
    prefer: str
    also: tuple[int, ...]
    subject: str


class ApiCalls:
    """Calls one API over a client that signs; used by several threads at once."""

    def __init__(
        self,
        http: httpx.Client,
        api_url: str,
        sleep: Sleep,
        trusted: Collection[str] = (),
        gate: RequestGate | None = None,
    ) -> None:
        """`http` must not follow redirects; `sleep` waits between repetitions.

        `trusted` names further hosts that may get the token. `gate` is shared by all that call
        the same host.
        """
        assert not http.follow_redirects, "303 means that a run is active; it must stay visible"
        self._http = http
        self._below = f"{api_url.rstrip('/')}/"
        self._api = httpx.URL(api_url.rstrip("/"))
        self._trusted = trusted
        self._retrying = retrying(sleep)
        self._gate = gate or RequestGate(REQUESTS_MAX)

    def repeatable(
        self, operation: str, method: str, link: str, **details: Unpack[Details]
    ) -> httpx.Response:
        """Carry out an idempotent call, repeating it a few times when that may help."""
        return self._retrying(self.once, operation, method, link, **details)

    def once(
        self, operation: str, method: str, link: str, **details: Unpack[Details]
    ) -> httpx.Response:
        """Carry out a call a single time; `link` is a path below the API or a link it gave.

        Raises CloudError; a transient one leaves open whether the call had its effect.
        """
        request_id = str(uuid.uuid4())
        headers = {"Accept": details.get("accept", V1), "X-Correlation-Id": request_id}
        if "prefer" in details:
            headers["Prefer"] = details["prefer"]
        try:
            response = self._send(method, self._url(link), headers, details)
        except BudgetSpent as spent:
            raise faults.without_budget(operation, spent.wait_s) from spent
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise faults.error_from(operation, exc, request_id=request_id) from exc
        response.headers.setdefault("x-correlation-id", request_id)
        if response.is_success or response.status_code in details.get("also", ()):
            return response
        subject = details.get("subject", "what the call names")
        raise faults.error_of(operation, response, subject=subject)

    def _send(
        self, method: str, url: httpx.URL | str, headers: Mapping[str, str], details: Details
    ) -> httpx.Response:
        """Send it once the host may be asked; what its load refuses makes the next ones wait."""
        with self._gate.place() as asked:
            try:
                response = self._http.request(
                    method,
                    url,
                    json=details.get("json"),
                    params=details.get("params"),
                    headers=headers,
                )
            except httpx.TimeoutException:
                self._gate.was_too_much(asked.begun_s)
                raise
            asked.budget = read_budget(response.headers, time.time())
            if response.status_code in LOAD:
                asked.closed_s = faults.retry_after_s(response.headers)
                self._gate.was_too_much(asked.begun_s)
                if response.status_code == 429 and not asked.closed_s:
                    self._gate.was_refused(asked.begun_s)
            else:
                self._gate.went_well()
            return response

    def _url(self, link: str) -> httpx.URL | str:
        """Return the absolute URL; a link with a scheme is checked before the token goes there.

        Nearly all links are plainly below the API; these need no parsing.
        """
        if link.startswith("/"):
            return f"{self._below}{link[1:]}"
        return link if link.startswith(self._below) else resolve(link, self._api, self._trusted)
