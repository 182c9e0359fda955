"""The companies that the bulk API begins with, so that it can be used without an administrator."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from localtwin.world.bulk.accounts import WRITE, Accounts, Role

ADMINISTRATOR = "admin@localhost"


@dataclass(frozen=True, slots=True)
class BulkAccount:
    """An account that can sign in; a SystemAdmin may touch every company."""

    email: str
    password: str
    role: str
    company_guid: str


@dataclass(frozen=True, slots=True)
class BulkCredentials:
    """The first company, its administrator and an API key with the scope sync:write.

    `accounts`: one of each role, and the administrator of a second company.
    """

    company_guid: str
    email: str
    password: str
    api_key: str
    accounts: tuple[BulkAccount, ...] = ()


def bulk_credentials(
    accounts: Accounts, file: Path, write: Callable[[Path, bytes], None]
) -> BulkCredentials:
    """Return what `file` holds; makes the companies when there is no such file yet."""
    if file.exists():
        found = json.loads(file.read_text("utf-8"))
        others = tuple(BulkAccount(**each) for each in found.pop("accounts", ()))
        known = BulkCredentials(**found, accounts=others)
    else:
        known = _first_company(accounts)
    if not known.accounts:  # also in a folder of an earlier version
        known = replace(known, accounts=tuple(_one_of_each(accounts, known)))
        write(file, json.dumps(asdict(known), indent=2).encode("utf-8"))
    return known


def _first_company(accounts: Accounts) -> BulkCredentials:
    company = accounts.add_company("Local company")
    administrator = _added(accounts, "admin", Role.COMPANY_ADMIN, company)
    caller = accounts.administrator(company)
    _, key = accounts.add_key(caller, "localtwin", WRITE)
    return BulkCredentials(company, administrator.email, administrator.password, key)


def _one_of_each(accounts: Accounts, first: BulkCredentials) -> Iterator[BulkAccount]:
    company = first.company_guid
    yield BulkAccount(first.email, first.password, Role.COMPANY_ADMIN.value, company)
    yield _added(accounts, "system", Role.SYSTEM_ADMIN, company)
    yield _added(accounts, "integration", Role.INTEGRATION, company)
    yield _added(accounts, "operator", Role.OPERATOR, company)
    another = accounts.add_company("Another company")
    yield _added(accounts, "admin", Role.COMPANY_ADMIN, another)


def _added(accounts: Accounts, name: str, role: Role, company: str) -> BulkAccount:
    email = ADMINISTRATOR.replace("admin@", f"{name}-{company[:8]}@")
    account = BulkAccount(email, secrets.token_urlsafe(16), role.value, company)
    accounts.add_account(email, account.password, role, company)
    return account
