"""Events that webhooks can subscribe to, by the names of the Webhooks API.

Source: Webhooks API v2, "Events"; the content of changesReady by analogy with namedVersionCreated.
"""

from __future__ import annotations

from collections.abc import Callable

JOB_COMPLETED = "synchronization.jobCompleted.v1"
CHANGES_READY = "iModels.changesReady.v1"
VERSION_CREATED = "iModels.namedVersionCreated.v1"
IMODEL_CREATED = "iModels.iModelCreated.v1"
IMODEL_DELETED = "iModels.iModelDeleted.v1"
ITWIN_CREATED = "iTwins.iTwinCreated.v1"
ITWIN_DELETED = "iTwins.iTwinDeleted.v1"

Content = dict[str, str]
Announce = Callable[[str, str, Content], None]
"""Takes an event's type, its iTwin and its content; returns at once."""


def announce_nothing(_event_type: str, _itwin_id: str, _content: Content) -> None:
    """Drop the event."""
