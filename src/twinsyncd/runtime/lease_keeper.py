"""Keeps this machine's share of the work, where several machines share a journal.

A thread renews the machine's life, takes iModels that nobody serves, and asks machines with more
work for some of theirs. Whoever serves the iModels is stopped when their set changes, and begins
again with what `next_share` returns: a start is the same code as a recovery.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import structlog

from .. import __version__
from ..core.model import Failure, Fault, LaneKey
from ..errors import CloudError, JournalError
from ..journal.leases import LEASE_S, Member, Share

RENEW_S: Final = 5.0
CLOSE_S: Final = 3.0  # a stop waits so long for a call that hangs
MARGIN_S: Final = 2.0  # clocks do not run equally fast, and a request is under way for a while
PATIENCE: Final = 3  # looks at a free iModel until a machine takes more than its fair share

log = structlog.get_logger()


class Leases(Protocol):
    """What of the journal is needed here."""

    def join(self, lanes: Collection[LaneKey], version: str) -> Member:
        """Begin this process's life; `lanes` are what the machine can serve."""

    def renew(self, member: Member) -> bool:
        """Prolong the process's life; False if it has ended."""

    def leave(self, member: Member) -> None:
        """Let others have the iModels at once."""

    def held(self, member: Member) -> Mapping[LaneKey, str]:
        """Return the iModels of this process, each with the machine that wishes for it."""

    def free(self) -> Sequence[LaneKey]:
        """Return the iModels that nobody serves."""

    def take(self, member: Member, lanes: Sequence[LaneKey]) -> int:
        """Take those that are free still; return how many."""

    def shares(self) -> Sequence[Share]:
        """Return how many iModels each machine serves."""

    def wish(self, member: Member, machine: str, wanted: Collection[LaneKey], limit: int) -> None:
        """Ask another machine for some of its iModels."""

    def hand_over(self, member: Member, lanes: Collection[LaneKey]) -> None:
        """Give iModels to the machines that wish for them."""

    def free_requests(self) -> None:
        """Let any machine handle what was asked of machines that are no more."""


def read_boot_clock() -> float:
    """Return seconds that go on while the machine sleeps or the process is frozen."""
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


@dataclass(frozen=True, slots=True)
class WorkShare:
    """The iModels that this process serves until it is stopped."""

    member: Member
    lanes: frozenset[LaneKey]
    is_held: Callable[[], bool] = field(repr=False)  # False: others may serve them already

    def check(self) -> None:
        """Raise CloudError if nothing may be sent any more; asked before every request."""
        if not self.is_held():
            reason = "this machine was cut off from the journal; others may serve its iModels now"
            raise CloudError("send a request", Failure(Fault.TRANSIENT, reason))


