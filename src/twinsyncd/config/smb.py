"""The section of a source whose SMB server reports changes: where it is, and who signs in.

Source: mount.cifs(8), "credentials", read 2026-11.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, ValidationInfo, field_validator, model_validator

from .secret_file import UNREAD_SECRETS, SignInFile
from .sections import Section
from .units import mistake

_ADDRESS: Final = re.compile(r"//([^/:]+|\[[0-9a-fA-F:.]+\])(:\d{1,5})?/[^/]+(/.*)?")


def _share_address(text: str) -> str:
    address = text.strip().replace("\\", "/")
    if address and not _ADDRESS.fullmatch(address):
        fix = 'write it like "//fileserver/projects/bridge12/cad"'
        raise mistake(f'"{text}" is not the address of a folder on a file server', fix)
    return address


ShareAddress = Annotated[str, AfterValidator(_share_address)]


class Smb(Section):
    """How the file server is asked to report changes; off without credentials."""

    credentials_file: SignInFile | None = None
    share: ShareAddress = ""

    @field_validator("credentials_file")
    @classmethod
    def _names_an_account(cls, file: Path | None, info: ValidationInfo) -> Path | None:
        if file is not None and not (info.context or {}).get(UNREAD_SECRETS):
            try:
                read_sign_in(file)
            except ValueError as exc:
                fix = "write two lines, username=... and password=..., and if needed domain=..."
                raise mistake(str(exc), fix) from exc
        return file

    @model_validator(mode="after")
    def _has_credentials(self) -> Smb:
        if self.share and self.credentials_file is None:
            message = "the file server reports changes only to an account that may read there"
            fix = "set credentials_file to a file with the lines username=, password= and domain="
            raise mistake(message, fix)
        return self

    def sign_in(self) -> tuple[str, str]:
        """Return the account and its password, read again each time. Raises OSError, ValueError."""
        assert self.credentials_file is not None
        return read_sign_in(self.credentials_file)


def read_sign_in(file: Path) -> tuple[str, str]:
    """Return the account, with its domain, and its password. Raises OSError, ValueError."""
    found = {}
    for line in file.read_text("utf-8-sig").splitlines():
        name, is_pair, value = line.partition("=")
        if is_pair:
            found[name.strip().lower()] = value
    account = found.get("username", found.get("user", "")).strip()
    password = found.get("password", found.get("pass", ""))
    if not account or not password:
        missing = "password=..." if account else "username=..."
        message = f"{file} has no line {missing}"
        raise ValueError(message)
    domain = found.get("domain", found.get("dom", found.get("workgroup", ""))).strip()
    is_whole = not domain or "\\" in account or "@" in account
    return account if is_whole else f"{domain}\\{account}", password
