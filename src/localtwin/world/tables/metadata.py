"""The collection of all tables of the world's one database."""

from __future__ import annotations

from sqlalchemy import MetaData

metadata = MetaData()
