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
_EVERY_SHARE: Final = ""  # instead of a share's name: an account is refused by the whole server
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
        self._accounts: dict[tuple[object, ...], _Account] = {}

    def open(self, address: SmbAddress, credentials: Credentials, watched: Watched) -> SmbWatch:
        """Return a watch of what lies below the folder; changes from now on are reported.

        Raises SmbError.
        """
        key = (address.server.lower(), address.port, credentials)
        with self._lock:
            account = self._accounts.setdefault(key, _Account(self._clock, self._session))
        with account.signed_in(address, credentials) as session:
            return SmbWatch(session, address, watched, self._buffer_bytes)

    def _session(self, address: SmbAddress, credentials: Credentials) -> SmbSession:
        return SmbSession(address, credentials, self._silence_s, self._answer_s)


@dataclass(slots=True)
class _Account:
    """The connections of one account to one server, and why the last ones could not be made."""

    clock: Callable[[], float]
    connect: Callable[[SmbAddress, Credentials], SmbSession]
    lock: threading.Lock = field(default_factory=threading.Lock)
    sessions: list[tuple[str, SmbSession]] = field(default_factory=list)  # with the share
    failed: dict[str, tuple[SmbError, float]] = field(default_factory=dict)  # by share, and until

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
        share = address.share.lower()
        with self.lock:
            self.sessions = [each for each in self.sessions if each[1].is_open]
            for joined, session in self.sessions:
                if joined == share and session.join():
                    return session
            for failed in (_EVERY_SHARE, share):
                error, again_s = self.failed.get(failed, (None, 0.0))
                if error is not None and self.clock() < again_s:
                    raise error
            session = self._connected(share, address, credentials)
            self.failed.clear()
            self.sessions.append((share, session))
            return session

    def _connected(self, share: str, address: SmbAddress, credentials: Credentials) -> SmbSession:
        try:
            return self.connect(address, credentials)
        except SmbRefusedError as exc:
            self.failed[_EVERY_SHARE] = exc, self.clock() + REFUSED_S
            raise
        except SmbError as exc:
            self.failed[share] = exc, self.clock() + FAILED_S
            raise