class LeaseKeeper:
    """One of the machines that share a journal: this one. Its methods are for any thread."""

    def __init__(
        self,
        leases: Leases,
        lanes: Collection[LaneKey],
        *,
        is_standby: bool = False,
        clock: Callable[[], float] = read_boot_clock,
    ) -> None:
        """`lanes` are what this machine can serve. `clock`: seconds, see `read_boot_clock`."""
        self.on_change: Callable[[], None] = lambda: None  # stops who serves; on any thread
        self._leases = leases
        self._lanes = frozenset(lanes)
        self._is_standby = is_standby
        self._clock = clock
        self._working = threading.Lock()
        self._closing = threading.Event()
        self._member: Member | None = None
        self._valid_until_s = float("-inf")
        self._served: frozenset[LaneKey] = frozenset()
        self._looks: dict[LaneKey, int] = {}  # at each free iModel, in a row
        self._trouble = ""
        self._thread = threading.Thread(target=self._keep, name="lease-keeper", daemon=True)

    def start(self) -> None:
        """Join the others, and go on renewing. Raises JournalError."""
        with self._working:
            self._join()
        self._thread.start()

    def close(self) -> None:
        """Let others have the iModels at once."""
        self._closing.set()
        member, self._member = self._member, None
        if member is None:
            return
        if not self._working.acquire(timeout=CLOSE_S):
            log.warning("leases.not_returned", reason="the server is silent", free_in_s=LEASE_S)
            return
        try:
            self._leases.leave(member)
        except JournalError as exc:
            log.warning("leases.not_returned", reason=str(exc), free_in_s=LEASE_S)
        finally:
            self._working.release()

    def next_share(self) -> WorkShare | None:
        """Return what to serve now, or None if there is nothing; nobody may serve meanwhile.

        What others wish for is handed over first. Raises JournalError.
        """
        with self._working:
            self._served = frozenset()
            member = self._renewed() or self._join()
            held = self._leases.held(member)
            if wished := [lane for lane, wished_by in held.items() if wished_by]:
                self._leases.hand_over(member, wished)
            self._take(member)
            self._served = frozenset(self._leases.held(member)) & self._lanes
            if not self._served:
                return None
            return WorkShare(member, self._served, lambda: self._is_held(member))

    def look(self) -> None:
        """Renew, take and balance once. Raises JournalError."""
        with self._working:
            member = self._renewed()
            if member is None:
                self._member = None
                log.error("leases.lost", reason="the database was not reached in time")
                self.on_change()
                return
            self._leases.free_requests()
            self._take(member)
            self._balance(member)
            held = self._leases.held(member)
            mine = frozenset(lane for lane, wished_by in held.items() if not wished_by)
            if mine & self._lanes != self._served:
                log.info("leases.changed", serves=len(mine), served=len(self._served))
                self.on_change()

    def _keep(self) -> None:
        while not self._closing.wait(RENEW_S):
            try:
                self.look()
            except JournalError as exc:
                self._note(str(exc))
            else:
                self._note("")

    def _note(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            if trouble:
                log.error("leases.not_renewed", reason=trouble, lost_in_s=LEASE_S)

    def _is_held(self, member: Member) -> bool:
        return self._member == member and self._clock() < self._valid_until_s

    def _renewed(self) -> Member | None:
        """Return this process while it is alive by the database's clock."""
        member, asked_s = self._member, self._clock()
        if member is None or not self._leases.renew(member):
            return None
        self._valid_until_s = asked_s + LEASE_S - MARGIN_S
        return member

    def _join(self) -> Member:
        asked_s = self._clock()
        self._member = self._leases.join(self._lanes, __version__)
        self._valid_until_s = asked_s + LEASE_S - MARGIN_S
        return self._member

    def _take(self, member: Member) -> None:
        """Take what is free: a fair share at once, the rest if nobody else takes it."""
        free = [lane for lane in self._leases.free() if lane in self._lanes]
        self._looks = {lane: self._looks.get(lane, 0) + 1 for lane in free}
        if not free:
            return
        shares = {each.machine: each for each in self._leases.shares()}
        active = [each for each in shares.values() if not each.is_standby]
        mine = shares[member.machine].lanes if member.machine in shares else 0
        fair = 0 if self._is_standby and active else -(-len(self._lanes) // max(len(active), 1))
        left = [lane for lane in free if self._looks[lane] > PATIENCE]
        chosen = list(dict.fromkeys([*left, *free[: max(fair - mine, 0)]]))
        if chosen:
            self._leases.take(member, chosen)

    def _balance(self, member: Member) -> None:
        """Ask the machine with the most work for half of what it has more than this one."""
        if self._is_standby:
            return
        shares = self._leases.shares()
        mine = next((each.lanes for each in shares if each.machine == member.machine), 0)
        more = [(_surplus(each, mine), each.machine) for each in shares]
        surplus, machine = max(more, default=(0, ""))
        if surplus and machine != member.machine:
            self._leases.wish(member, machine, self._lanes, surplus)


def _surplus(other: Share, mine: int) -> int:
    """Return how many iModels another machine should give to one that serves `mine`."""
    return other.lanes if other.is_standby else max(other.lanes - mine, 0) // 2
