"""Who may use the bulk API: companies, accounts with roles, API keys with scopes, tokens.

Source: Ra Factory, "Synchronization API Overview" (scopes and roles), docs of sign-in and API
keys, read 2026-11.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

import jwt
from sqlalchemy import insert, select

from localtwin.errors import Conflict, Forbidden, Invalid, NotFound, Unauthorised
from localtwin.ids import new_guid
from localtwin.world.clock import Clock, stamp
from localtwin.world.database import Database
from localtwin.world.tables import bulk_accounts, bulk_companies, bulk_keys

KEY_PREFIX = "rfk_"
LIFETIME = timedelta(seconds=900)
REFRESH_LIFETIME = timedelta(days=7)
SCOPES = frozenset({"sync:read", "sync:write"})
WRITE = "sync:write"
_SCRYPT: dict[str, int] = {"n": 2**12, "r": 8, "p": 1}  # a local server; 15 ms a sign-in


class Role(StrEnum):
    """What an account may do; the first three may synchronize."""

    SYSTEM_ADMIN = "SystemAdmin"
    COMPANY_ADMIN = "CompanyAdmin"
    INTEGRATION = "Integration"
    OPERATOR = "Operator"


SYNCHRONIZING = frozenset({Role.SYSTEM_ADMIN, Role.COMPANY_ADMIN, Role.INTEGRATION})


@dataclass(frozen=True, slots=True)
class Member:
    """The caller: a person's account, or an API key, whose role is Integration."""

    guid: str
    company_guid: str
    role: Role
    email: str = ""
    scopes: frozenset[str] | None = None  # of an API key; None for an account

    def require_synchronizing(self) -> None:
        """Raise Forbidden unless the caller may write records."""
        if self.scopes is not None and WRITE not in self.scopes:
            raise Forbidden("Forbidden", f"API key lacks the required scope: {WRITE}")
        if self.scopes is None and self.role not in SYNCHRONIZING:
            raise Forbidden("Forbidden", f"Role {self.role} may not synchronize")

    def require_company(self, company_guid: str) -> None:
        """Raise Forbidden unless the caller may touch what belongs to the company."""
        if self.role is not Role.SYSTEM_ADMIN and company_guid != self.company_guid:
            raise Forbidden("Forbidden", f"Access denied to company {company_guid}")


@dataclass(frozen=True, slots=True)
class Tokens:
    """The answer to a sign-in."""

    access_token: str
    refresh_token: str
    role: Role
    expires_in: int = int(LIFETIME.total_seconds())


