"""Signs every request with a bearer token that all threads share, whoever it belongs to."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Callable, Generator
from typing import Final

import httpx

from ..errors import CloudError

SCOPE: Final = "itwin-platform"
OPERATION: Final = "sign in"
_MARGIN_S: Final = 60.0  # a token must outlive the request it signs


class Login(httpx.Auth):
    """Puts a bearer token on requests; one sign-in at a time, shared by all threads.

    `now` is monotonic seconds. Raises CloudError when there is no token to be had.
    """

    def __init__(self, client_id: str, issuer_url: str, now: Callable[[], float]) -> None:
        """Sign in lazily."""
        self.client_id = client_id
        self.issuer_url = issuer_url.rstrip("/")
        self._now = now
        self._lock = threading.Lock()
        self._token = ""
        self._fresh_until_s = 0.0
        self._failed_at_s = 0.0
        self._failure: CloudError | None = None

    def __repr__(self) -> str:
        """Name the client and the issuer, nothing else."""
        name = type(self).__name__
        return f"{name}(client_id={self.client_id!r}, issuer_url={self.issuer_url!r})"

    @property
    @abstractmethod
    def identity(self) -> str:
        """Return the member to invite to an iTwin, as the platform names it."""

    @property
    @abstractmethod
    def remedy(self) -> str:
        """Return what a person does about a sign-in that was refused."""

    @abstractmethod
    def _obtain(self) -> tuple[str, float]:
        """Return a new token and the seconds it lives. Raises CloudError."""

    def token(self) -> str:
        """Return a token that lives for another minute, signing in if there is none.

        A thread that waited while another one's sign-in failed gets that failure: one outage must
        not cost every thread its own time-out.
        """
        asked_s = self._now()
        with self._lock:
            if not self._token or self._now() >= self._fresh_until_s:
                if self._failure is not None and asked_s < self._failed_at_s:
                    raise _copy(self._failure)
                self._sign_in()
            return self._token

    def forget(self, token: str) -> None:
        """Drop this token because it was not accepted; a newer one stays."""
        with self._lock:
            if token == self._token:
                self._token = ""

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign the request; after a 401 sign in again and send it once more."""
        token = self.token()
        request.headers["Authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code == 401:
            self.forget(token)
            request.headers["Authorization"] = f"Bearer {self.token()}"
            yield request

    def _sign_in(self) -> None:
        asked_s = self._now()
        try:
            self._token, lifetime_s = self._obtain()
        except CloudError as exc:
            self._failure, self._failed_at_s = _copy(exc), self._now()
            raise
        self._failure = None
        self._fresh_until_s = asked_s + max(lifetime_s - _MARGIN_S, lifetime_s / 2)


def _copy(error: CloudError) -> CloudError:
    """Return the error without its traceback, which would keep the secret's frame alive."""
    return CloudError(error.operation, error.failure, status=error.status, code=error.code)
