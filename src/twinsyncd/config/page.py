"""The section of the status page: where it listens, and who may look."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Final

from pydantic import AfterValidator, SecretStr, model_validator

from .secret_file import PrivateKeyFile, SecretFile
from .sections import Section
from .units import mistake
from .values import FilePath, Hosts

PORT: Final = 8470
TOKEN_LEAST: Final = 20  # characters; a shorter token can be guessed over a network
MAKE_TOKEN: Final = "run: openssl rand -hex 32 > page_token; chmod 600 page_token"  # noqa: S105


def _address(text: str) -> str:
    """Check an address to listen on; a name would be resolved differently at every start."""
    plain = "127.0.0.1" if text == "localhost" else text.strip().strip("[]")
    try:
        return str(ipaddress.ip_address(plain))
    except ValueError as exc:
        fix = 'write "127.0.0.1" for this machine only, "0.0.0.0" for all, or one of its addresses'
        raise mistake(f'"{text}" is not an address to listen on', fix) from exc


def _port(number: int) -> int:
    if 1 <= number <= 65535:
        return number
    fix = f"write one from 1024 to 65535, like {PORT}; to serve no page, delete the section [page]"
    raise mistake(f"{number} is not a port to listen on", fix)


Port = Annotated[int, AfterValidator(_port)]
Address = Annotated[str, AfterValidator(_address)]


class Page(Section):
    """The status page: on this machine only, unless there are a token and TLS."""

    address: Address = "127.0.0.1"
    port: Port = PORT
    names: Hosts = ()
    token: SecretStr | None = None
    token_file: SecretFile | None = None
    tls_certificate: FilePath | None = None
    tls_key: PrivateKeyFile | None = None

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        return ipaddress.ip_address(self.address).is_loopback

    @property
    def has_token(self) -> bool:
        """Whether a person must enter a token first."""
        return self.token is not None or self.token_file is not None

    @model_validator(mode="after")
    def _is_safe(self) -> Page:
        if self.token is not None and self.token_file is not None:
            raise mistake("there are two tokens", "delete token from the file")
        if (self.tls_certificate is None) is not (self.tls_key is None):
            fix = "set both tls_certificate and tls_key, to files in PEM format"
            raise mistake("TLS needs a certificate and its key", fix)
        if self.is_local:
            return self
        if not self.has_token:
            message = f"everybody in the network could see the page at {self.address}"
            raise mistake(message, f'set token_file ({MAKE_TOKEN}), or address = "127.0.0.1"')
        if self.tls_certificate is None:
            message = f"the token would be sent unencrypted to {self.address}"
            fix = 'set tls_certificate and tls_key, or address = "127.0.0.1" behind a proxy'
            raise mistake(message, fix)
        return self

    @model_validator(mode="after")
    def _token_is_long(self) -> Page:
        if self.token is not None and len(self.token.get_secret_value()) < TOKEN_LEAST:
            raise mistake(f"the token is shorter than {TOKEN_LEAST} characters", MAKE_TOKEN)
        return self

    def secret(self) -> str:
        """Return the token, "" if there is none. Raises OSError."""
        if self.token_file is not None:
            return self.token_file.read_text("utf-8-sig").strip()
        return self.token.get_secret_value() if self.token else ""
