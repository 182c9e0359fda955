"""The settings of one storage connection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ...core.model import FileKey


@dataclass(frozen=True, slots=True)
class StorageConnectionSettings:
    """One configured connection; the two functions are called once per store or new source file."""

    connection: str  # its key in the configuration
    display_name: str
    itwin_id: str
    imodel_id: str
    folder_of: Callable[[FileKey], str]  # folder in Storage: "Bridge 12/structure"
    connector_of: Callable[[FileKey], str]  # one of KNOWN_CONNECTORS
    connection_id: str = ""  # a connection to use whatever it is called
    authentication: Literal["Service", "User"] = "Service"
