"""A place in an object store: Amazon S3 and what speaks like it, Azure Blob, Google Cloud Storage.

obstore speaks to all of them; its own retries are bounded, since later tries are the machine's.
Source: obstore manual, "Authentication", "sign", "put" (multipart is completed only after the last
piece was given), read 2026-11.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, TypeVar, cast

import obstore
from obstore import exceptions
from obstore.store import AzureStore, GCSStore, S3Store, from_url

from ...cloud.network import NetworkSettings
from ...errors import CloudError
from ..protocol import Content
from .places import PIECE_BYTES, Held, ObjectPath
from .store_errors import failure_of

DELETES_MAX: Final = 1000  # objects in one request; S3's limit
_HERE: Final = "localhost,127.0.0.0/8,::1"  # no proxy reaches a store on this machine
_CONNECT: Final = timedelta(seconds=10)
_REQUEST: Final = timedelta(seconds=120)  # one part over a slow line
_RETRY: Final = timedelta(seconds=30)

T = TypeVar("T")
Store = AzureStore | GCSStore | S3Store


@dataclass(frozen=True, slots=True)
class ObjectStoreSettings:
    """Which store: `url` like s3://bucket/folder; `options` as obstore names them, secrets too.

    What `options` lack comes from the environment, as the store's own tools have it. `network`:
    the way to the store, as to the platform.
    """

    url: str
    options: Mapping[str, str] = field(default_factory=dict, repr=False)
    signed_for: timedelta = timedelta(hours=24)
    allow_http: bool = False  # to a store on this machine
    network: NetworkSettings = field(default_factory=NetworkSettings)

    def client(self) -> dict[str, Any]:
        """Return what obstore's HTTP client is to be like. Raises OSError."""
        found: dict[str, Any] = {"connect_timeout": _CONNECT, "timeout": _REQUEST}
        if self.allow_http:
            found["allow_http"] = True
        ways = self.network.found()
        proxy = ways.get("http" if self.allow_http else "https") or ways.get("all", "")
        if proxy and not proxy.lower().startswith("socks"):
            found["proxy_url"] = proxy if "://" in proxy else f"http://{proxy}"
            found["proxy_excludes"] = ",".join(filter(None, (ways["no"].strip(","), _HERE)))
        if self.network.ca_bundle is not None:
            found["root_certificate"] = self.network.ca_bundle.read_bytes()
        return found


class ObjectStore:
    """A Place in an object store. Sends nothing before the first call."""

    def __init__(self, settings: ObjectStoreSettings) -> None:
        """Raises CloudError when the options contradict each other."""
        self._url = settings.url
        self._signed_for = settings.signed_for
        options: Any = dict(settings.options)
        store = self._try(
            "open",
            lambda: from_url(
                settings.url,
                config=options or None,
                client_options=cast("Any", settings.client()),
                retry_config={"max_retries": 2, "retry_timeout": _RETRY},
            ),
        )
        assert isinstance(store, Store), "the configuration allows no other address"
        self._store: Store = store

    def put(self, path: ObjectPath, content: Content) -> None:
        """Store the content whole, or nothing; one that is there already stays."""
        if self._holds(path, content.size_bytes):
            return
        raised: list[Exception] = []

        def pieces() -> Iterator[bytes]:
            try:
                for piece in content.chunks(PIECE_BYTES):
                    yield piece
                    content.note_sent(len(piece))
                content.verify()
            except Exception as exc:
                raised.append(exc)
                raise

        try:
            if content.size_bytes <= PIECE_BYTES:
                whole = b"".join(pieces())
                self._try("put", lambda: obstore.put(self._store, str(path), whole))
            else:
                self._try(
                    "put",
                    lambda: obstore.put(
                        self._store, str(path), pieces(), chunk_size=PIECE_BYTES, max_concurrency=1
                    ),
                )
        except CloudError as exc:
            if raised:
                raise raised[0] from exc  # the file's own trouble, not the store's
            raise

    def held(self) -> dict[ObjectPath, Held]:
        """Return every object of ours that is there."""

        def listed() -> dict[ObjectPath, Held]:
            found = [each for page in obstore.list(self._store) for each in page]
            return {
                path: Held(each["size"], each["last_modified"].timestamp())
                for each in found
                if (path := ObjectPath.read(each["path"])) is not None
            }

        return self._try("list", listed)

    def urls(self, paths: Sequence[ObjectPath]) -> list[str]:
        """Return signed URLs; they are secrets."""
        if not paths:
            return []
        names = [str(path) for path in paths]
        signed = self._try(
            "sign", lambda: obstore.sign(self._store, "GET", names, self._signed_for)
        )
        return list(signed)

    def read(self, path: ObjectPath) -> Iterator[bytes]:
        """Yield the content of an object, a piece at a time."""
        try:
            for piece in obstore.get(self._store, str(path)).stream(min_chunk_size=PIECE_BYTES):
                yield bytes(piece)
        except (exceptions.BaseError, OSError) as exc:
            raise self._failed("read", exc) from exc

    def delete(self, paths: Sequence[ObjectPath]) -> None:
        """Delete them; those that are gone already are fine."""
        names = [str(path) for path in paths]
        for first in range(0, len(names), DELETES_MAX):
            some = names[first : first + DELETES_MAX]
            try:
                obstore.delete(self._store, some)
            except FileNotFoundError:
                continue
            except exceptions.BaseError as exc:
                raise self._failed("delete", exc) from exc

    def _holds(self, path: ObjectPath, size_bytes: int) -> bool:
        try:
            found = obstore.head(self._store, str(path))
        except FileNotFoundError:
            return False
        except exceptions.BaseError as exc:
            raise self._failed("look at", exc) from exc
        return found["size"] == size_bytes

    def _try(self, what: str, act: Callable[[], T]) -> T:
        try:
            return act()
        except (exceptions.BaseError, OSError, ValueError) as exc:
            raise self._failed(what, exc) from exc

    def _failed(self, what: str, exc: Exception) -> CloudError:
        """Return the error, in words for whoever set the store up."""
        return CloudError(f"{what} an object", failure_of(self._url, exc))
