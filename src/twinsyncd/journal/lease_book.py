"""The leases of one machine, as its daemon uses them; see `leases` for how they are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ..core.model import LaneKey
from . import leases, requests
from .database import open_database
from .leases import Member, Share
from .location import Server
from .server import LEASE_SILENCE_S, server_engine


class LeaseBook:
    """What a machine does with leases; every change is durable when its method returns.

    For one thread at a time. Every method raises JournalError while the server cannot be used.
    """

    def __init__(self, server: Server, machine: str, home: str, *, is_standby: bool) -> None:
        """Open the journal, creating or migrating it as needed; nothing is taken yet."""
        open_database(server).dispose()
        self._engine = server_engine(server, silence_s=LEASE_SILENCE_S)
        self._machine, self._home, self._is_standby = machine, home, is_standby

    def close(self) -> None:
        """Close the connections to the server."""
        self._engine.dispose()

    def join(self, lanes: Collection[LaneKey], version: str) -> Member:
        """Begin this process's life; `lanes` are what the machine can serve."""
        leases.make_known(self._engine, lanes)
        standby = self._is_standby
        return leases.join(self._engine, self._machine, self._home, version, is_standby=standby)

    def renew(self, member: Member) -> bool:
        """Prolong the process's life; False if it has ended."""
        return leases.renew(self._engine, member)

    def leave(self, member: Member) -> None:
        """Let others have the iModels at once."""
        leases.leave(self._engine, member)

    def held(self, member: Member) -> Mapping[LaneKey, str]:
        """Return the iModels of this process, each with the machine that wishes for it."""
        return leases.held(self._engine, member)

    def free(self) -> Sequence[LaneKey]:
        """Return the iModels that nobody serves."""
        return leases.free_lanes(self._engine)

    def take(self, member: Member, lanes: Sequence[LaneKey]) -> int:
        """Take those that are free still; return how many."""
        return leases.take(self._engine, member, lanes)

    def shares(self) -> Sequence[Share]:
        """Return how many iModels each machine serves."""
        return leases.shares(self._engine)

    def wish(self, member: Member, machine: str, wanted: Collection[LaneKey], limit: int) -> None:
        """Ask another machine for some of its iModels."""
        leases.wish(self._engine, member, machine, wanted, limit)

    def hand_over(self, member: Member, lanes: Collection[LaneKey]) -> None:
        """Give iModels to the machines that wish for them."""
        leases.hand_over(self._engine, member, lanes)

    def free_requests(self) -> None:
        """Let any machine handle what was asked of machines that are no more."""
        requests.free_requests(self._engine)
