"""Sends a message to one target by Apprise, which knows a hundred services.

An address holds passwords and tokens, and some services name them in their errors: a target shows
its kind and its number only, and what Apprise logs is kept out of our log.
"""

from __future__ import annotations

import hashlib
import logging
import re
import threading
from collections.abc import Sequence
from typing import Final

import apprise

from ..errors import AppError
from ..redact import redact

SECRET_LEAST: Final = 4  # characters; a shorter part of an address is no secret
ERROR_MAX: Final = 300
LOGGER: Final = "apprise"

_PARTS: Final = re.compile(r"[/:@?&=#,]+")
_sending = threading.Lock()


class Target:
    """One address. Use it from one thread."""

    def __init__(self, url: str, number: int) -> None:
        """Parse the address, the `number`-th of the configuration. Raises AppError."""
        logging.getLogger(LOGGER).propagate = False
        plugin = apprise.Apprise.instantiate(url, suppress_exceptions=True)
        if plugin is None:
            raise AppError(
                f"address number {number} of [notify] is not understood",
                hint="write it as Apprise does, like mailto://user:password@example.com;"
                " special characters of a password as %40, %2F, ...",
            )
        self._url = url
        self._apprise = apprise.Apprise()
        self._apprise.add(plugin)
        self.id = hashlib.sha256(url.encode()).hexdigest()[:12]
        self.name = f"{plugin.service_name} (notify {number})"

    def send(self, title: str, body: str) -> str:
        """Send a message; return why it was not taken, "" if it was. It may take half a minute."""
        errors = _Errors()
        logger = logging.getLogger(LOGGER)
        with _sending:
            logger.addHandler(errors)
            try:
                taken = self._apprise.notify(body=body, title=title, body_format="text")
            except (OSError, TypeError, ValueError) as exc:
                taken, errors.texts = None, [str(exc)]
            finally:
                logger.removeHandler(errors)
        if taken:
            return ""
        return self._without_secrets("; ".join(dict.fromkeys(errors.texts)) or "it was not taken")

    def _without_secrets(self, text: str) -> str:
        _, _, rest = self._url.partition("://")
        for part in sorted(_PARTS.split(rest), key=len, reverse=True):
            if len(part) >= SECRET_LEAST and "." not in part and part != "localhost":
                text = text.replace(part, "[redacted]")
        return redact(text)[:ERROR_MAX]


def targets_of(urls: Sequence[str], first: int = 1) -> list[Target]:
    """Return a target for each address. Raises AppError."""
    return [Target(url, number) for number, url in enumerate(urls, first)]


class _Errors(logging.Handler):
    """Keeps what Apprise reports about a try."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())
