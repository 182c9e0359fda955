"""Examines, without changing anything, whether the daemon can work as configured."""

from __future__ import annotations

from collections.abc import Iterator

from ...cloud.access_check import CheckResult, with_topic
from ...config import Config
from .account import account_results
from .drives import drive_results
from .journal_server import server_results
from .optional_libraries import library_results
from .platform import platform_results
from .probe import probe_results
from .service import service_results
from .state_folder import state_results

__all__ = ["CheckResult", "findings"]


def findings(config: Config, *, offline: bool, probe: bool = False) -> Iterator[CheckResult]:
    """Yield a result per step: this machine, the drives, then, unless `offline`, the platform.

    `probe`: try out as well what its documentation leaves open, in a scratch folder of Storage.
    """
    yield from with_topic("account", account_results(config))
    yield from with_topic("libraries", library_results(config))
    yield from with_topic("service", service_results(config))
    yield from with_topic("state", state_results(config))
    yield from with_topic("state", server_results(config))
    yield from with_topic("drive", drive_results(config))
    if not offline:
        yield from with_topic("platform", platform_results(config))
    if probe:
        yield from with_topic("probe", probe_results(config))
