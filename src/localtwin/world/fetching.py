"""Fetches what a manifest run names by URL into the run's folder.

Source: Synchronization API, "Create ManifestConnection run": urls are pre-authenticated.
"""

from __future__ import annotations

import shutil
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path

_WAIT_S = 30


def fetch(url: str, target: Path) -> str | None:
    """Write what is at `url` to `target`; returns why not, without the URL, which is a secret."""
    if not url.lower().startswith(("http://", "https://")):
        return "The address is not http or https."
    partial = target.with_suffix(".partial")
    try:
        with (
            urllib.request.urlopen(url, timeout=_WAIT_S) as answer,  # noqa: S310 (checked above)
            partial.open("wb") as out,
        ):
            shutil.copyfileobj(answer, out, 1 << 20)
    except urllib.error.HTTPError as refused:
        with refused:
            return f"The file's server answered {refused.code}."
    except (OSError, HTTPException) as failed:
        return f"The file's server can't be reached ({type(failed).__name__})."
    partial.replace(target)
    return None
