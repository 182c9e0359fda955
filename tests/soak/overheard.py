"""What the daemon says to the platform: how often, and what of it is secret."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

SPAN_S: Final = 10.0
RUSH_MAX: Final = 500  # requests in a span; a client that does not wait asks thousands
_TOKEN: Final = re.compile(rb"^authorization: bearer ([^\r]+)", re.IGNORECASE | re.MULTILINE)
_SIGNATURE: Final = re.compile(rb"[?&]sig=([^&\s]+)")


@dataclass(slots=True)
class Overheard:
    """Times and secrets of the requests so far."""

    asked_s: list[float] = field(default_factory=list)  # in order
    secrets: dict[str, None] = field(default_factory=dict)

    def note(self, head: bytes, at_s: float) -> None:
        """Take note of a request's head."""
        self.asked_s.append(at_s)
        for found in (*_TOKEN.findall(head), *_SIGNATURE.findall(head.split(b"\r\n", 1)[0])):
            written = found.decode("latin-1")
            self.secrets.update(dict.fromkeys((written, unquote(written))))

    def busiest(self) -> int:
        """Return the most requests within a span."""
        most, first = 0, 0
        for last, at_s in enumerate(self.asked_s):
            while self.asked_s[first] < at_s - SPAN_S:
                first += 1
            most = max(most, last + 1 - first)
        return most
