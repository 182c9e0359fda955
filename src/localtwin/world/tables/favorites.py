"""Tables of what users marked: favorite iTwins and iModels, recently used iTwins."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, String, Table

from localtwin.world.tables.metadata import metadata


def _marks(name: str, entity: str) -> Table:
    of_entity = ForeignKey(f"{entity}s.id", ondelete="CASCADE")
    return Table(
        name,
        metadata,
        Column("user_id", String, primary_key=True),
        Column(f"{entity}_id", String, of_entity, primary_key=True),
        Column("marked", String, nullable=False),
    )


favorite_itwins = _marks("favorite_itwins", "itwin")
recent_itwins = _marks("recent_itwins", "itwin")
favorite_imodels = _marks("favorite_imodels", "imodel")
