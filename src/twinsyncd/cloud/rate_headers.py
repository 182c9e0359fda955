"""Reads what a host says of its rate limit: how many requests are left, and for how long.

Three ways of saying it are in use; an answer that says nothing, or says it wrong, changes nothing.
Sources: IETF draft "RateLimit header fields for HTTP", -10 (lists of policies) and -03 to -07
(three headers, or one of three members); X-RateLimit-* as the large APIs send them, with seconds
or a time as Reset.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_MEMBER: Final = re.compile(r"([a-z]+)\s*=\s*\"?(\d{1,12})(?!\d)", re.IGNORECASE)
_NUMBER: Final = re.compile(r"\d{1,13}(?=\D|$)")
_EPOCH_S: Final = 1_000_000_000.0  # a Reset above this is a time; nobody waits for thirty years
_EPOCH_MS: Final = 100_000_000_000.0
_PREFIXES: Final = ("ratelimit-", "x-ratelimit-", "x-rate-limit-")


@dataclass(frozen=True, slots=True)
class Budget:
    """So many requests are left until the count begins anew; `limit`: of how many, 0: not known."""

    left: int
    resets_in_s: float
    limit: int = 0


def read_budget(headers: Mapping[str, str], wall_s: float) -> Budget | None:
    """Return the budget that an answer reports, None if none. `headers`: lower-case names.

    Of several policies the one that allows least counts.
    """
    if "ratelimit" in headers:
        found = _of_policies(headers["ratelimit"], headers.get("ratelimit-policy", ""))
        if found is not None:
            return found
    for prefix in _PREFIXES:
        found = _of_three(headers, prefix, wall_s)
        if found is not None:
            return found
    return None


def _of_policies(text: str, policies: str) -> Budget | None:
    """Read RateLimit: a list of `"name";r=left;t=seconds`, or `limit=, remaining=, reset=`."""
    members = _members(text)
    if "remaining" in members and "reset" in members:
        return Budget(members["remaining"], members["reset"], members.get("limit", 0))
    known = {_name(each): _members(each) for each in policies.split(",")}
    found = []
    for each in text.split(","):
        said, policy = _members(each), known.get(_name(each), {})
        resets_in_s = said.get("t", policy.get("w"))
        if "r" in said and resets_in_s is not None:
            found.append(Budget(said["r"], resets_in_s, policy.get("q", 0)))
    return min(found, key=_rate, default=None)


def _of_three(headers: Mapping[str, str], prefix: str, wall_s: float) -> Budget | None:
    left, reset = (_number(headers.get(prefix + name, "")) for name in ("remaining", "reset"))
    if left is None or reset is None:
        return None
    if reset >= _EPOCH_MS:
        reset = reset / 1000.0 - wall_s
    elif reset >= _EPOCH_S:
        reset -= wall_s
    return Budget(int(left), max(reset, 0.0), int(_number(headers.get(prefix + "limit", "")) or 0))


def _members(text: str) -> dict[str, int]:
    return {name.lower(): int(number) for name, number in _MEMBER.findall(text)}


def _name(text: str) -> str:
    return text.partition(";")[0].strip()


def _number(text: str) -> float | None:
    found = _NUMBER.match(text.strip())
    return float(found[0]) if found else None


def _rate(budget: Budget) -> float:
    return budget.left / max(budget.resets_in_s, 1.0)
