"""Opens watches on SMB servers; those of one share and account use one connection, if it has room.

A sign-in that was refused is not repeated with the same password for a while: repeated failures
would lock the account.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from .smb_address import SmbAddress
from .smb_credentials import Credentials
from .smb_protocols import SmbError, SmbRefusedError, Watched
from .smb_session import SmbSession, translated
from .smb_watch import SmbWatch

SILENCE_S: Final = 30  # a connection that was silent for so long is asked whether it is alive
ANSWER_S: Final = 10
REFUSED_S: Final = 1800.0  # directories lock an account after a few failures in half an hour
FAILED_S: Final = 5.0  # several watches of a server that is away try once between them
BUFFER_BYTES: Final = 65_536  # the most that every dialect allows


class SmbWatches:
    """Opens watches; may be used from any thread."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        *,
        buffer_bytes: int = BUFFER_BYTES,
        silence_s: int = SILENCE_S,
        answer_s: int = ANSWER_S,
    ) -> None:
        """`clock` gives monotonic seconds; a report of more than `buffer_bytes` lists nothing.

        After `silence_s` [s] the server is asked whether it is alive, and has `answer_s` [s].
        """
        self._clock = clock
        self._buffer_bytes = buffer_bytes
        self._silence_s, self._answer_s = silence_s, answer_s
        self._lock = threading.Lock()
        self._shares: dict[tuple[object, ...], _Share] = {}

    def open(self, address: SmbAddress, credentials: Credentials, watched: Watched) -> SmbWatch:
        """Return a watch of what lies below the folder; changes from now on are reported.

        Raises SmbError.
        """
        key = (address.server.lower(), address.port, address.share.lower(), credentials)
        with self._lock:
            share = self._shares.setdefault(key, _Share(self._clock, self._session))
        with share.signed_in(address, credentials) as session:
            return SmbWatch(session, address, watched, self._buffer_bytes)

    def _session(self, address: SmbAddress, credentials: Credentials) -> SmbSession:
        return SmbSession(address, credentials, self._silence_s, self._answer_s)


@dataclass(slots=True)
class _Share:
    """The connections to one share as one account, and why the last one could not be made."""

    clock: Callable[[], float]
    connect: Callable[[SmbAddress, Credentials], SmbSession]
    lock: threading.Lock = field(default_factory=threading.Lock)
    sessions: list[SmbSession] = field(default_factory=list)
    failed: SmbError | None = None
    again_s: float = 0.0

    @contextmanager
    def signed_in(self, address: SmbAddress, credentials: Credentials) -> Iterator[SmbSession]:
        """Yield a connection with room for a watch; it is given back if that fails."""
        session = self._take(address, credentials)
        try:
            with translated(address):
                yield session
        except BaseException:
            session.leave()
            raise

    def _take(self, address: SmbAddress, credentials: Credentials) -> SmbSession:
        with self.lock:
            self.sessions = [each for each in self.sessions if each.is_open]
            for session in self.sessions:
                if session.join():
                    return session
            if self.failed is not None and self.clock() < self.again_s:
                raise self.failed
            try:
                session = self.connect(address, credentials)
            except SmbError as exc:
                wait_s = REFUSED_S if isinstance(exc, SmbRefusedError) else FAILED_S
                self.failed, self.again_s = exc, self.clock() + wait_s
                raise
            self.failed = None
            self.sessions.append(session)
            return session
