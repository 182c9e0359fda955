"""Translates the configuration for the core: keys, seconds and lanes instead of sections."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from .. import __version__
from ..core import setup
from ..core.model import OnDelete
from .schema import Config, Connection, Source

AHEAD: Final = 3  # stores decided per upload thread: the next begins without waiting for us
STAGE_LEAST_BYTES: Final = 8 * 1024 * 1024  # what is smaller is sent as quickly afterwards
SCAN_LOCAL: Final = timedelta(minutes=10)  # events report changes at once; the scan makes sure
SCAN_REMOTE: Final = timedelta(minutes=1)  # no event reports what other hosts write there


def setup_of(config: Config, *, stages: bool = False) -> setup.Setup:
    """Return what the machine needs to know.

    `stages`: the platform is known to let blocks wait in Storage while a run is active.
    """
    return setup.Setup(
        connections=tuple(_connection(each, stages=stages) for each in config.connection),
        sources=tuple(_source(connection, source) for connection, source in sources_of(config)),
        uploads_max=AHEAD * config.daemon.uploads,
        rehash_every_s=config.daemon.rehash_every.total_seconds(),
        compare_every_s=config.daemon.compare_every.total_seconds(),
    )


def sources_of(config: Config) -> Iterator[tuple[Connection, Source]]:
    """Yield every source with its connection; `connection.key_of(source)` is its key."""
    for connection in config.connection:
        for source in connection.source:
            yield connection, source


def _connection(connection: Connection, *, stages: bool) -> setup.Connection:
    may_stage = stages and connection.target == "storage"
    return setup.Connection(
        key=connection.key,
        lane=connection.lane,
        itwin=connection.itwin_id,
        batch_quiet_s=connection.batch_quiet.total_seconds(),
        longest_wait_s=connection.longest_wait.total_seconds(),
        poll_max_s=connection.poll.total_seconds(),
        names_files=connection.target == "manifest",
        has_root=any(source.spatial_root for source in connection.source),
        opens_s=setup.always_open if connection.window.is_always else connection.window.opens_s,
        stage_least_bytes=STAGE_LEAST_BYTES if may_stage else None,
    )


def _source(connection: Connection, source: Source) -> setup.Source:
    return setup.Source(
        key=connection.key_of(source),
        connection=connection.key,
        scan_every_s=(connection.scan_every or SCAN_LOCAL).total_seconds(),
        on_delete=OnDelete(connection.on_delete),
        patterns=_patterns(source),
        guard=setup.Guard(connection.mass_deletion_share, connection.mass_deletion_least),
        scan_remote_every_s=(connection.scan_every or SCAN_REMOTE).total_seconds(),
        quiet_s=connection.settle.total_seconds(),
        quiet_by_suffix={
            f".{suffix}": quiet.total_seconds()
            for suffix, quiet in connection.settle_by_format.items()
        },
    )


def _patterns(source: Source) -> str:
    """Return what chooses the source's files; the version knows which names are litter."""
    globs = (source.wanted(), source.references, source.exclude)
    return json.dumps([__version__, source.connector, *globs])
