# mypy: disable-error-code="arg-type,misc"
# Keys, ids and digests are written as plain text here.
"""What one of several machines serves, and that it sends nothing once others may serve it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from twinsyncd.core.model import LaneKey
from twinsyncd.errors import CloudError, JournalError
from twinsyncd.journal.leases import LEASE_S, Member, Share
from twinsyncd.runtime.lease_keeper import MARGIN_S, PATIENCE, LeaseKeeper

LANES = [f"imodel-{number}" for number in range(4)]


@dataclass
class LeaseDouble:
    """The leases of all machines, in memory; `of` is this one."""

    owner: dict[str, str] = field(default_factory=dict)
    wished: dict[str, str] = field(default_factory=dict)
    others: dict[str, bool] = field(default_factory=dict)  # name: is a standby
    is_standby: bool = False
    is_alive: bool = True
    is_reached: bool = True
    joined: int = 0
    wishes: list[tuple[str, int]] = field(default_factory=list)

    def join(self, lanes: Collection[LaneKey], version: str) -> Member:
        self.joined += 1
        self.is_alive = True
        return Member("this", self.joined)

    def renew(self, member: Member) -> bool:
        if not self.is_reached:
            raise JournalError("the server is not reached", may_pass=True)
        return self.is_alive and member.token == self.joined

    def leave(self, member: Member) -> None:
        self.owner = {lane: owner for lane, owner in self.owner.items() if owner != "this"}

    def held(self, member: Member) -> Mapping[LaneKey, str]:
        mine = [lane for lane, owner in self.owner.items() if owner == "this"]
        return {lane: self.wished.get(lane, "") for lane in mine}

    def free(self) -> Sequence[LaneKey]:
        return [lane for lane in LANES if lane not in self.owner]

    def take(self, member: Member, lanes: Sequence[LaneKey]) -> int:
        self.owner |= {lane: "this" for lane in lanes if lane not in self.owner}
        return len(lanes)

    def shares(self) -> Sequence[Share]:
        owners = list(self.owner.values())
        machines = {"this": self.is_standby, **self.others}
        return [Share(name, owners.count(name), standby) for name, standby in machines.items()]

    def wish(self, member: Member, machine: str, wanted: Collection[LaneKey], limit: int) -> None:
        self.wishes.append((machine, limit))

    def hand_over(self, member: Member, lanes: Collection[LaneKey]) -> None:
        self.owner |= {lane: self.wished.pop(lane) for lane in lanes}

    def free_requests(self) -> None:
        """Nobody asks anything here."""


class Clock:
    """Seconds that pass when a test says so."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def keeper(leases: LeaseDouble, clock: Clock | None = None) -> LeaseKeeper:
    """Return a keeper whose thread does not run: a test looks when it wants to."""
    return LeaseKeeper(leases, LANES, is_standby=leases.is_standby, clock=clock or Clock())


def test_nothing_is_sent_once_others_may_serve_the_imodels() -> None:
    """A process that was frozen for longer than its lease wakes between decision and request."""
    leases, clock = LeaseDouble(), Clock()
    share = keeper(leases, clock).next_share()
    assert share is not None

    clock.now_s += LEASE_S - MARGIN_S - 0.1
    share.check()
    clock.now_s += 0.2
    with pytest.raises(CloudError, match="others may serve its iModels"):
        share.check()


def test_a_lease_counts_from_when_its_renewal_was_asked_for() -> None:
    """An answer that takes ten seconds was decided by the database's clock before it came."""
    clock = Clock()

    class SlowLeases(LeaseDouble):
        def renew(self, member: Member) -> bool:
            clock.now_s += 10.0
            return super().renew(member)

    kept = keeper(SlowLeases(), clock)
    kept.next_share()
    kept.look()
    share = kept.next_share()
    assert share is not None

    clock.now_s += LEASE_S - MARGIN_S - 10.0
    assert not share.is_held()


