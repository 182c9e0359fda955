"""How long runs may still act for a user, as far as can be estimated from here; pure.

The service keeps a user's authorization for 30 days and renews it only when that person visits the
portal in the last 10 of them. It tells whether there is one, never since when; so what counts is
when it was first seen. Services (applications) need none.
Source: Synchronizer help, "Transfer the ownership", read 2026-11.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from .model import ConnectionRow, Now

DAY_S: Final = 86_400.0
LIFE_S: Final = 30.0 * DAY_S
RENEWABLE_S: Final = 10.0 * DAY_S  # before its end, in which a visit to the portal renews it
WARN_DAYS: Final = (10, 5, 1)


def authorised(row: ConnectionRow, now: Now) -> ConnectionRow:
    """Return the row once the service said that runs may act for the user.

    One that is older than it can be was renewed meanwhile; the earliest possible day counts.
    """
    since_s = row.authorised_s or now.wall_s
    while now.wall_s - since_s > LIFE_S:
        since_s += LIFE_S - RENEWABLE_S
    renewed = since_s != row.authorised_s
    return replace(row, authorised_s=since_s, warned_days=0 if renewed else row.warned_days)


def renewed(row: ConnectionRow, now: Now) -> ConnectionRow:
    """Return the row after the user has just agreed again."""
    return replace(row, authorised_s=now.wall_s, warned_days=0)


def revoked(row: ConnectionRow) -> ConnectionRow:
    """Return the row once the service said that runs may not, or need not, act for a user."""
    return replace(row, authorised_s=0.0, warned_days=0)


def days_left(authorised_s: float, now_s: float) -> int | None:
    """Return for how many whole days runs may still act for the user; None: for a service.

    0 also means that it may have ended, or been renewed, since.
    """
    if not authorised_s:
        return None
    return int(max(authorised_s + LIFE_S - now_s, 0.0) // DAY_S)


def warning_days(row: ConnectionRow, now: Now) -> int:
    """Return how many days are left if a warning is due that was not given yet; 0: none is."""
    if not row.authorised_s:
        return 0
    left_s = row.authorised_s + LIFE_S - now.wall_s
    due = [days for days in WARN_DAYS if left_s <= days * DAY_S]
    if not due or left_s <= 0.0:
        return 0
    return due[-1] if row.warned_days == 0 or due[-1] < row.warned_days else 0
