"""Who signs in at an SMB server."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who signs in at the server; `account` may have a domain before or behind it."""

    account: str
    password: str = field(repr=False)
