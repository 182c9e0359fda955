"""A localtwin in this process, and the least a client needs to use it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from localtwin.api.app import build
from localtwin.ids import pair_id
from localtwin.world.synchronization.run_executor import Limits
from localtwin.world.world import World, write_private
from wire.in_process import InProcess
from wire.witness import Exchange, Witness, contract

ORIGIN = "http://localhost"
WORDS = {f"/{api}/{kind}" for api in ("itwins", "imodels") for kind in ("favorites", "recents")}
WORDS |= {"/itwins/myprimaryaccount"}
"""Paths whose last word the contract takes for an id, as it does not have these operations."""


@dataclass
class Clock:
    """A clock that moves by `advance` only."""

    now: datetime = field(default_factory=lambda: datetime(2026, 3, 1, 12, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **amount: float) -> None:
        """Move on by that much, as timedelta names it."""
        self.now += timedelta(**amount)


class Platform(httpx.Client):
    """A signed-in client of a localtwin in this process, with shortcuts for what tests need."""

    def __init__(self, world: World) -> None:
        super().__init__(transport=InProcess(build(world)), base_url=ORIGIN)
        self._witnesses = (own_description(), contract())
        self.world = world
        self.itwin_id = world.credentials.itwin_id
        self.root = pair_id(self.itwin_id, self.itwin_id)
        self._numbers = count(1)
        self.sign_in()

    def __enter__(self) -> Self:
        super().__enter__()
        return self

    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """Send; an answer that no description knows is a failure of the test."""
        answer = super().send(request, **options)
        if answer.status_code < 500:  # a fault was asked for
            exchange = Exchange.of(answer)
            own, of_platform = self._witnesses
            unknown = exchange.path in WORDS or _is_denial(answer)
            for witness in (own,) if unknown else (own, of_platform):
                assert witness.objections(exchange) == [], exchange
        return answer

    def settle_in(self) -> None:
        """Begin anew: no faults, a fresh token, an empty iTwin."""
        self.world.faults.clear()
        self.sign_in()
        user = self.world.access.user_id(self.world.credentials.client_id)
        self.itwin_id = self.world.itwins.create(
            "Another", properties={}, number=None, user=user
        ).id
        self.root = pair_id(self.itwin_id, self.itwin_id)

    def sign_in(self) -> None:
        """Carry a fresh token from now on."""
        token = self.world.access.issue(self.world.credentials.client_id, issuer=ORIGIN)
        self.headers["Authorization"] = f"Bearer {token}"

    def new_imodel(self, name: str = "") -> str:
        """Create an iModel and return its id."""
        name = name or f"Bridge {next(self._numbers)}"
        made = self.post("/imodels", json={"iTwinId": self.itwin_id, "name": name})
        return str(expect(made, 201)["iModel"]["id"])

    def begin_file(self, name: str, folder: str | None = None) -> tuple[str, str]:
        """Begin a file; return its id and the upload URL."""
        path = f"/storage/folders/{folder or self.root}/files"
        links = expect(self.post(path, json={"displayName": name}), 202)["_links"]
        return links["completeUrl"]["href"].split("/")[5], links["uploadUrl"]["href"]

    def upload(self, name: str, content: bytes, folder: str | None = None) -> str:
        """Create a file with that content and return its id."""
        file_id, url = self.begin_file(name, folder)
        expect(self.put_blob(url, content), 201)
        expect(self.post(f"/storage/files/{file_id}/complete"), 200)
        return file_id

    def replace(self, file_id: str, content: bytes) -> None:
        """Give a file other content."""
        answer = expect(self.post(f"/storage/files/{file_id}/updatecontent"), 202)
        expect(self.put_blob(answer["_links"]["uploadUrl"]["href"], content), 201)
        expect(self.post(f"/storage/files/{file_id}/complete"), 200)

    def put_blob(self, url: str, content: bytes, **headers: str) -> httpx.Response:
        """Put Blob without the token, as the real upload URL wants it."""
        dashed = {name.replace("_", "-"): value for name, value in headers.items()}
        request = self.build_request(
            "PUT", url, content=content, headers={"x-ms-blob-type": "BlockBlob"} | dashed
        )
        del request.headers["Authorization"]
        return self.send(request)

    def connect(self, imodel_id: str, *file_ids: str, connector: str = "IFC") -> str:
        """Create a storage connection and return its id."""
        body = {
            "iModelId": imodel_id,
            "displayName": "Office",
            "authenticationType": "Service",
            "sourceFiles": [
                {"storageFileId": file_id, "connectorType": connector} for file_id in file_ids
            ],
        }
        made = self.post("/synchronization/imodels/storageconnections", json=body)
        return str(expect(made, 201)["connection"]["id"])

    def run(self, connection_id: str) -> dict[str, Any]:
        """Start a run, wait for its end and return it."""
        path = f"/synchronization/imodels/storageconnections/{connection_id}/run"
        started = self.post(path)
        assert started.status_code == 202, started.text
        self.world.executor.drain()
        run: dict[str, Any] = expect(self.get(started.headers["location"]), 200)["run"]
        return run

    def changesets(self, imodel_id: str) -> list[dict[str, Any]]:
        """Return the changesets of an iModel with everything they have."""
        headers = {"Prefer": "return=representation"}
        answer = self.get(f"/imodels/{imodel_id}/changesets", headers=headers)
        found: list[dict[str, Any]] = expect(answer, 200)["changesets"]
        return found


def _is_denial(answer: httpx.Response) -> bool:
    """Return whether a permission is missing: any operation may say so, few pages list it.

    Source: iTwin Platform, "Error handling".
    """
    return answer.status_code == 403 and b'"InsufficientPermissions"' in answer.content


def expect(answer: httpx.Response, status: int) -> Any:
    """Return the JSON of an answer that must have that status."""
    assert answer.status_code == status, f"{answer.status_code}: {answer.text}"
    return answer.json() if answer.headers.get("content-type") == "application/json" else None


def error_of(answer: httpx.Response) -> tuple[int, str, set[tuple[str, str | None]]]:
    """Return status, code, and the (code, target) of every detail."""
    error = answer.json()["error"]
    details = {(entry["code"], entry.get("target")) for entry in error.get("details", [])}
    return answer.status_code, error["code"], details


@cache
def own_document() -> dict[str, Any]:
    """Return what localtwin says of itself; the same for every world."""
    with TemporaryDirectory() as folder, opened(Path(folder)) as world:
        return build(world, admin_routes=True).openapi()


@cache
def own_description() -> Witness:
    """Return a witness of what localtwin says of itself."""
    return Witness(own_document())


@cache
def signing_key() -> bytes:
    """Return one key for all worlds: making one takes longer than most tests."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(pem, pkcs8, serialization.NoEncryption())


@contextmanager
def opened(folder: Path, clock: Clock | None = None, **limits: Any) -> Iterator[World]:
    """Open a world whose worker processes read the plain texts of platform_jobs."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "token.pem").exists():
        write_private(folder / "token.pem", signing_key())
    answers = Limits(module="platform_jobs", **({"workers": 1} | limits))
    world = World(folder, limits=answers, clock=clock or Clock())
    try:
        yield world
    finally:
        world.close()
