"""What every kind of connection of an iModel must know about itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from ..core.model import FileKey


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionSettings:
    """One configured connection; `connector_of` is called once per new source file or run.

    `run_settings`: what the platform's connectors do, by the names of its own settings.
    """

    connection: str  # its key in the configuration
    display_name: str
    imodel_id: str
    connector_of: Callable[[FileKey], str]  # one of KNOWN_CONNECTORS
    connection_id: str = ""  # a connection to use whatever it is called
    authentication: Literal["Service", "User"] = "Service"
    run_settings: Mapping[str, bool | int | float] = field(default_factory=dict)
