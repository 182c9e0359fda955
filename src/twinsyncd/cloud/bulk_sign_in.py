"""How a bulk API learns who sends: by an API key, or by a token of an account.

A token is good for 15 minutes and renewed before it ends; the refresh token saves the password
from being sent each time. Source: Ra Factory, docs of sign-in and API keys, read 2026-11.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

import httpx

from ..core.model import Failure, Fault
from ..errors import CloudError
from . import faults

EARLY_S: Final = 60.0  # before its end a token is renewed: longer than a request takes

Headers = dict[str, str]


class Credentials(Protocol):
    """What every request is signed with; used by several threads."""

    def headers(self) -> Headers:
        """Return the headers of a request. Raises CloudError."""

    def renew(self, refused: Headers) -> bool:
        """Return whether the request may be tried again with other headers than the refused."""

    def refusal(self) -> str:
        """Return what a person can do where the service does not accept them."""


class ApiKey:
    """An API key, read anew for every request, so that it can be exchanged at any time."""

    def __init__(self, read: Callable[[], str]) -> None:
        """`read` returns the key, or raises OSError."""
        self._read = read

    def headers(self) -> Headers:
        """Return the headers of a request. Raises CloudError UNAUTHORISED."""
        key = _secret(self._read, "the API key")
        if not re.fullmatch("[!-~]*", key):
            message = "the API key has a space, a line end or a letter like ä; write the key alone"
            raise CloudError("sign in", Failure(Fault.UNAUTHORISED, message))
        return {"X-API-Key": key}

    def renew(self, refused: Headers) -> bool:
        """Return whether the key was exchanged meanwhile."""
        return self.headers() != refused

    def refusal(self) -> str:
        """Return what a person can do."""
        return "the API key is not accepted; create another one, and put it into api_key_file"


class _Token(NamedTuple):
    access: str
    refresh: str
    ends_s: float  # monotonic


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the service; `password` reads it, or raises OSError."""

    email: str
    password: Callable[[], str]


class PersonSignIn:
    """Signs in with an account's address and password."""

    def __init__(
        self,
        http: httpx.Client,
        url: str,
        account: Account,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`url` ends in /api/v1; `now`: monotonic seconds. The caller owns `http`."""
        self._http = http
        self._url = url.rstrip("/")
        self._account = account
        self._now = now
        self._token: _Token | None = None
        self._lock = threading.Lock()

    def headers(self) -> Headers:
        """Return the headers of a request; signs in if need be. Raises CloudError."""
        with self._lock:
            if self._token is None or self._token.ends_s - EARLY_S <= self._now():
                self._token = self._refreshed() or self._signed_in()
            return _bearer(self._token)

    def renew(self, refused: Headers) -> bool:
        """Forget the token that was refused; return True, since the next one may do."""
        with self._lock:
            if self._token is not None and _bearer(self._token) == refused:
                self._token = None
        return True

    def refusal(self) -> str:
        """Return what a person can do."""
        return f"the account {self._account.email} is not accepted; correct email or password_file"

    # ---- inside -------------------------------------------------------------------------

    def _refreshed(self) -> _Token | None:
        """Return a token for the refresh token; None if there is none, or it is not accepted."""
        if self._token is None or not self._token.refresh:
            return None
        try:
            return self._ask("refresh", {"refresh_token": self._token.refresh})
        except CloudError as exc:
            if exc.failure.fault is Fault.UNAUTHORISED:
                return None
            raise

    def _signed_in(self) -> _Token:
        password = _secret(self._account.password, "the password")
        return self._ask("login", {"email": self._account.email, "password": password})

    def _ask(self, what: str, body: dict[str, str]) -> _Token:
        operation = "sign in"
        try:
            response = self._http.post(f"{self._url}/auth/{what}", json=body)
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise faults.error_from(operation, exc) from exc
        if response.status_code in {400, 401, 403, 422}:
            text = f"{self.refusal()} (the service: HTTP {response.status_code})"
            failure = Failure(Fault.UNAUTHORISED, text)
            raise CloudError(operation, failure, status=response.status_code)
        if not response.is_success:
            raise faults.error_of(operation, response)
        try:
            answer: dict[str, Any] = response.json()
            lasts_s = float(answer.get("expires_in") or 0.0)
            refresh = str(answer.get("refresh_token") or "")
            return _Token(str(answer["access_token"]), refresh, self._now() + lasts_s)
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            raise faults.unreadable(operation, exc, response) from exc


def _bearer(token: _Token) -> Headers:
    return {"Authorization": f"Bearer {token.access}"}


def _secret(read: Callable[[], str], name: str) -> str:
    try:
        return read()
    except (OSError, UnicodeDecodeError) as exc:
        message = f"{name} cannot be read: {exc}"
        raise CloudError("sign in", Failure(Fault.UNAUTHORISED, message)) from exc
