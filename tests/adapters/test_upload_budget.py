"""What uploads share: bounded memory, and as many requests as the host takes gladly."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from twinsyncd.cloud.upload_budget import (
    BLOCKS_FIRST,
    BLOCKS_MAX,
    BLOCKS_STEP,
    HOLD_S,
    WINDOW_S,
    Cancelled,
    UploadBudget,
)

MIB = 1 << 20


@dataclass
class Clock:
    """Seconds that pass when the test says so."""

    now_s: float = 0.0

    def __call__(self) -> float:
        return self.now_s


def never() -> bool:
    return False


def send_blocks(budget: UploadBudget, clock: Clock, speed_of: Callable[[int], float]) -> None:
    """Send for some windows; `speed_of` gives the speed [bytes/s] of so many blocks at a time."""
    end_s, under_way = clock.now_s + 10.0 * WINDOW_S, 0
    while clock.now_s < end_s:
        while under_way < budget.blocks_allowed:
            budget.enter_block(MIB, never, never)
            under_way += 1
        with pytest.raises(Cancelled):  # one more is ready, and must wait
            budget.enter_block(MIB, never, iter([False, True, True]).__next__)
        clock.now_s += MIB / speed_of(under_way)
        budget.leave_block(MIB, MIB)
        under_way -= 1
    for _ in range(under_way):
        budget.leave_block(MIB, 0)


def test_memory_is_bounded_whatever_the_number_of_files() -> None:
    """A file server has other work than ours."""
    budget = UploadBudget(memory_bytes=10 * MIB)
    waited, entered = threading.Event(), threading.Event()

    def second() -> None:
        waited.set()
        with budget.memory(6 * MIB):
            entered.set()

    with budget.memory(6 * MIB):
        thread = threading.Thread(target=second, daemon=True)
        thread.start()
        assert waited.wait(10)
        assert not entered.is_set()
    thread.join(10)

    assert entered.is_set()


def test_a_content_larger_than_the_memory_takes_all_of_it() -> None:
    """It must not wait for ever for what can never be."""
    budget = UploadBudget(memory_bytes=MIB)

    with budget.memory(5 * MIB):
        pass


def test_the_first_block_of_a_file_needs_no_more_memory() -> None:
    """Files that all wait for memory of each other would wait for ever."""
    budget = UploadBudget(memory_bytes=12 * MIB)

    with budget.memory(12 * MIB):
        extra = budget.enter_block(4 * MIB, lambda: True, never)
        with pytest.raises(Cancelled):
            budget.enter_block(4 * MIB, never, iter([False, True, True]).__next__)
        budget.leave_block(extra, 4 * MIB)

    assert extra == 0


def test_load_halves_the_requests_once_for_all_that_were_under_way() -> None:
    """Four refusals of one moment are one piece of news."""
    clock = Clock(10.0)
    budget = UploadBudget(requests_max=16, clock=clock)
    for _ in range(4):
        budget.enter_block(MIB, never, never)
    clock.now_s = 11.0

    for _ in range(4):
        budget.was_too_much(begun_s=10.5)

    assert budget.requests_allowed == 2


def test_load_again_halves_again_and_leaves_one() -> None:
    """A host that takes one request at a time must still get the file."""
    clock = Clock()
    budget = UploadBudget(requests_max=16, clock=clock)
    budget.enter_block(MIB, never, never)

    for second in range(6):
        clock.now_s = float(second)
        budget.was_too_much(begun_s=second - 0.5)

    assert budget.requests_allowed == 1


def test_rounds_that_go_well_bring_the_requests_back() -> None:
    """A busy minute must not slow down the whole night."""
    clock = Clock(1.0)
    budget = UploadBudget(requests_max=4, clock=clock)
    budget.was_too_much(begun_s=0.5)
    lowest = budget.requests_allowed

    for _ in range(20):
        budget.went_well()

    assert (lowest, budget.requests_allowed) == (1, 4)


def test_more_blocks_at_a_time_as_long_as_that_is_faster() -> None:
    """A long, wide line is only full with much on its way."""
    clock = Clock()
    budget = UploadBudget(clock=clock)

    send_blocks(budget, clock, lambda blocks: 10.0 * MIB * blocks)

    assert budget.blocks_allowed == BLOCKS_MAX


def test_blocks_that_bring_nothing_are_taken_back() -> None:
    """Memory is spent for speed, not for its own sake."""
    clock = Clock()
    budget = UploadBudget(clock=clock)

    send_blocks(budget, clock, lambda _: 20.0 * MIB)

    assert clock.now_s < HOLD_S
    assert budget.blocks_allowed == BLOCKS_FIRST


def test_the_number_of_blocks_follows_the_requests_down() -> None:
    """A host under load is asked for less, by large files too."""
    clock = Clock(1.0)
    budget = UploadBudget(clock=clock)
    for _ in range(BLOCKS_FIRST):
        budget.enter_block(MIB, never, never)

    budget.was_too_much(begun_s=0.5)

    assert budget.blocks_allowed == BLOCKS_FIRST // 2 == BLOCKS_STEP


def test_memory_of_an_upload_that_waits_for_its_share_is_lent() -> None:
    """Two large files of a share that hangs would leave no room for those of other shares."""
    budget, free = UploadBudget(memory_bytes=10 * MIB), threading.Event()

    def other() -> None:
        with budget.memory(10 * MIB):
            free.set()

    waiting = threading.Thread(target=other)
    with budget.memory(10 * MIB):
        waiting.start()
        had_room_before = free.wait(0.05)
        with budget.lend():
            waiting.join(10)
    with budget.memory(10 * MIB):
        pass

    assert free.is_set()
    assert not had_room_before
