# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""Answers that are received together, so that one commit serves them all."""

from __future__ import annotations

import threading

from runtime_scene import WAIT_S, A

from twinsyncd.core.facts import Stored, Touched
from twinsyncd.core.model import FileKey
from twinsyncd.runtime.inbox import Inbox

END = Stored(A, "v1", "storage_id")


def test_the_end_of_a_store_waits_for_others_that_are_due() -> None:
    """A commit for each of a thousand small files takes longer than uploading them."""
    inbox = Inbox(gather_s=WAIT_S)
    inbox.post(END)
    other = threading.Thread(target=inbox.post, args=(END,))
    other.start()

    assert inbox.drain(0, together=2) == [END, END]
    other.join()


def test_nobody_is_waited_for_longer_than_a_moment() -> None:
    """The last of a batch must not wait for one that never comes."""
    inbox = Inbox(gather_s=0.0)
    inbox.post(END)

    assert inbox.drain(0, together=2) == [END]


def test_a_hint_ends_the_wait() -> None:
    """A save in the middle of a large first sync is looked at as soon as ever."""
    hint = Touched(FileKey(A.source, "b.dgn"))
    inbox = Inbox(gather_s=WAIT_S)
    inbox.post(END)
    inbox.post(hint)

    assert inbox.drain(0, together=2) == [hint, END]


def test_an_answer_that_is_alone_is_received_at_once() -> None:
    """From a single save to its run no decision may wait for others."""
    inbox = Inbox(gather_s=WAIT_S)
    inbox.post(END)

    assert inbox.drain(0, together=0) == [END]
