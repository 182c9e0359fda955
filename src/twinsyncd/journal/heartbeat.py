"""The daemon's row: which process writes this journal, and when it was last alive."""

from __future__ import annotations

import os
from dataclasses import asdict

from sqlalchemy import Engine, delete, insert, select, update

from ..core.progress import Heartbeat
from . import tables
from .leases import database_time
from .requests import Request, insert_request
from .transactions import writing


def register(
    engine: Engine,
    version: str,
    now_s: float,
    on_upgrade: Request | None = None,
    machine: str = "",
) -> None:
    """Record that this process of a machine writes the journal now; "": the journal is a file.

    If another version wrote it before, `on_upgrade` is added as if a person had asked for it.
    """
    mine = tables.daemons.c.machine == machine
    at_s = database_time() if machine else now_s
    key = {"machine": machine} if machine else {"machine": machine, "id": 1}
    with writing(engine) as connection:
        before = connection.execute(select(tables.daemons.c.version).where(mine)).scalar() or ""
        if on_upgrade is not None and before not in ("", version):
            insert_request(connection, on_upgrade, now_s)
        connection.execute(delete(tables.daemons).where(mine))
        connection.execute(
            insert(tables.daemons).values(
                **key,
                pid=os.getpid(),
                version=version,
                started_s=at_s,
                beat_s=at_s,
                is_idle=False,
                unsettled=0,
                unsettled_files=[],
            )
        )


def write(engine: Engine, now_s: float, beat: Heartbeat, machine: str = "") -> None:
    """Write the heartbeat of this machine's daemon at `now_s`, wall clock [s].

    Where machines share the journal, the times are of the database's clock: theirs differ.
    """
    values = asdict(beat) | {"beat_s": database_time() if machine else now_s}
    mine = tables.daemons.c.machine == machine
    with writing(engine) as connection:
        connection.execute(update(tables.daemons).where(mine).values(values))
