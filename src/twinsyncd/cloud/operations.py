"""Carries out one operation of any API: typed values out, lists read page by page."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final, Protocol, TypeVar, Unpack
from urllib.parse import quote

import httpx

from ..core.model import Fault
from ..errors import CloudError
from . import faults
from .calls import REPRESENTATION, V1, ApiCalls, Details
from .members import Unreadable
from .request_limit import RequestGate
from .retries import Sleep

API_URL: Final = "https://api.bentley.com"
PAGES_MAX: Final = 1000  # a million entries; beyond that the service is repeating itself


class _Identified(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T")
Entry = TypeVar("Entry", bound=_Identified)


class Operations:
    """What the operations of all APIs share; each API adds its own methods.

    Every method raises CloudError unless the service does what was requested.
    """

    def __init__(
        self,
        http: httpx.Client,
        *,
        api_url: str = API_URL,
        sleep: Sleep = time.sleep,
        trusted: Collection[str] = (),
        gate: RequestGate | None = None,
    ) -> None:
        """Call the API at `api_url`; the caller owns `http` and closes it.

        `trusted` names further hosts that may get the token. `gate` is shared by all that call
        the same host.
        """
        self.api_url = api_url
        self._calls = ApiCalls(http, api_url, sleep, trusted, gate)

    def _read(
        self,
        operation: str,
        path: str,
        read: Callable[[bytes], T],
        **details: Unpack[Details],
    ) -> T:
        response = self._calls.repeatable(operation, "GET", path, **details)
        return understood(operation, response, read)

    def _remove(self, operation: str, path: str) -> None:
        """Delete something; that it is gone already is a success, so this may be repeated."""
        try:
            self._calls.repeatable(operation, "DELETE", path)
        except CloudError as exc:
            if exc.failure.fault is not Fault.GONE:
                raise

    def _pages(
        self,
        operation: str,
        path: str,
        read: Callable[[bytes], tuple[tuple[Entry, ...], bool | None]],
        size: int,
        params: Mapping[str, str | int] | None = None,
        *,
        accept: str = V1,
    ) -> Iterator[Entry]:
        """Yield every entry once; the service's paging cannot be trusted.

        `next` may be present on the last page, and a page may be shorter than requested because
        the service has a smaller limit. So a page ends the list if its links name no next one, a
        short page also if it has no links, and a page without anything new always.
        """
        seen: set[str] = set()
        skip = 0
        for _ in range(PAGES_MAX):
            response = self._calls.repeatable(
                operation,
                "GET",
                path,
                params={**(params or {}), "$top": size, "$skip": skip},
                prefer=REPRESENTATION,
                accept=accept,
            )
            entries, more = understood(operation, response, read)
            new = {entry.id: entry for entry in entries if entry.id not in seen}
            yield from new.values()
            if not new or more is False or (more is None and len(entries) < size):
                return
            seen.update(new)
            skip += len(entries)
        raise faults.unclear(operation, f"the list does not end after {PAGES_MAX} pages")


def understood(operation: str, response: httpx.Response, read: Callable[[bytes], T]) -> T:
    """Return the answer as a value; raises CloudError if it cannot be read."""
    try:
        return read(response.content)
    except Unreadable as exc:
        raise faults.unreadable(operation, exc, response) from exc


def segment(text: str) -> str:
    """Return the id as one segment of a path."""
    return quote(text, safe="")
