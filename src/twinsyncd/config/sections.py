"""The sections that say where things are and who signs in: platform, auth, object store."""

from __future__ import annotations

import tomllib
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, SecretStr, model_validator

from .secret_file import SecretFile, StoreKeysFile
from .units import Duration, mistake
from .values import (
    Certificates,
    FilePath,
    Hosts,
    ObjectsUrl,
    ProxyUrl,
    RedirectUrl,
    Url,
    choice,
)


class Section(BaseModel):
    """A table of the file: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def __deepcopy__(self, _memo: dict[int, Any] | None = None) -> Self:
        """Return itself, as it is frozen: a default is not copied for each of 1,000 connections."""
        return self


class Platform(Section):
    """The addresses of the platform; the public cloud unless set."""

    api_url: Url = "https://api.bentley.com"
    issuer_url: Url = "https://ims.bentley.com"
    trusted_hosts: Hosts = ()
    upload_hosts: Hosts = ()
    proxy: ProxyUrl | None = None
    no_proxy: tuple[str, ...] = ()
    ca_bundle: Certificates | None = None


class Auth(Section):
    """How the daemon signs in at the platform."""

    kind: Annotated[Literal["service", "user"], choice("service", "user")] = "service"
    client_id: str
    client_secret: SecretStr | None = None
    client_secret_file: SecretFile | None = None

    redirect_url: RedirectUrl = "http://localhost:3000/signin-callback"
    token_store: Annotated[
        Literal["auto", "keyring", "file"], choice("auto", "keyring", "file")
    ] = "auto"  # noqa: S105 - it names a place, not a secret

    @model_validator(mode="after")
    def _has_one_secret(self) -> Auth:
        given = self.model_fields_set & {"client_secret", "client_secret_file"}
        if self.kind == "user":
            if given:
                message = "a person signs in without a client secret"
                fix = f'delete {" and ".join(sorted(given))}, or write kind = "service"'
                raise mistake(message, fix)
            return self
        if len(given) > 1:
            raise mistake("there are two client secrets", "delete client_secret from the file")
        if not given:
            raise mistake(
                "there is no client secret",
                "set client_secret_file to a file that holds it, or the environment variable "
                "TWINSYNCD_AUTH__CLIENT_SECRET",
            )
        return self

    def secret(self) -> str:
        """Return the client secret, read again each time; raises OSError."""
        if self.client_secret is not None:
            return self.client_secret.get_secret_value()
        assert self.client_secret_file is not None  # checked when the file was loaded
        return self.client_secret_file.read_text("utf-8-sig").strip()


class Objects(Section):
    """Where the files of a manifest connection lie for the platform to fetch."""

    url: ObjectsUrl = ""
    served_folder: FilePath | None = None
    region: str = ""
    endpoint: Url | None = None
    credentials_file: StoreKeysFile | None = None
    signed_for: Duration = timedelta(hours=24)

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Objects:
        if self.url.startswith("http") and self.served_folder is None:
            message = "a web server serves a folder, and it is not known which"
            raise mistake(message, "set served_folder to the folder that url is the address of")
        if self.served_folder is not None and not self.url.startswith("http"):
            message = "served_folder is served by a web server, and url is none"
            raise mistake(message, "write the https:// address of the folder as url, or delete it")
        return self

    def options(self) -> dict[str, str]:
        """Return what the store is opened with. Raises OSError, ValueError."""
        given = {"region": self.region, "endpoint": self.endpoint or ""}
        if self.credentials_file is not None:
            text = self.credentials_file.read_text("utf-8-sig")
            given |= {name: str(value) for name, value in tomllib.loads(text).items()}
        return {name: value for name, value in given.items() if value}
