"""Where the short rules of an upload are carried out: on the loop, or by a thread."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

from localtwin.api.event_loop_calls import on_event_loop
from localtwin.world.database import Database


def test_a_short_rule_is_carried_out_at_once_when_nobody_writes(tmp_path: Path) -> None:
    """Handing it to a thread would cost every upload more than the rule itself."""
    database = Database(tmp_path / "world.sqlite")

    assert asyncio.run(on_event_loop(database, threading.get_ident)) == threading.get_ident()

    database.close()


def test_a_rule_that_would_wait_for_another_transaction_waits_in_a_thread(tmp_path: Path) -> None:
    """One long transaction must not keep every other client from being heard."""
    database = Database(tmp_path / "world.sqlite")

    with database.write():
        carried_out_by = asyncio.run(on_event_loop(database, threading.get_ident))

    assert carried_out_by != threading.get_ident()
    database.close()
