"""The configuration: one file, checked as a whole before anything starts."""

from .daemon import DaemonSection
from .load import load, system_folder
from .notify import Notify
from .page import Page
from .schema import Config, Connection, Source
from .sections import Auth, Platform
from .setup import setup_of, sources_of

__all__ = [
    "Auth",
    "Config",
    "Connection",
    "DaemonSection",
    "Notify",
    "Page",
    "Platform",
    "Source",
    "load",
    "setup_of",
    "sources_of",
    "system_folder",
]
