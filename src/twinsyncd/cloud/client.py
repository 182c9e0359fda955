"""The iTwin Platform as one object: every operation that is used here, sorted by API."""

from __future__ import annotations

from .operations import API_URL
from .previews_api import PreviewsApi
from .projects_api import ProjectsApi
from .storage_api import StorageApi
from .synchronization_api import SynchronizationApi

__all__ = ["API_URL", "Platform"]


class Platform(StorageApi, SynchronizationApi, PreviewsApi, ProjectsApi):
    """The iTwin Platform, over one client that signs; safe to share between threads."""
