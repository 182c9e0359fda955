# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""Where facts wait: bounded for hints, waiting for scans, dropping no answer."""

from __future__ import annotations

import threading
from collections import Counter

from runtime_scene import BIM, CAD, LOOK, WAIT_S, A

from twinsyncd.core.facts import Fact, FilesFound, HintsLost, Scanned, Ticked, Touched
from twinsyncd.core.model import FileKey
from twinsyncd.runtime.inbox import BATCH_MAX, HINTS_MAX, PARTS_MAX, Inbox

PART = FilesFound(CAD, (("a.dgn", LOOK),))
END = Scanned(CAD, "drive", 1)


def hint(number: int, source: str = CAD) -> Touched:
    """Return one of many hints."""
    return Touched(FileKey(source, f"{number}.dgn"))


def test_facts_are_received_in_the_order_they_came() -> None:
    """A scan's parts must be received before its end."""
    inbox = Inbox()
    for fact in (PART, PART, END):
        inbox.post(fact)

    assert inbox.drain(0) == [PART, PART, END]
    assert inbox.drain(0) == []


def test_the_same_hint_twice_is_one_hint() -> None:
    """A program that writes a thousand times a second says one thing."""
    inbox = Inbox()
    for _ in range(1_000):
        inbox.post(Touched(A))

    assert inbox.drain(0) == [Touched(A)]


def test_the_same_word_of_lost_hints_twice_is_one_word() -> None:
    """A watcher that fails again and again must not fill the journal of a busy engine."""
    inbox = Inbox()
    for _ in range(1_000):
        inbox.post(HintsLost(CAD, "overflow"))
        inbox.post(HintsLost(BIM, "overflow"))

    assert inbox.drain(0) == [HintsLost(CAD, "overflow"), HintsLost(BIM, "overflow")]


def test_a_hint_that_was_received_can_be_received_again() -> None:
    """What comes after the look is news."""
    inbox = Inbox()
    inbox.post(Touched(A))
    inbox.drain(0)

    inbox.post(Touched(A))

    assert inbox.drain(0) == [Touched(A)]


def test_hints_up_to_the_bound_are_kept() -> None:
    """A scan of everything for a large copy that would have fitted is waste."""
    inbox = Inbox()
    hints = [hint(number) for number in range(HINTS_MAX)]
    for each in hints:
        inbox.post(each)

    assert inbox.drain(0) == hints


def test_too_many_hints_become_word_that_hints_were_lost() -> None:
    """Memory is bounded, and nothing is lost silently: every source with hints is scanned."""
    inbox = Inbox()
    inbox.post(hint(0, BIM))
    for number in range(HINTS_MAX + 5):
        inbox.post(hint(number))

    received = inbox.drain(0)

    lost = Counter(fact.source for fact in received if isinstance(fact, HintsLost))
    assert lost == {CAD: 1, BIM: 1}
    assert sum(isinstance(fact, Touched) for fact in received) < 10


def test_one_decision_hears_a_bounded_number_of_answers() -> None:
    """A commit of everything at once would keep the sign of life waiting."""
    inbox = Inbox()
    for _ in range(BATCH_MAX + 1):
        inbox.post(Ticked())

    assert len(inbox.drain(0)) == BATCH_MAX
    assert len(inbox.drain(0)) == 1


def test_hints_do_not_crowd_answers_out_for_good() -> None:
    """Answers free slots and end runs; a stream of hints must not starve them."""
    inbox = Inbox()
    for number in range(BATCH_MAX):
        inbox.post(hint(number))
    inbox.post(END)

    received: list[Fact] = [*inbox.drain(0), *inbox.drain(0)]

    assert END in received


def test_a_scan_waits_when_too_many_of_its_parts_wait() -> None:
    """A first scan of a million files must not fill the journal before any is looked at."""
    inbox = Inbox()
    for _ in range(PARTS_MAX):
        inbox.post(PART)
    posted = threading.Event()

    def post_one_more() -> None:
        inbox.post(PART)
        posted.set()

    thread = threading.Thread(target=post_one_more, daemon=True)
    thread.start()

    assert not posted.is_set()
    assert inbox.drain(WAIT_S) == [PART] * PARTS_MAX
    assert posted.wait(WAIT_S)
    thread.join()
    assert inbox.drain(0) == [PART]


def test_other_answers_never_wait() -> None:
    """While scans wait their turn, uploads and runs go on."""
    inbox = Inbox()
    for _ in range(PARTS_MAX):
        inbox.post(PART)

    inbox.post(END)

    assert inbox.drain(0)[-1] == END


def test_closing_lets_go_of_everybody_who_waits() -> None:
    """Else the process could not end while a scan waits for its turn."""
    inbox = Inbox()
    for _ in range(PARTS_MAX):
        inbox.post(PART)
    thread = threading.Thread(target=inbox.post, args=(PART,), daemon=True)
    thread.start()

    inbox.close()

    thread.join(WAIT_S)
    assert not thread.is_alive()


def test_a_fact_wakes_the_engine_at_once() -> None:
    """Waiting out the deadline instead would make every upload a second slower."""
    inbox = Inbox()
    thread = threading.Timer(0, inbox.post, [END])
    thread.start()

    assert inbox.drain(WAIT_S) == [END]
    thread.join()


def test_a_wake_up_call_ends_the_wait_with_nothing_received() -> None:
    """It is how another thread stops the engine."""
    inbox = Inbox()
    inbox.wake()

    assert inbox.drain(WAIT_S) == []


def test_a_deadline_in_the_past_does_not_block() -> None:
    """The engine may be late; it must then decide at once."""
    assert Inbox().drain(-5.0) == []