def test_a_server_that_is_away_for_a_moment_costs_no_imodel() -> None:
    """A restart of the database must not stop all uploads of all machines."""
    leases, clock, stopped = LeaseDouble(), Clock(), list[bool]()
    kept = keeper(leases, clock)
    kept.on_change = lambda: stopped.append(True)
    share = kept.next_share()
    assert share is not None

    leases.is_reached = False
    with pytest.raises(JournalError):
        kept.look()
    clock.now_s += 10.0
    leases.is_reached = True
    kept.look()
    clock.now_s += LEASE_S - MARGIN_S - 1.0

    assert share.is_held()
    assert not stopped


def test_who_lost_its_lease_stops_and_begins_anew_as_another_process() -> None:
    """Threads of before may still run: what they have must not count again."""
    leases, stopped = LeaseDouble(), list[bool]()
    kept = keeper(leases)
    kept.on_change = lambda: stopped.append(True)
    before = kept.next_share()
    assert before is not None
    leases.is_alive = False
    leases.owner = {"imodel-0": "other"}

    kept.look()
    after = kept.next_share()

    assert stopped == [True]
    assert after is not None
    assert after.lanes == set(LANES[1:])
    assert (before.is_held(), after.is_held()) == (False, True)


def test_two_machines_take_a_half_each() -> None:
    """The first of two that start together must not take all, only to give half of it back."""
    leases = LeaseDouble(others={"other": False})

    share = keeper(leases).next_share()

    assert share is not None
    assert len(share.lanes) == 2


def test_what_nobody_else_takes_is_taken_beyond_a_fair_share() -> None:
    """The other machine may not reach its folders at all."""
    leases, stopped = LeaseDouble(others={"other": False}), list[bool]()
    kept = keeper(leases)
    kept.on_change = lambda: stopped.append(True)
    kept.next_share()

    for _ in range(PATIENCE):
        kept.look()
    share = kept.next_share()

    assert stopped
    assert share is not None
    assert share.lanes == set(LANES)


def test_a_machine_with_less_work_asks_for_half_of_the_difference() -> None:
    """More would go back and forth for ever."""
    leases = LeaseDouble(dict.fromkeys(LANES, "other"), others={"other": False})
    kept = keeper(leases)
    assert kept.next_share() is None

    kept.look()
    leases.owner |= {"imodel-0": "this"}
    kept.look()
    leases.owner |= {"imodel-1": "this"}
    kept.look()

    assert leases.wishes == [("other", 2), ("other", 1)]


def test_what_another_machine_wishes_for_is_given_once_it_is_served_no_more() -> None:
    """Given before, both would serve it for a moment (P3)."""
    leases, stopped = LeaseDouble(), list[bool]()
    kept = keeper(leases)
    kept.on_change = lambda: stopped.append(True)
    kept.next_share()
    leases.wished["imodel-1"] = "other"

    kept.look()
    while_served = leases.owner["imodel-1"]
    share = kept.next_share()

    assert (stopped, while_served) == ([True], "this")
    assert leases.owner["imodel-1"] == "other"
    assert share is not None
    assert share.lanes == {"imodel-0", "imodel-2", "imodel-3"}


def test_a_standby_serves_only_what_no_other_machine_takes() -> None:
    """It is the slow machine in the other building."""
    leases = LeaseDouble(is_standby=True, others={"other": False})
    standby = keeper(leases)

    assert standby.next_share() is None
    standby.look()
    assert leases.wishes == []
    leases.others = {}
    share = standby.next_share()

    assert share is not None
    assert share.lanes == set(LANES)


def test_a_standby_is_asked_for_all_that_it_serves() -> None:
    """Once the other machine is back, it does the work again."""
    leases = LeaseDouble(dict.fromkeys(LANES, "standby"), others={"standby": True})
    kept = keeper(leases)
    kept.next_share()

    kept.look()

    assert leases.wishes == [("standby", 4)]


def test_a_stop_frees_the_imodels_at_once() -> None:
    """Nobody waits for the end of a lease when a service is stopped for an update."""
    leases = LeaseDouble()
    kept = keeper(leases)
    share = kept.next_share()

    kept.close()

    assert leases.owner == {}
    assert share is not None
    assert not share.is_held()
