"""What a worker process needs of the iModel; loads the connectors, so import it nowhere else."""

from __future__ import annotations

from localtwin.imodel.job import JobOrder, SourceOrder, create_imodel, run_job
from localtwin.imodel.read import last_report

__all__ = ["JobOrder", "SourceOrder", "create_imodel", "last_report", "run_job"]
