"""Signs in as a person who once pressed a button (OAuth 2.0 refresh tokens).

Source: iTwin Platform, "Authorization: native applications" (offline_access, refresh_token with
client_id, no secret); RFC 6749, 6 and 10.4 (a refresh token may be replaced at each use).
"""

from __future__ import annotations

import getpass
from collections.abc import Callable, Collection
from typing import Final

import httpx

from ..core.model import Failure, Fault
from ..errors import CloudError
from . import faults, wire
from .auth import ISSUER_URL
from .auth_base import OPERATION, Login
from .auth_issuer import Issuer
from .members import Unreadable
from .token_store import SignIn, TokenStore
from .values import Grant

_ENDED: Final = {"invalid_grant", "invalid_client", "unauthorized_client", "invalid_scope"}


class UserLogin(Login):
    """Renews a person's sign-in without the person. Raises CloudError SIGNED_OUT when it lapsed.

    A sign-in that the issuer refused is not tried again; a new one in the store is.
    """

    def __init__(
        self,
        http: httpx.Client,
        *,
        client_id: str,
        store: TokenStore,
        now: Callable[[], float],
        issuer_url: str = ISSUER_URL,
        trusted: Collection[str] = (),
    ) -> None:
        """Sign in lazily, over a client of its own that signs nothing."""
        super().__init__(client_id, issuer_url, now)
        self._issuer = Issuer(http, issuer_url, trusted)
        self._store = store
        self._account = ""
        self._refused = ""

    @property
    def identity(self) -> str:
        """The person who signed in, as far as the service tells."""
        return self._account or "the person who signed in"

    @property
    def remedy(self) -> str:
        """How a person signs in."""
        return "run: twinsyncd login"

    def _obtain(self) -> tuple[str, float]:
        with self._store.owned() as store:
            known = store.read()
            if known is None:
                raise self._signed_out(None, "nobody has signed in")
            if (known.client_id, known.issuer_url) != (self.client_id, self.issuer_url):
                raise self._signed_out(None, "the sign-in is for another client_id or issuer_url")
            if known.refresh_token == self._refused:
                raise self._signed_out(known, "it has lapsed or was revoked")
            store.write(known)  # a full disk must show before the token is spent, not after
            grant = self._renew(known)
            if grant.refresh_token:
                store.renew(known, grant.refresh_token)
        self._account = known.account
        return grant.access_token, grant.lifetime_s

    def _renew(self, known: SignIn) -> Grant:
        form = {
            "grant_type": "refresh_token",
            "client_id": self.client_id,
            "refresh_token": known.refresh_token,
        }
        try:
            response = self._issuer.http.post(self._issuer.token_endpoint(), data=form)
            if response.status_code != 200:
                raise self._refusal(response, known)
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise faults.error_from(OPERATION, exc) from exc
        try:
            return wire.grant(response.content)
        except Unreadable as exc:
            raise faults.unreadable(OPERATION, exc, response) from exc

    def _refusal(self, response: httpx.Response, known: SignIn) -> CloudError:
        """Return the error for a refused renewal: signed out, unless it is an outage."""
        subject = f"the sign-in service {self.issuer_url}"
        error = faults.error_of(OPERATION, response, subject=subject)
        code = wire.service_error(response.content).code
        if error.failure.fault in {Fault.TRANSIENT, Fault.THROTTLED}:
            return error
        if code in _ENDED or response.status_code in {400, 401}:
            self._refused = known.refresh_token
            return self._signed_out(known, "it has lapsed or was revoked", code=code)
        message = f"{error.failure.message}; check issuer_url"
        return CloudError(
            OPERATION, Failure(Fault.UNAUTHORISED, message), status=response.status_code
        )

    def _signed_out(self, known: SignIn | None, reason: str, *, code: str = "") -> CloudError:
        """Return the error that says who must sign in, and as whom."""
        person = f", and sign in as {known.account}" if known and known.account else ""
        account = f'the account "{_account_here()}" of this machine'
        message = f"signed out ({reason}): run twinsyncd login as {account}{person}"
        return CloudError(OPERATION, Failure(Fault.SIGNED_OUT, message), code=code)


def _account_here() -> str:
    """Return the account that this process runs as, since the sign-in belongs to it."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "that twinsyncd runs as"
