"""The world: all data of localtwin in one folder, and the objects that work on it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from filelock import FileLock, Timeout

from localtwin.errors import SetupError
from localtwin.faults import Faults, Switch
from localtwin.world.access.clients import Access
from localtwin.world.access.grants import Grants
from localtwin.world.access.roles import PERMISSIONS, Roles
from localtwin.world.access.users import Users
from localtwin.world.blobs.block_blobs import Blobs
from localtwin.world.blobs.content_assembly import ContentAssembler
from localtwin.world.blobs.contents import Contents
from localtwin.world.blobs.signed_urls import Signer
from localtwin.world.bulk.accounts import Accounts
from localtwin.world.bulk.first_company import BulkCredentials, bulk_credentials
from localtwin.world.bulk.records import Records
from localtwin.world.clock import Clock, utc_now
from localtwin.world.database import Database
from localtwin.world.events import CHANGES_READY, JOB_COMPLETED
from localtwin.world.favorites import Favorites
from localtwin.world.imodels.imodels import Changeset, IModels
from localtwin.world.imodels.named_versions import NamedVersions
from localtwin.world.itwins import ITwins
from localtwin.world.storage.recycling import RecycleBin
from localtwin.world.storage.tree import Storage
from localtwin.world.synchronization.configurations import Configurations
from localtwin.world.synchronization.connections import Connections
from localtwin.world.synchronization.frozen_inputs import FrozenInputs
from localtwin.world.synchronization.run_executor import Limits, RunExecutor
from localtwin.world.synchronization.run_records import RunRecords
from localtwin.world.synchronization.runs import Runs, find_run, unfinished
from localtwin.world.webhook_delivery import WebhookDelivery
from localtwin.world.webhooks import Webhooks

_KEY_BITS = 2048


@dataclass(frozen=True, slots=True)
class Credentials:
    """The client and the iTwin that the first start made; readable by the folder's owner only."""

    client_id: str
    client_secret: str
    itwin_id: str


