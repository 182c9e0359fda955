"""OAuth clients and their tokens.

Source: iTwin Platform, "Authorization"; tokens are RS256 JWTs with `exp` and `scope` as an array.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import uuid
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from sqlalchemy import delete, insert, select

from localtwin.errors import Unauthorised
from localtwin.world.clock import Clock, stamp
from localtwin.world.database import Database
from localtwin.world.tables import clients, revoked_tokens

SCOPE = "itwin-platform"
SCOPES = frozenset({SCOPE, "openid", "profile", "email", "offline_access"})
# For programs on this computer that let a person sign in; such clients have no secret.
NATIVE_CLIENT = "native-localtwin"
LOCAL_USER = "local.user@localhost"
AUDIENCE = ["https://qa-api.bentley.com", "https://api.bentley.com", "localtwin"]
_CONSENT = "localtwin-consent"  # no API accepts a token for this audience
LIFETIME = timedelta(hours=1)
_NO_TIMES: Any = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
_CACHED_TOKENS = 1024  # verified tokens; checking a signature costs more than the request itself


@dataclass(frozen=True, slots=True)
class Caller:
    """The identity behind a token."""

    client_id: str
    name: str
    user_id: str
    expires: float
    is_person: bool
    scopes: frozenset[str]
    token_id: str

    @property
    def person_id(self) -> str | None:
        """The id of the person who calls, None for a service."""
        return self.user_id if self.is_person else None


@dataclass(frozen=True, slots=True)
class ConsentAsked:
    """Who is asked to let runs act in their name, and where the browser goes afterwards."""

    user_id: str
    name: str
    redirect_url: str


class Access:
    """Registers clients, issues tokens and accepts only its own."""

    def __init__(self, database: Database, key: RSAPrivateKey, clock: Clock) -> None:
        self._database = database
        self._key = key
        self._clock = clock
        self.registrations = 0  # in this process, so that others know when to read again
        self._known: OrderedDict[str, Caller] = OrderedDict()
        self._lock = threading.Lock()
        self._key_id = _thumbprint(key)
        self._revoked = {row.id for row in database.all(select(revoked_tokens.c.id))}

    def register(self, name: str) -> tuple[str, str]:
        """Return the id and the secret of a new service client; the secret is shown only here."""
        client_id, secret = f"service-{secrets.token_urlsafe(16)}", secrets.token_urlsafe(32)
        with self._database.write() as connection:
            connection.execute(
                insert(clients).values(
                    id=client_id,
                    secret_hash=_hash(secret),
                    name=name,
                    created=stamp(self._clock()),
                )
            )
        self.registrations += 1
        return client_id, secret

    def knows(self, client_id: str, secret: str) -> bool:
        """Return whether the pair is a registered client's."""
        query = select(clients.c.secret_hash).where(clients.c.id == client_id)
        row = self._database.one(query)
        expected = "" if row is None else str(row.secret_hash)
        return hmac.compare_digest(_hash(secret), expected)

    def user_id(self, client_id: str) -> str:
        """Return the GUID of the client, used where a person's id would be."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, client_id))

    def issue(self, client_id: str, *, issuer: str) -> str:
        """Return an access token for the service client, valid for `LIFETIME`."""
        subject = f"{client_id}@apps.imsoidc.bentley.com"
        return self._signed(
            issuer, {"aud": AUDIENCE, "sub": subject, "client_id": client_id, "scope": [SCOPE]}
        )

    def issue_to_user(self, client_id: str, *, scope: str, issuer: str) -> str:
        """Return an access token for the local user, who signed in to the client."""
        claims = {"aud": AUDIENCE, "client_id": client_id, "scope": scope.split()}
        return self._signed(issuer, claims | self._user())

    def identify_user(
        self, client_id: str, *, issuer: str, nonce: str = "", signed_in: str = ""
    ) -> str:
        """Return the id token for the client about the local user; `signed_in` is a stamp."""
        claims: dict[str, Any] = {"aud": client_id} | self._user()
        if nonce:
            claims["nonce"] = nonce
        if signed_in:
            claims["auth_time"] = int(datetime.fromisoformat(signed_in).timestamp())
        return self._signed(issuer, claims)

    def revoke(self, caller: Caller) -> None:
        """Revoke the caller's token."""
        row = {"id": caller.token_id, "expires": caller.expires}
        with self._database.write() as connection:
            gone = revoked_tokens.c.expires < self._clock().timestamp()
            connection.execute(delete(revoked_tokens).where(gone))
            connection.execute(insert(revoked_tokens).prefix_with("OR IGNORE").values(row))
        with self._lock:
            self._revoked.add(caller.token_id)

    def signed_by_us(self, token: str) -> bool:
        """Return whether the token is one of ours, for whatever audience and however old."""
        try:
            jwt.decode(
                token,
                self._key.public_key(),
                algorithms=["RS256"],
                options={"verify_aud": False} | _NO_TIMES,
            )
        except jwt.InvalidTokenError:
            return False
        return True

    def ask_consent(self, caller: Caller, *, redirect_url: str, issuer: str) -> str:
        """Return a token that asks for the caller's consent to runs, to be shown to a person."""
        claims = {"aud": _CONSENT, "sub": caller.user_id, "name": caller.name}
        return self._signed(issuer, claims | {"redirect_url": redirect_url})

    def consent_asked(self, token: str) -> ConsentAsked:
        """Return the request for consent in such a token; raises Unauthorised."""
        claims = self._claims(token, audience=[_CONSENT])
        if claims["exp"] <= self._clock().timestamp():
            raise _unauthorised("The request for consent has expired.")
        return ConsentAsked(claims["sub"], claims["name"], claims["redirect_url"])

    def caller(self, token: str, *, scope: str = SCOPE) -> Caller:
        """Return the identity of `token`; raises Unauthorised, also when it lacks the scope."""
        known = self._known.get(token) or self._verified(token)
        if scope and scope not in known.scopes:
            raise _unauthorised(f"Access token lacks the scope {scope}.")
        if known.expires <= self._clock().timestamp():
            raise _unauthorised("Access token has expired.")
        if known.token_id in self._revoked:
            raise _unauthorised("Access token was revoked.")
        return known

    def public_keys(self) -> dict[str, Any]:
        """Return the JSON Web Key Set that verifies the tokens."""
        key = jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {"keys": [key | {"kid": self._key_id, "use": "sig", "alg": "RS256"}]}

    def _user(self) -> dict[str, Any]:
        return {"sub": self.user_id(LOCAL_USER), "name": "Local User", "email": LOCAL_USER}

    def _signed(self, issuer: str, claims: dict[str, Any]) -> str:
        now = self._clock()
        times = {
            "iss": issuer,
            "iat": int(now.timestamp()),
            "nbf": int(now.timestamp()),
            "exp": int((now + LIFETIME).timestamp()),
            "jti": uuid.uuid4().hex,
        }
        return jwt.encode(
            claims | times, self._key, algorithm="RS256", headers={"kid": self._key_id}
        )

    def _claims(self, token: str, *, audience: list[str]) -> dict[str, Any]:
        try:
            return jwt.decode(
                token,
                self._key.public_key(),
                algorithms=["RS256"],
                audience=audience,
                options=_NO_TIMES,
            )
        except jwt.InvalidTokenError as invalid:
            raise _unauthorised("Access denied due to invalid access_token.") from invalid

    def _verified(self, token: str) -> Caller:
        claims = self._claims(token, audience=AUDIENCE)
        caller = Caller(
            client_id=claims["client_id"],
            name=claims.get("name", claims["sub"]),
            user_id=claims["sub"] if "email" in claims else self.user_id(claims["client_id"]),
            expires=claims["exp"],
            is_person="email" in claims,
            scopes=frozenset(claims["scope"]),
            token_id=claims["jti"],
        )
        with self._lock:
            self._known[token] = caller
            while len(self._known) > _CACHED_TOKENS:
                self._known.popitem(last=False)
        return caller


def _unauthorised(reason: str) -> Unauthorised:
    return Unauthorised(
        "Unauthorized",
        f"{reason} Make sure to provide a valid token for this API endpoint.",
    )


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8")).hexdigest()


def _thumbprint(key: RSAPrivateKey) -> str:
    modulus = key.public_key().public_numbers().n
    return hashlib.sha256(str(modulus).encode("ascii")).hexdigest()[:32]
