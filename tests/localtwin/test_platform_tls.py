"""Serving other machines: only when asked to, only encrypted, and saying what clients need."""

from __future__ import annotations

import signal
import ssl
import subprocess
import sys
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from platform_scene import signing_key

from localtwin.errors import SetupError
from localtwin.serve import Settings, serving
from localtwin.world.world import write_private

OFFICE = x509.DNSName("localhost")
LOOPBACK = x509.IPAddress(ip_address("127.0.0.1"))
EVERYWHERE = "0.0.0.0"  # noqa: S104 (what --expose is for)

Issue = Callable[..., tuple[Path, Path]]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with a key made earlier."""
    folder = tmp_path / "data"
    folder.mkdir()
    write_private(folder / "token.pem", signing_key())
    return folder


@pytest.fixture
def issue(tmp_path: Path) -> Issue:
    """Makes a certificate with its key, as an office does for a machine of its own."""

    def made(
        *names: x509.GeneralName, days: int = 1, password: bytes | None = None
    ) -> tuple[Path, Path]:
        key = ec.generate_private_key(ec.SECP256R1())
        whose = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localtwin")])
        now = datetime.now(UTC)
        building = (
            x509.CertificateBuilder()
            .subject_name(whose)
            .issuer_name(whose)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=9))
            .not_valid_after(now + timedelta(days=days))
        )
        if names:
            building = building.add_extension(x509.SubjectAlternativeName(names), critical=False)
        locked = (
            serialization.BestAvailableEncryption(password)
            if password
            else serialization.NoEncryption()
        )
        pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        files = (tmp_path / "office.pem", tmp_path / "office.key")
        files[0].write_bytes(building.sign(key, hashes.SHA256()).public_bytes(pem))
        files[1].write_bytes(key.private_bytes(pem, pkcs8, locked))
        return files

    return made


def test_what_is_printed_is_all_that_another_machine_needs(data: Path, issue: Issue) -> None:
    """Address, credentials and certificate: signing in and uploading works with these alone."""
    certificate, key = issue(OFFICE, LOOPBACK)
    answers = ["--data", str(data), "--host", EVERYWHERE, "--expose"]
    pair = ["--certificate", str(certificate), "--private-key", str(key)]
    command = [sys.executable, "-m", "twinsyncd", "local", *answers, *pair]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines: list[str] = []
        while not lines or not lines[-1].strip().startswith("folder"):
            lines.append(process.stdout.readline())
        printed = "".join(lines)
        config = tomllib.loads(printed)
        api_url, auth = config["platform"]["api_url"], config["auth"]
        form = {"grant_type": "client_credentials", "scope": "itwin-platform"}
        trusted = ssl.create_default_context(cafile=str(certificate))
        with httpx.Client(base_url=api_url, verify=trusted) as client:
            login = (auth["client_id"], auth["client_secret"])
            token = client.post("/connect/token", data=form, auth=login).json()["access_token"]
            client.headers["Authorization"] = f"Bearer {token}"
            itwin_id = config["connection"][0]["itwin_id"]
            root = client.get("/storage", params={"iTwinId": itwin_id}).json()["_links"]["folder"]
            made = client.post(f"{root['href']}/files", json={"displayName": "a.dgn"}).json()
            upload = made["_links"]["uploadUrl"]["href"]
            put = client.put(
                upload, content=b"x" * 300_000, headers={"x-ms-blob-type": "BlockBlob"}
            )
            back = client.get(upload).content
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(api_url)

        process.send_signal(signal.SIGTERM)

        assert process.wait(20) == 0
    assert api_url.startswith("https://localhost:")  # not 0.0.0.0, which nobody can call
    assert config["platform"]["issuer_url"] == api_url
    assert "SSL_CERT_FILE=/path/to/office.pem" in printed
    assert "chmod 600" in printed
    assert upload.startswith(api_url)
    assert (put.status_code, back) == (201, b"x" * 300_000)


def test_the_wanted_host_is_named_when_the_certificate_is_for_it(data: Path, issue: Issue) -> None:
    """A certificate for several names is used under the one that was asked for."""
    certificate, key = issue(OFFICE, LOOPBACK)
    settings = Settings(data, certificate=certificate, private_key=key)

    with serving(settings) as ready:
        pass

    assert ready.api_url.startswith("https://127.0.0.1:")


@pytest.mark.parametrize("given", [(), ("certificate",), ("private_key",)])
def test_nobody_else_is_served_without_encryption(
    data: Path, issue: Issue, given: tuple[str, ...]
) -> None:
    """Whoever listens on the line would have the secret."""
    files = dict(zip(("certificate", "private_key"), issue(OFFICE), strict=True))
    certificate, key = (files[name] if name in given else None for name in files)
    settings = Settings(
        data, host=EVERYWHERE, expose=True, certificate=certificate, private_key=key
    )

    with pytest.raises(SetupError, match="needs --expose and a certificate"), serving(settings):
        pass


@pytest.mark.parametrize(
    ("names", "terms", "word"),
    [
        ((OFFICE,), {"days": -1}, "expired"),
        ((), {}, "names no host"),
        ((OFFICE,), {"password": b"secret"}, "password"),
    ],
)
def test_a_certificate_that_is_no_good_is_named_before_anything_is_served(
    data: Path, issue: Issue, names: tuple[x509.GeneralName, ...], terms: dict[str, Any], word: str
) -> None:
    """A question for a password, or clients that fail one by one, help nobody."""
    certificate, key = issue(*names, **terms)
    settings = Settings(data, certificate=certificate, private_key=key)

    with pytest.raises(SetupError, match=word), serving(settings):
        pass


@pytest.mark.parametrize(
    ("pair", "word"),
    [
        (("office.pem", "stranger.key"), "(?i)mismatch"),
        (("office.pem", "missing.key"), "No such file"),
        (("office.key", "office.key"), "no certificate"),
        ((None, "office.key"), "--certificate"),
    ],
)
def test_files_that_do_not_belong_together_are_named(
    data: Path, issue: Issue, tmp_path: Path, pair: tuple[str | None, str], word: str
) -> None:
    """A traceback helps nobody who starts a program."""
    issue(OFFICE)[1].rename(tmp_path / "stranger.key")
    issue(OFFICE)
    certificate = tmp_path / pair[0] if pair[0] else None
    settings = Settings(data, certificate=certificate, private_key=tmp_path / pair[1])

    with pytest.raises(SetupError, match=word), serving(settings):
        pass
