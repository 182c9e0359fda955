"""Reads back from the platform what has been written: the changesets of an iModel."""

from __future__ import annotations

from ..cloud.session import open_cloud
from ..cloud.values import Changeset
from ..config import Config
from .wiring import cloud_settings


def changesets(config: Config, imodel_id: str) -> list[Changeset]:
    """Return the iModel's changesets, oldest first. Raises CloudError."""
    with open_cloud(cloud_settings(config)) as cloud:
        return list(cloud.platform.changesets(imodel_id))
