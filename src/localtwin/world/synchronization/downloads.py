"""Fetches what a manifest run names by URL into the run's folder.

Each file has its own time: a server that hangs, or sends a byte now and then, costs its file only.
Source: Synchronization API, "Create ManifestConnection run": urls are pre-authenticated.
"""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path

from localtwin.ids import new_guid
from localtwin.world.outgoing import open_address

_AT_ONCE = 8  # enough that a few servers that hang do not hold up the rest
_CHUNK_BYTES = 1 << 20
_SILENCE_S = 30.0  # a server that says nothing for so long won't say any more


class _Broken(Exception):
    """The file did not come whole; says why."""


def fetch_all(wanted: Sequence[tuple[str, Path]], *, limit_s: float) -> list[str | None]:
    """Return for each URL and target what `fetch` returns, a few of them at a time."""
    if not wanted:
        return []
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        return list(threads.map(lambda pair: fetch(*pair, limit_s=limit_s), wanted))


def fetch(url: str, target: Path, *, limit_s: float) -> str | None:
    """Write what is at `url` to `target`; returns why not, without the URL, which is a secret."""
    if not url.lower().startswith(("http://", "https://")):
        return "The address is not http or https."
    target.parent.mkdir(exist_ok=True)
    partial = target.with_name(f"{new_guid()}.partial")
    try:
        _download(url, partial, limit_s)
        partial.replace(target)
    except urllib.error.HTTPError as refused:
        with refused:
            return f"The file's server answered {refused.code}."
    except _Broken as broken:
        return str(broken)
    except TimeoutError:
        return "The file's server does not answer in time."
    except (OSError, HTTPException) as failed:
        reason = type(getattr(failed, "reason", failed)).__name__
        return f"The file's server can't be reached ({reason})."
    finally:
        partial.unlink(missing_ok=True)
    return None


def _download(url: str, target: Path, limit_s: float) -> None:
    end = time.monotonic() + limit_s
    silence_s = min(limit_s, _SILENCE_S)
    request = urllib.request.Request(url)  # noqa: S310 (checked by fetch)
    with open_address(request, timeout_s=silence_s) as answer, target.open("wb") as out:
        announced = answer.headers.get("Content-Length")
        written = 0
        while chunk := answer.read1(_CHUNK_BYTES):
            written += out.write(chunk)
            if time.monotonic() > end:
                raise TimeoutError
    if announced is not None and written != int(announced):
        raise _Broken(f"The file's server sent {written} of {announced} bytes.")
