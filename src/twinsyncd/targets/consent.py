"""Asks, before a run that acts for a person, whether that person has agreed to it."""

from __future__ import annotations

from dataclasses import replace

from ..cloud.client import Platform
from ..core.facts import RunSeen
from ..core.model import Failure, Fault
from ..errors import CloudError

USER = "User"
SERVICE = "Service"
"""The two values of authenticationType."""


def require_consent(platform: Platform, authentication: str) -> bool:
    """Return whether runs act for a user who agreed; False: they act for a service.

    Raises CloudError NOT_AUTHORISED with the page to open. Services are never asked about.
    """
    if authentication != USER:
        return False
    found = platform.authorization()
    if found.authorised:
        return True
    failure = Failure(Fault.NOT_AUTHORISED, words(found.url))
    raise CloudError("let runs act for the user", failure)


def with_page(platform: Platform, authentication: str, seen: RunSeen) -> RunSeen:
    """Return how a run ended, with the page to open if it was for the lack of consent."""
    if not seen.unauthorised or authentication != USER:
        return seen
    try:
        found = platform.authorization()
    except CloudError:
        return seen  # the next preparation asks again
    return replace(seen, message=f"{seen.message}; {words(found.url)}")


def words(url: str) -> str:
    """Return what is missing, and what the person does about it."""
    page = f", or open {url}" if url else ""
    return f"runs may not act for the person who signed in: run twinsyncd login{page}"
