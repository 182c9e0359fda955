"""The server's certificate: whether it can be used, and for which names."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from localtwin.errors import SetupError


def check_certificate(certificate: Path | None, private_key: Path | None) -> None:
    """Raise SetupError when the files can't be used; without a certificate nothing is checked.

    The key may be in the certificate's file.
    """
    if certificate is None:
        if private_key is not None:
            raise SetupError("--private-key is of no use without its --certificate")
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, private_key, password=_no_password)
    except (OSError, ValueError) as problem:  # an SSLError is an OSError
        pair = f"{certificate} and {private_key}" if private_key else str(certificate)
        reason = getattr(problem, "strerror", None) or problem
        raise SetupError(f"{pair} are no certificate with its private key ({reason})") from problem
    found = _read(certificate)
    if found.not_valid_after_utc < datetime.now(UTC):
        raise SetupError(f"{certificate} has expired; no client would trust it")
    if not _names(found):
        raise SetupError(f"{certificate} names no host, so that no client would trust it")


def certified_names(certificate: Path | None) -> list[str]:
    """Return the hosts that the certificate is for; none without one."""
    return [] if certificate is None else _names(_read(certificate))


def public_name(certificate: Path, host: str) -> str:
    """Return the name that clients must use for `host`: one that the certificate is for."""
    names = _names(_read(certificate))
    if host in names:
        return host
    return names[0].replace("*", socket.gethostname())


def _read(certificate: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificates(certificate.read_bytes())[0]


def _names(certificate: x509.Certificate) -> list[str]:
    """Return the hosts that the certificate is for, names before addresses."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    addresses = found.get_values_for_type(x509.IPAddress)
    return [*found.get_values_for_type(x509.DNSName), *map(str, addresses)]


def _no_password() -> str:
    """Refuse a locked key: a server that starts unattended can't be asked."""
    raise ValueError("the key is locked with a password")
