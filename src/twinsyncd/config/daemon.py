"""The section [daemon]: where the journal is, and how much the program does at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from .bandwidth import Bandwidth, Limits
from .journal import JournalUrl, MachineName, SchemaName, this_host
from .secret_file import SecretFile
from .sections import Section
from .units import Duration, Pause
from .values import FilePath, choice


class DaemonSection(Section):
    """How the program itself runs."""

    state_folder: FilePath | None = None
    journal: JournalUrl | None = None
    journal_schema: SchemaName = "twinsyncd"
    journal_password_file: SecretFile | None = None
    machine: MachineName = ""
    standby: bool = False
    log_format: Annotated[Literal["auto", "console", "json"], choice("auto", "console", "json")] = (
        "auto"
    )
    uploads: int = Field(default=24, ge=1, le=64)  # three round trips each at 30 ms: 100 files/s
    bandwidth: Limits = Bandwidth()
    share_silence: Duration = timedelta(seconds=60)
    rehash_every: Duration = timedelta(days=30)
    compare_every: Pause = timedelta(days=1)

    @property
    def machine_name(self) -> str:
        """Its name among those that share the journal: as written, or this host's."""
        return self.machine or this_host()
