"""Signs in as a service application (OAuth 2.0 client credentials).

Source: iTwin Platform, "Authorization: service applications" (form body, 3600 s, no refresh
token).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

import httpx

from ..core.model import Failure, Fault
from ..errors import CloudError
from ..redact import redact
from . import faults, wire
from .auth_base import OPERATION, SCOPE, Login
from .auth_issuer import Issuer
from .members import Unreadable

ISSUER_URL: Final = "https://ims.bentley.com"


class ServiceLogin(Login):
    """Signs in with a client id and secret; no person is needed.

    `client_secret` is read at every sign-in, since it may be a file that is replaced. Raises
    CloudError UNAUTHORISED when the issuer refuses.
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
        super().__init__(client_id, issuer_url, now)
        self._issuer = Issuer(http, issuer_url, trusted)
        self._secret = client_secret

    @property
    def identity(self) -> str:
        """The member to invite to an iTwin, as the platform names this application."""
        return f"{self.client_id}@apps.imsoidc.bentley.com"

    @property
    def remedy(self) -> str:
        """Where the secret is configured."""
        return "check client_id and the client secret in the [auth] section, and issuer_url"

    def _obtain(self) -> tuple[str, float]:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self._read_secret(),
            "scope": SCOPE,
        }
        try:
            response = self._issuer.http.post(self._issuer.token_endpoint(), data=form)
            if response.status_code != 200:
                raise self._refusal(response)
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise faults.error_from(OPERATION, exc) from exc
        try:
            return wire.token(response.content)
        except Unreadable as exc:
            raise faults.unreadable(OPERATION, exc, response) from exc

    def _read_secret(self) -> str:
        try:
            return self._secret()
        except (OSError, ValueError) as exc:
            message = f"the client secret cannot be read: {_why(exc)}"
            raise CloudError(OPERATION, Failure(Fault.UNAUTHORISED, message)) from exc

    def _refusal(self, response: httpx.Response) -> CloudError:
        """Return the error for a refused sign-in; the service answers 400 or 401 (RFC 6749)."""
        subject = f"the sign-in service {self.issuer_url}"
        error = faults.error_of(OPERATION, response, subject=subject)
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
            OPERATION,
            Failure(Fault.UNAUTHORISED, message, request_id=error.failure.request_id),
            status=response.status_code,
            code=answer.code,
        )


def _why(exc: OSError | ValueError) -> str:
    """Return why the secret cannot be read; a file by its name and the system's words."""
    if isinstance(exc, OSError) and exc.filename and exc.strerror:
        return redact(f"{exc.filename}: {exc.strerror}")
    return redact(str(exc))
