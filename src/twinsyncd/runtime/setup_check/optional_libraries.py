"""Examines whether the optional libraries that the configuration needs are installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import Final

from ...cloud.access_check import CheckResult
from ...config import Config
from ...errors import how_to_install

LIBRARIES: Final = {
    "page": ("jinja2", "prometheus_client", "starlette", "uvicorn"),
    "notify": ("apprise",),
    "manifest": ("obstore",),
    "postgres": ("psycopg",),
}
"""The libraries of each part, as they are imported."""


def library_results(config: Config) -> Iterator[CheckResult]:
    """Yield what is not installed of what is configured: `run` would refuse to start."""
    for part, key in _needed(config):
        lacking = [each for each in LIBRARIES[part] if importlib.util.find_spec(each) is None]
        if lacking:
            found = f"it needs a part that is not installed ({', '.join(lacking)})"
            yield CheckResult(f"use {key}", False, found, how_to_install(part))


def _needed(config: Config) -> Iterator[tuple[str, str]]:
    if config.page is not None:
        yield "page", "[page]"
    notify = config.notify  # whoever only pings an address needs no library
    if notify is not None and (notify.urls or notify.urls_file or notify.escalate_urls):
        yield "notify", "[notify]"
    if config.daemon.journal is not None:
        yield "postgres", "the journal in PostgreSQL"
    if any(
        each.target == "manifest" and each.objects.served_folder is None
        for each in config.connection
    ):
        yield "manifest", 'target = "manifest"'
