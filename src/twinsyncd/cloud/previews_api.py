"""The technical previews of the Synchronization API: run settings and diagnostic reports.

They may change without notice, so nothing else depends on them.
Source: Synchronization API, "Configurations" and "Get reports", read 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..core.model import Fault
from ..errors import CloudError
from . import previews_wire
from .operations import Operations, segment
from .values import ReportLink


class PreviewsApi(Operations):
    """Run settings per connection, and the reports of a run."""

    def run_settings(self, connection_id: str) -> Mapping[str, object] | None:
        """Return what is set for the runs of a connection; None if nothing ever was."""
        try:
            return self._read(
                "look at the connection's run settings",
                _settings_path(connection_id),
                previews_wire.settings,
            )
        except CloudError as exc:
            if exc.failure.fault is Fault.GONE:
                return None
            raise

    def set_run_settings(
        self, connection_id: str, settings: Mapping[str, object], *, first: bool
    ) -> None:
        """Set these for the runs of a connection, others stay; `first`: nothing is set so far.

        Source: "Create configuration" (POST), "Update configuration" (PATCH); bodies are flat.
        """
        self._calls.repeatable(
            "set the connection's run settings",
            "POST" if first else "PATCH",
            _settings_path(connection_id),
            json=dict(settings),
            subject=f"the connection {connection_id}",
        )

    def report_links(self, imodel_id: str, run_id: str) -> tuple[ReportLink, ...]:
        """Return where the diagnostic reports of a run are, as far as there are any."""
        return self._read(
            "look for the run's reports",
            "/synchronization/reports",
            previews_wire.report_links,
            params={"imodelId": imodel_id, "runId": run_id},
        )


def _settings_path(connection_id: str) -> str:
    return f"/synchronization/configurations/connections/{segment(connection_id)}"
