"""Keeps the sign-in of a person between starts: in the system's keyring, or in a private file.

A refresh token is good once where the service rotates them, so two processes must not use the same
one, and a new one must be on disk before its access token is used. `owned` gives both.
The keyring holds the token only; the file always exists and says whose sign-in it is.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Literal, Protocol

from filelock import FileLock, Timeout

from ..core.model import Failure, Fault
from ..errors import CloudError

FILE: Final = "sign-in.json"
LOCK: Final = "sign-in.lock"
LOCK_S: Final = 60.0  # longer than a renewal may take: its time-outs are 10 s and 30 s
KEYRING_NAME: Final = "twinsyncd"
_REAL: Final = 1.0  # keyring's own mark of a usable backend; plain-text and empty ones have less
_OPERATION: Final = "keep the sign-in"

Place = Literal["auto", "keyring", "file"]


@dataclass(frozen=True, slots=True)
class SignIn:
    """Who signed in to which application; `signed_in_s`: wall clock [s since the epoch].

    `account` is "" if the service does not tell.
    """

    refresh_token: str = field(repr=False)
    client_id: str
    issuer_url: str
    account: str = ""
    signed_in_s: float = 0.0


class Keyring(Protocol):
    """What is used of a keyring backend."""

    def get_password(self, service: str, username: str, /) -> str | None:
        """Return the secret, None if there is none."""

    def set_password(self, service: str, username: str, password: str, /) -> None:
        """Keep the secret."""

    def delete_password(self, service: str, username: str, /) -> None:
        """Drop the secret."""


def system_keyring() -> Keyring | None:
    """Return the keyring of this system; None if it has none that protects anything."""
    try:
        import keyring  # noqa: PLC0415 - optional, and slow to import

        backend = keyring.get_keyring()
        is_real = backend.priority >= _REAL
    except Exception:  # noqa: BLE001 - backends raise what they like; there is the file
        return None
    return backend if is_real else None


class TokenStore:
    """The sign-in of one state folder. Raises CloudError where it cannot be kept."""

    def __init__(
        self,
        folder: Path,
        place: Place = "auto",
        keyring: Callable[[], Keyring | None] = system_keyring,
    ) -> None:
        """Touch nothing before the first use; `keyring` is asked only where `place` allows."""
        self.file = folder / FILE
        self._lock = folder / LOCK
        self._place = place
        self._keyring = keyring
        self._unsaved: tuple[SignIn, SignIn] | None = None  # before and after a renewal

    @contextmanager
    def owned(self) -> Iterator[TokenStore]:
        """Hold the sign-in for this thread alone, over all processes of this machine."""
        try:
            self._lock.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = FileLock(self._lock, timeout=LOCK_S, mode=0o600)
            lock.acquire()
            _give_to_owner(self._lock)
        except Timeout as exc:
            message = "another twinsyncd is renewing the sign-in and does not come to an end"
            raise CloudError(_OPERATION, Failure(Fault.TRANSIENT, message)) from exc
        except OSError as exc:
            raise self._unusable(exc) from exc
        try:
            yield self
        finally:
            lock.release()

    def read(self) -> SignIn | None:
        """Return the sign-in; None if nobody is signed in."""
        kept = self._read()
        if self._unsaved is None:
            return kept
        before, after = self._unsaved
        if kept not in (None, before):  # somebody has signed in since
            self._unsaved = None
            return kept
        self.write(after)
        return after

    def renew(self, before: SignIn, token: str) -> None:
        """Keep a renewed sign-in; if the disk does not take it, the next `read` tries again."""
        after = replace(before, refresh_token=token)
        self._unsaved = (before, after)
        self.write(after)

    def _read(self) -> SignIn | None:
        try:
            saved = json.loads(self.file.read_text("utf-8"))
            token = saved.pop("refresh_token", "") or self._from_keyring()
            known = {name: saved.get(name, "") for name in ("client_id", "issuer_url", "account")}
            since_s = float(saved.get("signed_in_s", 0.0))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, AttributeError):
            return None  # not ours, or cut short: signing in again replaces it
        except OSError as exc:
            raise self._unusable(exc) from exc
        return SignIn(token, **known, signed_in_s=since_s) if token else None

    def write(self, sign_in: SignIn) -> None:
        """Keep the sign-in, durably; what was kept before stays if that fails."""
        values: dict[str, object] = {
            "client_id": sign_in.client_id,
            "issuer_url": sign_in.issuer_url,
            "account": sign_in.account,
            "signed_in_s": sign_in.signed_in_s,
        }
        if not self._into_keyring(sign_in.refresh_token):
            values["refresh_token"] = sign_in.refresh_token
        try:
            _replace(self.file, json.dumps(values, indent=1))
        except OSError as exc:
            raise self._unusable(exc) from exc
        self._unsaved = None

    def drop(self) -> None:
        """Forget the sign-in, in both places."""
        self._unsaved = None
        if (keyring := self._opened()) is not None:
            with suppress(Exception):  # there is none, or the keyring is locked
                keyring.delete_password(KEYRING_NAME, str(self.file))
        try:
            self.file.unlink(missing_ok=True)
        except OSError as exc:
            raise self._unusable(exc) from exc

    def _opened(self) -> Keyring | None:
        return None if self._place == "file" else self._keyring()

    def _from_keyring(self) -> str:
        keyring = self._opened()
        try:
            found = keyring.get_password(KEYRING_NAME, str(self.file)) if keyring else None
        except Exception:  # noqa: BLE001 - locked, or not reachable from this session
            found = None
        if found is None:
            message = (
                "signed out: the sign-in is in a keyring that this process cannot open; "
                'set token_store = "file" in [auth], then run: twinsyncd login'
            )
            raise CloudError(_OPERATION, Failure(Fault.SIGNED_OUT, message))
        return found

    def _into_keyring(self, token: str) -> bool:
        """Keep the token in the keyring; False: it belongs into the file."""
        keyring = self._opened()
        try:
            if keyring is not None:
                keyring.set_password(KEYRING_NAME, str(self.file), token)
                return True
        except Exception as exc:  # locked, too long for it, or not reachable
            if self._place == "keyring":
                raise self._no_keyring(type(exc).__name__) from exc
        if self._place == "keyring":
            raise self._no_keyring("this system has none")
        return False

    def _no_keyring(self, reason: str) -> CloudError:
        message = f'the keyring cannot be used ({reason}); set token_store = "file" in [auth]'
        return CloudError(_OPERATION, Failure(Fault.UNAUTHORISED, message))

    def _unusable(self, exc: OSError) -> CloudError:
        fix = "correct its rights or make room"
        if isinstance(exc, PermissionError):
            fix = "run this as the account that the daemon runs as"
        message = f"{self.file} cannot be used ({exc.strerror}); {fix}"
        return CloudError(_OPERATION, Failure(Fault.TRANSIENT, message))


def _replace(file: Path, text: str) -> None:
    """Write the file whole or not at all, for its owner alone, and wait for the disk."""
    draft = file.with_name(f"{file.name}.new")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    _give_to_owner(draft)
    draft.replace(file)
    if os.name == "posix":
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _give_to_owner(file: Path) -> None:
    """Let the daemon's account read what root wrote into its folder, as with sudo."""
    if sys.platform != "win32" and os.geteuid() == 0:
        folder = file.parent.stat()
        os.chown(file, folder.st_uid, folder.st_gid)
