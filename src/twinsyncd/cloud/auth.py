"""Signs in as a service application and signs every request (OAuth 2.0 client credentials).

Sources: iTwin Platform, "Authorization: service applications" (form body, 3600 s, no refresh
token); OpenID Connect Discovery 1.0, 4 (token_endpoint).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Generator
from typing import Final

import httpx

from ..core.model import Failure, Fault
from ..errors import CloudError
from ..redact import redact
from . import faults, wire
from .links import same_party

ISSUER_URL: Final = "https://ims.bentley.com"
SCOPE: Final = "itwin-platform"
_MARGIN_S: Final = 60.0  # a token must outlive the request it signs
_OPERATION: Final = "sign in"


class ServiceLogin(httpx.Auth):
    """Puts a bearer token on requests; one sign-in at a time, shared by all threads.

    `client_secret` is read at every sign-in, since it may be a file that is replaced. `now` is
    monotonic seconds. Raises CloudError UNAUTHORISED when the issuer refuses.
    """

    def __init__(
        self,
        http: httpx.Client,
        *,
        client_id: str,
        client_secret: Callable[[], str],
        now: Callable[[], float],
        issuer_url: str = ISSUER_URL,
        trusted: Collection[str] = (),
    ) -> None:
        """Sign in lazily, over a client of its own that signs nothing."""
        self.client_id = client_id
        self.issuer_url = issuer_url.rstrip("/")
        self._http = http
        self._trusted = trusted
        self._secret = client_secret
        self._now = now
        self._lock = threading.Lock()
        self._token = ""
        self._fresh_until_s = 0.0
        self._failed_at_s = 0.0
        self._failure: CloudError | None = None
        self._endpoint: httpx.URL | None = None

    def __repr__(self) -> str:
        """Name the client and the issuer, nothing else."""
        return f"ServiceLogin(client_id={self.client_id!r}, issuer_url={self.issuer_url!r})"

    @property
    def identity(self) -> str:
        """The member to invite to an iTwin, as the platform names this application."""
        return f"{self.client_id}@apps.imsoidc.bentley.com"

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
                self._try_to_sign_in()
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

    def _try_to_sign_in(self) -> None:
        try:
            self._sign_in()
        except CloudError as exc:
            self._failure, self._failed_at_s = _copy(exc), self._now()
            raise
        self._failure = None

    def _sign_in(self) -> None:
        asked_s = self._now()
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self._read_secret(),
            "scope": SCOPE,
        }
        try:
            response = self._http.post(self._find_endpoint(), data=form)
            if response.status_code != 200:
                raise self._refusal(response)
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise faults.error_from(_OPERATION, exc) from exc
        try:
            self._token, lifetime_s = wire.token(response.content)
        except wire.Unreadable as exc:
            raise faults.unreadable(_OPERATION, exc, response) from exc
        self._fresh_until_s = asked_s + max(lifetime_s - _MARGIN_S, lifetime_s / 2)

    def _read_secret(self) -> str:
        try:
            return self._secret()
        except (OSError, ValueError) as exc:
            message = f"the client secret cannot be read: {redact(str(exc))}"
            raise CloudError(_OPERATION, Failure(Fault.UNAUTHORISED, message)) from exc

    def _find_endpoint(self) -> httpx.URL:
        """Return the token endpoint: as discovered, or the usual path below the issuer.

        The secret goes to the issuer's own host, or to one that the configuration trusts.
        """
        if self._endpoint is None:
            issuer = httpx.URL(self.issuer_url)
            usual = httpx.URL(f"{self.issuer_url}/connect/token")
            answer = self._http.get(f"{self.issuer_url}/.well-known/openid-configuration")
            if answer.status_code != 200:
                return usual
            try:
                found = httpx.URL(wire.token_endpoint(answer.content))
            except (wire.Unreadable, httpx.InvalidURL):
                return usual
            self._endpoint = found if same_party(found, issuer, self._trusted) else usual
        return self._endpoint

    def _refusal(self, response: httpx.Response) -> CloudError:
        """Return the error for a refused sign-in; the service answers 400 or 401 (RFC 6749)."""
        subject = f"the sign-in service {self.issuer_url}"
        error = faults.error_of(_OPERATION, response, subject=subject)
        if error.failure.fault in {Fault.TRANSIENT, Fault.THROTTLED}:
            return error
        answer = wire.service_error(response.content)
        if answer.code or response.status_code in {400, 401}:
            reason = redact(answer.message or answer.code or f"HTTP {response.status_code}")
            message = (
                f"{self.issuer_url} does not accept client id {self.client_id} with its secret "
                f"({reason}); check both, and that the application has the scope {SCOPE}"
            )
        else:
            message = f"{error.failure.message}; check issuer_url"
        return CloudError(
            _OPERATION,
            Failure(Fault.UNAUTHORISED, message, request_id=error.failure.request_id),
            status=response.status_code,
            code=answer.code,
        )


def _copy(error: CloudError) -> CloudError:
    """Return the error without its traceback, which would keep the secret's frame alive."""
    return CloudError(error.operation, error.failure, status=error.status, code=error.code)
