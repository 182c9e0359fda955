"""The company that the bulk API begins with, so that it can be used without an administrator."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from localtwin.world.bulk.accounts import WRITE, Accounts, Role

ADMINISTRATOR = "admin@localhost"


@dataclass(frozen=True, slots=True)
class BulkCredentials:
    """The first company, its administrator and an API key with the scope sync:write."""

    company_guid: str
    email: str
    password: str
    api_key: str


def bulk_credentials(
    accounts: Accounts, file: Path, write: Callable[[Path, bytes], None]
) -> BulkCredentials:
    """Return what `file` holds; makes the company when there is no such file yet."""
    if not file.exists():
        company = accounts.add_company("Local company")
        password = secrets.token_urlsafe(16)
        number = company[:8]
        email = ADMINISTRATOR.replace("@", f"-{number}@")
        accounts.add_account(email, password, Role.COMPANY_ADMIN, company)
        caller = accounts.administrator(company)
        _, key = accounts.add_key(caller, "localtwin", WRITE)
        made = BulkCredentials(company, email, password, key)
        write(file, json.dumps(asdict(made), indent=2).encode("utf-8"))
    return BulkCredentials(**json.loads(file.read_text("utf-8")))
