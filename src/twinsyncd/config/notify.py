"""The section of notifications: to whom, when, and how often."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr

from .secret_file import AddressesFile
from .sections import Section
from .units import Duration, mistake

_TIME: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


def _time_of_day(text: str) -> str:
    if text and not _TIME.fullmatch(text):
        raise mistake(f'"{text}" is not a time of day', 'write it like "07:30", or "" for none')
    return text


def _ping_url(url: SecretStr) -> SecretStr:
    parts = urlsplit(url.get_secret_value())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise mistake("this is not a web address", 'write it with "https://" in front')
    return url


TimeOfDay = Annotated[str, AfterValidator(_time_of_day)]
PingUrl = Annotated[SecretStr, AfterValidator(_ping_url)]


class Notify(Section):
    """Who is told by mail or chat, and when. The addresses hold passwords, so all are secrets."""

    urls: tuple[SecretStr, ...] = ()
    urls_file: AddressesFile | None = None
    escalate_urls: tuple[SecretStr, ...] = ()
    group_for: Duration = timedelta(minutes=1)
    outage_after: Duration = timedelta(minutes=30)
    escalate_after: Duration = timedelta(hours=4)
    digest_at: TimeOfDay = ""
    ping_url: PingUrl | None = None
    ping_every: Duration = timedelta(minutes=5)

    def targets(self) -> tuple[str, ...]:
        """Return the addresses of everybody who gets every message. Raises OSError."""
        listed = self.urls_file.read_text("utf-8-sig").splitlines() if self.urls_file else []
        kept = [line.strip() for line in listed if line.strip() and not line.startswith("#")]
        return (*(url.get_secret_value() for url in self.urls), *kept)

    def escalation_targets(self) -> tuple[str, ...]:
        """Return the addresses of those who are told of what stays."""
        return tuple(url.get_secret_value() for url in self.escalate_urls)
