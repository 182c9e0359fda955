"""Tables of what users marked: favorite and recently used iTwins and iModels."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, String, Table

from localtwin.world.tables.metadata import metadata


def _marks(name: str, entities: str) -> Table:
    of_entity = ForeignKey(f"{entities}.id", ondelete="CASCADE")
    return Table(
        name,
        metadata,
        Column("user_id", String, primary_key=True),
        Column("entity_id", String, of_entity, primary_key=True),
        Column("marked", String, nullable=False),
    )


favorite_itwins = _marks("favorite_itwin", "itwins")
recent_itwins = _marks("recent_itwin", "itwins")
favorite_imodels = _marks("favorite_imodel", "imodels")
recent_imodels = _marks("recent_imodel", "imodels")
