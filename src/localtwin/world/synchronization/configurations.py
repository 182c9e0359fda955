"""Settings of connectors, per iTwin, iModel and connection; the most specific one wins.

Source: Synchronization API, "Configurations" (technical preview).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from localtwin.errors import not_found
from localtwin.world.database import Database
from localtwin.world.imodels.imodels import find_imodel
from localtwin.world.itwins import find_itwin
from localtwin.world.tables import configurations, connections

Settings = dict[str, Any]

DEFAULTS: dict[str, Settings] = {
    "itwins": {
        "uploadDgnRealityData": True,
        "convertDgnTerrainModels": False,
        "squashIntermediateRevisions": False,
        "convertDgnHyperModelingSections": True,
        "skipRvtReprojection": False,
        "allowRevitIgnoreGcs": False,
    },
    "imodels": {
        "clampZExtent": False,
        "overrideRvtReprojectionDistance": 0,
        "ignoreIfcGlobalIds": False,
    },
    "connections": {
        "reclassifyDgnElements": False,
        "ignoreDgnAttachments": False,
        "enableSheetsAndDrawings": False,
    },
}
"""The keys each scope knows, with what holds when nobody says otherwise."""

_FIXED: dict[str, Settings] = {
    "connections": dict.fromkeys(
        ("enableSheetIndex", "filterBySheetIndex", "enableC3dGraphsIn2dModel"), False
    )
}
"""What a scope shows but nobody can set."""


class Configurations:
    """All configurations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, scope: str, scope_id: str) -> tuple[Settings, Settings]:
        """Return what is set at the scope, and what holds there with all above it."""
        with self._database.read() as connection:
            found = _settings(connection, scope, scope_id)
            if found is None:
                raise not_found("Configuration")
            above = _chain(connection, scope, scope_id)
            resolved: Settings = {}
            for name, where in above:
                own = _settings(connection, name, where) or {}
                resolved |= DEFAULTS[name] | _FIXED.get(name, {}) | own
        return found, resolved

    def set(self, scope: str, scope_id: str, settings: Settings, *, whole: bool) -> None:
        """Set the scope's settings; unless `whole`, keep those that are not given."""
        with self._database.write() as connection:
            _chain(connection, scope, scope_id)
            found = _settings(connection, scope, scope_id)
            if found is None:
                row = {"scope": scope, "scope_id": scope_id, "settings": settings}
                connection.execute(insert(configurations).values(row))
                return
            merged = settings if whole else found | settings
            here = (configurations.c.scope == scope) & (configurations.c.scope_id == scope_id)
            connection.execute(update(configurations).where(here).values(settings=merged))

    def delete(self, scope: str, scope_id: str) -> None:
        """Forget the scope's settings."""
        here = (configurations.c.scope == scope) & (configurations.c.scope_id == scope_id)
        with self._database.write() as connection:
            if connection.execute(delete(configurations).where(here)).rowcount == 0:
                raise not_found("Configuration")


def changed_settings(connection: Connection, connection_id: str) -> list[str]:
    """Return the names of the settings of a connection that differ from their defaults.

    No connector here carries them out; the reports of its runs say so.
    """
    return sorted(
        name
        for scope, scope_id in _chain(connection, "connections", connection_id)
        for name, value in (_settings(connection, scope, scope_id) or {}).items()
        if value != DEFAULTS[scope][name]
    )


def _chain(connection: Connection, scope: str, scope_id: str) -> list[tuple[str, str]]:
    """Return the scope and those above it, the most general first; raises NotFound."""
    if scope == "itwins":
        return [(scope, find_itwin(connection, scope_id).id)]
    if scope == "imodels":
        imodel = find_imodel(connection, scope_id)
        return [("itwins", imodel.itwin_id), (scope, imodel.id)]
    query = select(connections.c.imodel_id).where(connections.c.id == scope_id)
    imodel_id = connection.execute(query).scalar()
    if imodel_id is None:
        raise not_found("Connection")
    return [*_chain(connection, "imodels", imodel_id), (scope, scope_id)]


def _settings(connection: Connection, scope: str, scope_id: str) -> Settings | None:
    query = select(configurations.c.settings).where(
        configurations.c.scope == scope, configurations.c.scope_id == scope_id
    )
    found: Settings | None = connection.execute(query).scalar()
    return found
