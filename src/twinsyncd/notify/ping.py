"""The dead man's switch: a monitoring service rings when our pings stay away.

That is the only way to learn of a machine that is off, so nothing is sent while the daemon hangs.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import Final

TIMEOUT_S: Final = 10.0


def ping(url: str) -> str:
    """Ask for the address; return why that failed, "" if it did not. `url` is http or https."""
    request = urllib.request.Request(url, headers={"User-Agent": "twinsyncd"})  # noqa: S310 - checked in the configuration
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S):  # noqa: S310 - as above
            return ""
    except urllib.error.HTTPError as exc:
        exc.close()
        return f"the address of ping_url answers HTTP {exc.code}"
    except (OSError, ValueError) as exc:
        reason = getattr(exc, "reason", exc)
        return f"the address of ping_url does not answer ({type(reason).__name__})"