class World:
    """Opens the world in `folder`; one process at a time."""

    def __init__(
        self,
        folder: Path,
        *,
        limits: Limits | None = None,
        clock: Clock = utc_now,
        faults: Iterable[Switch] = (),
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder
        self.clock = clock
        self.faults = Faults(faults)
        self._lock = _locked(folder)
        database = Database(folder / "world.sqlite")
        contents = Contents(folder / "blobs")
        self.content_assembler = ContentAssembler(contents)
        frozen_inputs = FrozenInputs(contents, folder / "runs")
        self.webhooks = Webhooks(database)
        self.webhook_delivery = WebhookDelivery(self.webhooks, clock)
        self.run_records = RunRecords(
            database, clock, on_end=self._run_ended, on_push=self._changeset_pushed
        )
        self._database = database
        self.access = Access(database, _signing_key(folder / "token.pem"), clock)
        self.users = Users(database, self.access)
        self.roles = Roles(database)
        self.grants = Grants(database, clock)
        self.signer = Signer(_secret(folder / "url.key"))
        announce = self.webhook_delivery.announce
        self.itwins = ITwins(database, clock, announce)
        self.imodels = IModels(database, folder / "imodels", clock, announce)
        self.favorites = Favorites(database, clock)
        self.bulk_accounts = Accounts(database, _secret(folder / "bulk.key"), clock)
        self.bulk_records = Records(database, clock)
        self.storage = Storage(database, clock)
        self.blobs = Blobs(database, contents, clock)
        self.versions = NamedVersions(database, self.imodels, clock, announce)
        self.connections = Connections(database, clock)
        self.configurations = Configurations(database)
        self.runs = Runs(database, frozen_inputs, clock)
        self.executor = RunExecutor(
            database,
            self.imodels,
            frozen_inputs,
            self.run_records,
            faults=self.faults,
            limits=limits or Limits(),
        )
        self.recycle_bin = RecycleBin(database, self.blobs, clock)
        self.recycle_bin.expire()
        self.blobs.sweep()
        self.imodels.sweep()
        frozen_inputs.sweep(unfinished(database))
        self.credentials = self._credentials(folder / "credentials.json")
        administrator = self.access.user_id(self.credentials.client_id)
        self.roles.set_administrator(administrator)
        self.account = self.itwins.account(administrator)

    def start(self, *, warm: bool = False) -> None:
        """Execute runs, deliver events, join contents; `warm` loads one worker in advance."""
        self.content_assembler.start()
        self.executor.start(warm=warm)
        self.webhook_delivery.start()

    def close(self) -> None:
        """Stop the runs and close the files; may be called twice."""
        self.content_assembler.stop()
        self.executor.stop()
        self.webhook_delivery.stop()
        self._database.close()
        self._lock.release()

    def bulk_credentials(self) -> BulkCredentials:
        """Return the bulk API's first company, made when first asked for."""
        return bulk_credentials(self.bulk_accounts, self.folder / "bulk.json", write_private)

    def restricted_credentials(self, itwin_id: str, permissions: Iterable[str]) -> Credentials:
        """Return another client, whose one role in the iTwin has exactly these permissions.

        Raises SetupError for a permission that there is not.
        """
        wanted = set(permissions)
        if unknown := sorted(wanted.difference(PERMISSIONS)):
            known = ", ".join(PERMISSIONS)
            raise SetupError(f"no such permission: {', '.join(unknown)}; there are: {known}")
        file = self.folder / "restricted.json"
        if not file.exists():
            client_id, secret = self.access.register("localtwin, restricted")
            self.roles.exclude(self.access.user_id(client_id))
            write_private(file, json.dumps([client_id, secret]).encode("utf-8"))
        client_id, secret = json.loads(file.read_text("utf-8"))
        user_id = self.access.user_id(client_id)
        for role in self.roles.of_member(user_id, itwin_id):
            self.roles.delete(itwin_id, role.id)
        role = self.roles.create(itwin_id, "Restricted", "Chosen at the last start.", wanted)
        self.roles.give(itwin_id, user_id, [role.id])
        return Credentials(client_id, secret, itwin_id)

    def _run_ended(self, run_id: str) -> None:
        run = find_run(self._database, run_id)
        if run is None:
            return
        content = {
            "synchronizationId": run.id,
            "iModelId": run.imodel_id,
            "connectionId": run.connection_id,
            "result": run.result.lower(),
        }
        itwin_id = self.imodels.get(run.imodel_id).itwin_id
        self.webhook_delivery.announce(JOB_COMPLETED, itwin_id, content)

    def _changeset_pushed(self, changeset: Changeset) -> None:
        content = {
            "imodelId": changeset.imodel_id,
            "changesetId": changeset.id,
            "changesetIndex": str(changeset.index),
            "userId": changeset.creator,
        }
        itwin_id = self.imodels.get(changeset.imodel_id).itwin_id
        self.webhook_delivery.announce(CHANGES_READY, itwin_id, content)

    def _credentials(self, file: Path) -> Credentials:
        if not file.exists():
            client_id, secret = self.access.register("localtwin")
            itwin = self.itwins.create(
                "Local iTwin", properties={}, number=None, user=self.access.user_id(client_id)
            )
            made = {"client_id": client_id, "client_secret": secret, "itwin_id": itwin.id}
            write_private(file, json.dumps(made, indent=2).encode("utf-8"))
        return Credentials(**json.loads(file.read_text("utf-8")))


def write_private(file: Path, data: bytes) -> None:
    """Write `file` whole, readable by its owner only."""
    partial = file.with_name(f"{file.name}.partial")
    partial.touch(mode=0o600)
    partial.write_bytes(data)
    partial.replace(file)


def _locked(folder: Path) -> FileLock:
    lock = FileLock(folder / "in-use.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as busy:
        message = f"{folder} is in use by another localtwin; stop it, or choose another folder"
        raise SetupError(message) from busy
    return lock


def _secret(file: Path) -> bytes:
    if not file.exists():
        write_private(file, secrets.token_bytes(32))
    return file.read_bytes()


def _signing_key(file: Path) -> rsa.RSAPrivateKey:
    if not file.exists():
        made = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
        pem = made.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        write_private(file, pem)
    key = serialization.load_pem_private_key(
        file.read_bytes(),
        password=None,
        unsafe_skip_rsa_key_validation=True,  # our own
    )
    if not isinstance(key, rsa.RSAPrivateKey):
        raise SetupError(f"{file} is not an RSA key; delete it to have a new one made")
    return key
