"""Removes secrets from text that people will read: tokens, signatures, client secrets."""

from __future__ import annotations

import re
from typing import Final

_RULES: Final = (
    # A name and password in front of the host, as addresses of proxies have them.
    (re.compile(r"(https?://)[^\s/?#@\"'<>]+@"), r"\1[redacted]@"),
    # The query of a signed URL grants access to the blob; no query is shown.
    (re.compile(r"(https?://[^\s?\"'<>]+)\?[^\s\"'<>]+"), r"\1?[redacted]"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), r"\1 [redacted]"),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?"), "[redacted]"),
    (
        re.compile(
            r"(?i)\b(sig|client_secret|access_token|refresh_token|password)"
            r"([\"']?\s*[=:]\s*[\"']?)[^\s&\"',}]+"
        ),
        r"\1\2[redacted]",
    ),
)

URL: Final = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:)\]]")
_GRANTS: Final = re.compile(r"(?i)(sig|token|secret|code|key|credential|password|session)[\w-]*=")
"""A parameter of an address that may grant something by itself; a page to open has none."""

_SIGNS: Final = ("://", "eyj", "bearer", "basic", "sig", "secret", "token", "password")
"""Without one of these, in whatever case, no rule can match; nearly all texts have none."""


def redact(text: str) -> str:
    """Return the text without passwords and queries of URLs, tokens and `name=secret` pairs."""
    folded = text.casefold()
    if not any(sign in folded for sign in _SIGNS):
        return text
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


def redact_for_person(text: str) -> str:
    """Return the text without secrets, but with the whole address of a page to open.

    A page on which a person signs in or agrees is useless without its query.
    """
    parts, end = [], 0
    for found in URL.finditer(text):
        address = found[0] if is_page(found[0]) else redact(found[0])
        parts += [redact(text[end : found.start()]), address]
        end = found.end()
    return "".join([*parts, redact(text[end:])])


def is_page(address: str) -> bool:
    """Return whether nothing in the address grants anything by itself."""
    return "@" not in address and not _GRANTS.search(address)
