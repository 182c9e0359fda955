"""Grants: authorization codes and refresh tokens of users who signed in.

Source: RFC 6749 sections 4.1 and 6, RFC 7636 (S256 only), as iTwin Platform, "Authorization".
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.engine import Row

from localtwin.errors import LocalTwinError
from localtwin.world.access.authorizations import authorise, expire, is_authorised
from localtwin.world.clock import Clock, stamp
from localtwin.world.database import Database
from localtwin.world.tables import grants

_CODE_LIFETIME = timedelta(minutes=1)
_REFRESH_LIFETIME = timedelta(days=30)


class GrantRefused(LocalTwinError):
    """The code or the refresh token is not good for this request; RFC 6749's invalid_grant."""


@dataclass(frozen=True, slots=True)
class Consent:
    """What a person agreed to: a client, where to return to, for which scopes, and when.

    `nonce` goes into the id token, so that its client can match it with the request.
    """

    client_id: str
    redirect_uri: str
    scope: str
    challenge: str
    nonce: str = ""
    signed_in: str = ""


class Grants:
    """One-time secrets, kept as hashes only."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def code(self, consent: Consent) -> str:
        """Return an authorization code for the consent, good once and for a minute."""
        signed_in = replace(consent, signed_in=stamp(self._clock()))
        return self._new("code", signed_in, _CODE_LIFETIME)

    def redeem(self, code: str, *, client_id: str, redirect_uri: str, verifier: str) -> Consent:
        """Return the consent; the code is used up even if the rest does not match."""
        consent = self._spend("code", code)
        proof = hashlib.sha256(verifier.encode("utf-8")).digest()
        challenge = base64.urlsafe_b64encode(proof).decode("ascii").rstrip("=")
        agreed = (consent.client_id, consent.redirect_uri, consent.challenge)
        if agreed != (client_id, redirect_uri, challenge):
            raise GrantRefused("The code was issued for something else.")
        return consent

    def refresh_token(self, consent: Consent) -> str:
        """Return a refresh token for the consent, good once."""
        return self._new("refresh", consent, _REFRESH_LIFETIME)

    def refresh(self, token: str, *, client_id: str) -> Consent:
        """Return the consent; the token is used up."""
        consent = self._spend("refresh", token)
        if consent.client_id != client_id:
            raise GrantRefused("The token was issued to another client.")
        return consent

    def find_refresh_token(self, token: str) -> tuple[Consent, datetime] | None:
        """Return the consent and its end, without using the token up."""
        query = select(grants).where(
            grants.c.secret_hash == _hash(token), grants.c.kind == "refresh"
        )
        row = self._database.one(query)
        if row is None or row.expires < stamp(self._clock()):
            return None
        return _consent(row), datetime.fromisoformat(row.expires)

    def revoke(self, token: str, *, client_id: str) -> None:
        """Delete the client's refresh token, if it is one."""
        mine = (grants.c.secret_hash == _hash(token)) & (grants.c.client_id == client_id)
        with self._database.write() as connection:
            connection.execute(delete(grants).where(mine, grants.c.kind == "refresh"))

    def authorise_runs(self, user_id: str) -> None:
        """Let runs act for the user from now on."""
        with self._database.write() as connection:
            authorise(connection, user_id, self._clock())

    def expire_runs(self, user_id: str) -> None:
        """Let the user's authorization of runs expire now."""
        with self._database.write() as connection:
            expire(connection, user_id)

    def runs_authorised(self, user_id: str) -> bool:
        """Return whether runs may act for the user."""
        with self._database.read() as connection:
            return is_authorised(connection, user_id, self._clock())

    def _new(self, kind: str, consent: Consent, lifetime: timedelta) -> str:
        secret = secrets.token_urlsafe(32)
        with self._database.write() as connection:
            connection.execute(delete(grants).where(grants.c.expires < stamp(self._clock())))
            connection.execute(
                insert(grants).values(
                    secret_hash=_hash(secret),
                    kind=kind,
                    client_id=consent.client_id,
                    redirect_uri=consent.redirect_uri,
                    scope=consent.scope,
                    challenge=consent.challenge,
                    nonce=consent.nonce,
                    signed_in=consent.signed_in,
                    expires=stamp(self._clock() + lifetime),
                )
            )
        return secret

    def _spend(self, kind: str, secret: str) -> Consent:
        spent = (
            delete(grants)
            .where(grants.c.secret_hash == _hash(secret), grants.c.kind == kind)
            .returning(grants)
        )
        with self._database.write() as connection:
            row = connection.execute(spent).first()
        if row is None or row.expires < stamp(self._clock()):
            raise GrantRefused("It is unknown, spent or expired.")
        return _consent(row)


def _consent(row: Row[Any]) -> Consent:
    return Consent(
        row.client_id, row.redirect_uri, row.scope, row.challenge, row.nonce, row.signed_in
    )


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8")).hexdigest()
