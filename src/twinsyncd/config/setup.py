"""The configuration in the words of the core: keys, seconds and lanes instead of sections."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

from ..core import model
from .schema import Config, Connection, Source


def setup_of(config: Config, auto_scan_s: Callable[[Path], float]) -> model.Setup:
    """Return what the machine needs to know.

    `auto_scan_s` answers for a folder whose scan_every is "auto", in seconds. Quiet times and the
    poll interval are the machine's for all connections: the longest and the shortest count, so
    that no file is taken too early and no run is noticed too late.
    """
    connections = config.connection
    suffixes = {suffix for each in connections for suffix in each.settle_by_format}
    return model.Setup(
        connections=tuple(_connection(each) for each in connections),
        sources=tuple(
            _source(connection, source, auto_scan_s) for connection, source in sources_of(config)
        ),
        quiet_s=max(each.settle.total_seconds() for each in connections),
        quiet_by_suffix={
            f".{suffix}": max(_quiet(each, suffix).total_seconds() for each in connections)
            for suffix in sorted(suffixes)
        },
        poll_max_s=min(each.poll.total_seconds() for each in connections),
        uploads_max=config.daemon.uploads,
    )


def sources_of(config: Config) -> Iterator[tuple[Connection, Source]]:
    """Yield every source with its connection; `connection.key_of(source)` is its key."""
    for connection in config.connection:
        for source in connection.source:
            yield connection, source


def _quiet(connection: Connection, suffix: str) -> timedelta:
    return connection.settle_by_format.get(suffix, connection.settle)


def _connection(connection: Connection) -> model.Connection:
    return model.Connection(
        key=connection.name,
        lane=connection.imodel_id,
        batch_quiet_s=connection.batch_quiet.total_seconds(),
        longest_wait_s=connection.longest_wait.total_seconds(),
    )


def _source(
    connection: Connection, source: Source, auto_scan_s: Callable[[Path], float]
) -> model.Source:
    every = connection.scan_every
    return model.Source(
        key=connection.key_of(source),
        connection=connection.name,
        scan_every_s=every.total_seconds() if every else auto_scan_s(source.folder),
    )
