"""The tables of the world's one database; importing this package declares them all."""

from __future__ import annotations

from localtwin.world.tables.access import (
    authorizations,
    clients,
    grants,
    members,
    outsiders,
    owners,
    revoked_tokens,
    roles,
)
from localtwin.world.tables.bulk import (
    bulk_accounts,
    bulk_companies,
    bulk_keys,
    bulk_records,
)
from localtwin.world.tables.favorites import (
    favorite_imodels,
    favorite_itwins,
    recent_imodels,
    recent_itwins,
)
from localtwin.world.tables.metadata import metadata
from localtwin.world.tables.projects import changesets, imodels, itwins, named_versions, webhooks
from localtwin.world.tables.storage import (
    blobs,
    committed_blocks,
    items,
    staged_blocks,
    stored_headers,
)
from localtwin.world.tables.synchronization import (
    configurations,
    connections,
    references,
    runs,
    sources,
    tasks,
)

__all__ = [
    "authorizations",
    "blobs",
    "bulk_accounts",
    "bulk_companies",
    "bulk_keys",
    "bulk_records",
    "changesets",
    "clients",
    "committed_blocks",
    "configurations",
    "connections",
    "favorite_imodels",
    "favorite_itwins",
    "grants",
    "imodels",
    "items",
    "itwins",
    "members",
    "metadata",
    "named_versions",
    "outsiders",
    "owners",
    "recent_imodels",
    "recent_itwins",
    "references",
    "revoked_tokens",
    "roles",
    "runs",
    "sources",
    "staged_blocks",
    "stored_headers",
    "tasks",
    "webhooks",
]
