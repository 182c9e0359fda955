"""Says which account was examined: access is a matter of accounts, and the service has its own."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator

from ...cloud.access_check import CheckResult
from ...config import Config


def account_name() -> str:
    """Return the name of the account that this process runs as, or its number."""
    try:
        return getpass.getuser() if os.name == "nt" else _posix_name()
    except (KeyError, OSError, ImportError):
        return str(os.geteuid()) if os.name == "posix" else "this account"


def account_results(_config: Config) -> Iterator[CheckResult]:
    """Yield which account everything that follows is true for."""
    yield CheckResult("examine as the account", True, account_name())


def _posix_name() -> str:
    import pwd  # noqa: PLC0415 - there is none on Windows

    return pwd.getpwuid(os.geteuid()).pw_name
