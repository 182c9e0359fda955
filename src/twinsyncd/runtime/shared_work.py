"""What one of the machines that share a journal on a server can serve, and what it serves now."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from pathlib import Path
from typing import Final

from ..config import Config, sources_of
from ..core.decision import Decision
from ..core.model import LaneKey
from ..errors import unusable_folder
from ..journal.writer import LanesOf
from .lease_keeper import WorkShare

HOME: Final = "machine-id"  # the file that shows that a process follows another one
NOTIFIER: Final = LaneKey("~notifications")  # leased like an iModel: one machine notifies people


def lanes_for(config: Config) -> frozenset[LaneKey]:
    """Return the iModels that this machine can serve: those without a source of another one."""
    elsewhere = {
        connection.lane
        for connection, source in sources_of(config)
        if source.machine and source.machine != config.daemon.machine_name
    }
    notifier = {NOTIFIER} if config.notify else set()
    return frozenset(each.lane for each in config.connection) - elsewhere | notifier


def part_of(config: Config, share: WorkShare) -> Config:
    """Return the configuration of what is served here alone."""
    served = tuple(each for each in config.connection if each.lane in share.lanes)
    return config.model_copy(update={"connection": served})


def notifies_in(share: WorkShare | None) -> bool:
    """Return whether this process notifies people: of several machines one does, for all."""
    return share is None or NOTIFIER in share.lanes


def lanes_in(config: Config) -> LanesOf:
    """Return what names the iModels that the rows of a decision are about."""
    lane_of = {connection.key: connection.lane for connection in config.connection}
    lane_of_source = {
        connection.key_of(source): connection.lane for connection, source in sources_of(config)
    }

    def lanes_of(decision: Decision) -> Collection[LaneKey]:
        sources = {row.key.source for row in decision.files}
        sources |= {row.key for row in decision.sources}
        lanes = {lane_of_source[key] for key in sources if key in lane_of_source}
        lanes |= {row.key for row in decision.lanes} | {row.lane for row in decision.history}
        return lanes | {lane_of[row.key] for row in decision.connections if row.key in lane_of}

    return lanes_of


def home_of(folder: Path) -> str:
    """Return what tells this state folder from all others, made at its first use."""
    file = folder / HOME
    try:
        if not file.exists():
            file.write_text(uuid.uuid4().hex, "ascii")
        return file.read_text("ascii").strip()
    except OSError as exc:
        raise unusable_folder(folder, exc) from exc
