"""Says which account was examined: access is a matter of accounts, and the service has its own."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Iterator

from ...cloud.access_check import CheckResult
from ...config import Config

if sys.platform != "win32":
    import pwd


def account_name() -> str:
    """Return the name of the account that this process runs as, or its number."""
    if sys.platform == "win32":
        try:
            return getpass.getuser()
        except (OSError, ImportError):
            return "this account"
    else:
        try:
            return pwd.getpwuid(os.geteuid()).pw_name
        except KeyError:
            return str(os.geteuid())


def account_results(_config: Config) -> Iterator[CheckResult]:
    """Yield which account everything that follows is true for."""
    yield CheckResult("examine as the account", True, account_name())
