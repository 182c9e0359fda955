# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""Reserved files travel with the next fact: durable before their closing fact, at no cost."""

from __future__ import annotations

from threading import Thread

from twinsyncd.core.facts import Fact, Reserved, Stored
from twinsyncd.core.model import FileKey
from twinsyncd.runtime.inbox import Inbox

KEY = FileKey("Bridge 12/cad", "plan.dxf")
PATIENCE_S = 60.0


def test_a_reserved_file_alone_wakes_nobody_at_once() -> None:
    """A commit for every new file would cost a third of a first sync's decisions."""
    inbox = Inbox(reserved_s=PATIENCE_S)
    received: list[list[Fact]] = []
    engine = Thread(target=lambda: received.append(inbox.drain(PATIENCE_S)))
    engine.start()

    inbox.post(Reserved(KEY, "item-1"))
    received_at_once = list(received)
    inbox.wake()
    engine.join(PATIENCE_S)

    assert received_at_once == []
    assert received == [[Reserved(KEY, "item-1")]]


def test_a_reserved_file_is_received_before_its_closing_fact() -> None:
    """The machine takes facts in order; the id must stand before the content is stored."""
    inbox = Inbox()
    inbox.post(Reserved(KEY, "item-1"))
    inbox.post(Stored(KEY, "digest", "item-1"))

    received = inbox.drain(0.0)

    assert received == [Reserved(KEY, "item-1"), Stored(KEY, "digest", "item-1")]


def test_a_reserved_file_of_a_long_store_is_received_by_itself() -> None:
    """After a crash only its id finds the blocks that Storage has of a large file (P8)."""
    inbox = Inbox(reserved_s=0.01)
    received: list[list[Fact]] = []
    engine = Thread(target=lambda: received.append(inbox.drain(PATIENCE_S * 60)), daemon=True)
    engine.start()

    inbox.post(Reserved(KEY, "item-1"))
    engine.join(PATIENCE_S)

    assert received == [[Reserved(KEY, "item-1")]]


def test_a_reserved_file_that_is_due_is_not_waited_for() -> None:
    """The engine was busy with a long decision meanwhile."""
    inbox = Inbox(reserved_s=0.0)
    inbox.post(Reserved(KEY, "item-1"))

    assert inbox.drain(PATIENCE_S * 60) == [Reserved(KEY, "item-1")]
    assert inbox.drain(0.0) == []
