"""What an event of the history says, for people."""

from __future__ import annotations

from ..core.events import Event, EventKind


def event_words(event: Event) -> str:
    """Return its text; "" if there is none. Of a renaming it is the earlier name alone."""
    return f"it was {event.text}" if event.kind is EventKind.FILE_RENAMED else event.text