class Accounts:
    """Companies, their accounts and API keys; only hashes of secrets are kept."""

    def __init__(self, database: Database, secret: bytes, clock: Clock) -> None:
        """`secret` signs the tokens."""
        self._database = database
        self._secret = secret
        self._clock = clock

    def add_company(self, name: str, guid: str | None = None) -> str:
        """Return the GUID of a new company."""
        guid = guid or new_guid()
        row = {"guid": guid, "name": name, "created": stamp(self._clock())}
        with self._database.write() as connection:
            connection.execute(insert(bulk_companies).values(row))
        return guid

    def add_account(self, email: str, password: str, role: Role, company_guid: str) -> None:
        """Add a person's account; raises Conflict when the address is taken."""
        salt = secrets.token_hex(16)
        row = {
            "email": email.lower(),
            "guid": new_guid(),
            "company_guid": company_guid,
            "role": role.value,
            "salt": salt,
            "password_hash": _password_hash(password, salt),
            "is_active": True,
        }
        with self._database.write() as connection:
            taken = select(bulk_accounts.c.email).where(bulk_accounts.c.email == email.lower())
            if connection.execute(taken).first():
                raise Conflict("Conflict", "Email already registered")
            connection.execute(insert(bulk_accounts).values(row))

    def add_key(
        self,
        caller: Member,
        description: str,
        scopes: str,
        *,
        key: str | None = None,
        company_guid: str | None = None,
    ) -> tuple[str, str]:
        """Return GUID and text of a new API key; the text is shown only here.

        Raises Forbidden, NotFound (the company), Conflict (the key is known), Invalid (scopes).
        """
        if caller.scopes is not None or caller.role not in SYNCHRONIZING - {Role.INTEGRATION}:
            raise Forbidden("Forbidden", "Only administrators may create API keys")
        company = (company_guid or caller.company_guid).lower()
        caller.require_company(company)
        given = [scope.strip() for scope in scopes.split(",") if scope.strip()]
        if not given or not SCOPES.issuperset(given):
            raise Invalid("BadRequest", f"Scopes must be some of: {', '.join(sorted(SCOPES))}")
        text = key or KEY_PREFIX + secrets.token_urlsafe(32)
        row = {
            "guid": new_guid(),
            "key_hash": _hash(text),
            "company_guid": company,
            "description": description,
            "scopes": ",".join(given),
            "created": stamp(self._clock()),
        }
        with self._database.write() as connection:
            known = select(bulk_companies.c.guid).where(bulk_companies.c.guid == company)
            if connection.execute(known).first() is None:
                raise NotFound("NotFound", f"Company {company} not found")
            same = select(bulk_keys.c.guid).where(bulk_keys.c.key_hash == row["key_hash"])
            if connection.execute(same).first():
                raise Conflict("Conflict", "API key already exists")
            connection.execute(insert(bulk_keys).values(row))
        return row["guid"], text

    def sign_in(self, email: str, password: str) -> Tokens:
        """Return tokens for the account; raises Unauthorised."""
        row = self._database.one(
            select(bulk_accounts).where(bulk_accounts.c.email == email.lower())
        )
        expected = "" if row is None else str(row.password_hash)
        given = _password_hash(password, "" if row is None else str(row.salt))
        if row is None or not row.is_active or not hmac.compare_digest(given, expected):
            raise Unauthorised("Unauthorized", "Invalid credentials")
        return self._tokens(Member(row.guid, row.company_guid, Role(row.role), row.email))

    def refresh(self, token: str) -> Tokens:
        """Return fresh tokens for a refresh token; raises Unauthorised."""
        return self._tokens(self._member(token, kind="refresh"))

    def of_token(self, token: str) -> Member:
        """Return who an access token was issued to; raises Unauthorised."""
        return self._member(token, kind="access")

    def of_key(self, text: str) -> Member:
        """Return what an API key stands for; raises Unauthorised."""
        row = self._database.one(select(bulk_keys).where(bulk_keys.c.key_hash == _hash(text)))
        if row is None:
            raise Unauthorised("Unauthorized", "Invalid API key")
        scopes = frozenset(str(row.scopes).split(","))
        return Member(row.guid, row.company_guid, Role.INTEGRATION, scopes=scopes)

    def administrator(self, company_guid: str) -> Member:
        """Return the caller as which the world itself makes the first key of a company."""
        return Member(new_guid(), company_guid, Role.SYSTEM_ADMIN)

    def _tokens(self, member: Member) -> Tokens:
        access = self._signed(member, "access", LIFETIME)
        return Tokens(access, self._signed(member, "refresh", REFRESH_LIFETIME), member.role)

    def _signed(self, member: Member, kind: str, lifetime: timedelta) -> str:
        claims = {
            "sub": member.guid,
            "email": member.email,
            "tenant": member.company_guid,
            "role": member.role.value,
            "type": kind,
            "exp": int((self._clock() + lifetime).timestamp()),
            "jti": new_guid(),
        }
        return jwt.encode(claims, self._secret, algorithm="HS256")

    def _member(self, token: str, *, kind: str) -> Member:
        never: Any = {"verify_exp": False}  # by the world's own clock, below
        try:
            claims = jwt.decode(token, self._secret, algorithms=["HS256"], options=never)
        except jwt.InvalidTokenError as invalid:
            raise Unauthorised("Unauthorized", "Could not validate credentials") from invalid
        if claims.get("type") != kind or claims["exp"] <= self._clock().timestamp():
            raise Unauthorised("Unauthorized", "Could not validate credentials")
        return Member(claims["sub"], claims["tenant"], Role(claims["role"]), claims["email"])


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8")).hexdigest()


def _password_hash(password: str, salt: str) -> str:
    made = hashlib.scrypt(password.encode("utf-8"), salt=salt.encode("ascii"), **_SCRYPT)
    return made.hex()
