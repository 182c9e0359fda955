"""The way to the network: proxies, hosts without one, certificates; mistakes have names."""

from __future__ import annotations

import http.server
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import httpx
import pytest
from cloud_script import caught
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from twinsyncd.cloud.fault_text import PROXY_USED
from twinsyncd.cloud.faults import error_from
from twinsyncd.cloud.network import (
    NetworkSettings,
    NetworkTransport,
    Proxies,
    read_proxies,
    trusted_certificates,
)
from twinsyncd.cloud.session import CloudSettings, open_cloud
from twinsyncd.core.model import Fault
from twinsyncd.errors import ConfigError, ConfigMistake
from twinsyncd.targets.manifest.object_store import ObjectStore, ObjectStoreSettings

API = ("https://api.example.com",)


def mistake(found: dict[str, str], urls: tuple[str, ...] = API) -> ConfigMistake:
    """Return the one mistake of this environment."""
    with pytest.raises(ConfigError) as caught_error:
        read_proxies(urls, found)
    (only,) = caught_error.value.mistakes
    return only


def reached_through(found: dict[str, str], url: str) -> str:
    """Return the proxy that serves this URL, "" for none."""
    proxy = read_proxies((url,), found).proxy_for(httpx.URL(url))
    return str(proxy.url) if proxy else ""


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({}, ""),
        ({"https": "http://proxy:3128"}, "http://proxy:3128"),
        ({"https": "proxy:3128"}, "http://proxy:3128"),
        ({"all": "http://other:1", "https": "http://proxy:3128"}, "http://proxy:3128"),
        ({"all": "http://other:1"}, "http://other:1"),
        ({"http": "http://plain:1"}, ""),
        ({"all": "socks5://s:1", "https": "http://proxy:3128"}, "http://proxy:3128"),
        ({"https": "http://proxy:3128", "no": "*"}, ""),
        ({"all": "socks5://s:1", "no": ".example.com"}, ""),
    ],
)
def test_the_proxy_of_the_environment_is_used(found: dict[str, str], expected: str) -> None:
    """Offices have no other way out."""
    assert reached_through(found, "https://api.example.com/x") == expected


@pytest.mark.parametrize(
    ("entry", "url", "direct"),
    [
        ("example.com", "https://api.example.com", True),
        (".example.com", "https://api.example.com", True),
        ("*.example.com", "https://api.example.com", True),
        ("EXAMPLE.com", "https://api.example.com", True),
        ("example.com", "https://notexample.com", False),
        ("api.example.com:443", "https://api.example.com", True),
        ("api.example.com:8443", "https://api.example.com", False),
        ("10.0.0.0/8", "https://10.1.2.3", True),
        ("10.0.0.0/8", "https://11.1.2.3", False),
        ("10.0.0.0/8", "https://api.example.com", False),
        ("fd00::/8", "https://[fd12::1]", True),
        ("fd00::/8", "https://[fe80::1]", False),
        ("fd00::/8", "https://api.example.com", False),
        ("::1", "https://[::1]:8443", True),
        ("[::1]", "https://[::1]", True),
        ("127.0.0.1", "https://127.0.0.1:8443", True),
        ("localhost, 127.0.0.1,::1,fd00::/8,example.com", "https://api.example.com", True),
        ("", "https://api.example.com", False),
        (" , ,", "https://api.example.com", False),
        ("http://example.com", "https://api.example.com", True),
    ],
)
def test_no_proxy_means_what_curl_documents(entry: str, url: str, direct: bool) -> None:
    """An entry that one program understands and another dies of is a day lost."""
    found = {"https": "http://proxy:3128", "no": entry}

    assert (reached_through(found, url) == "") is direct


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "[::1]:8080", "127.9.9.9"])
def test_this_machine_itself_is_reached_without_a_proxy(host: str) -> None:
    """An office's proxy would look for localtwin on its own machine; the demo hung there."""
    found = {"http": "http://proxy:3128", "https": "socks5://proxy:1"}

    assert reached_through(found, f"http://{host}/x") == ""
    assert reached_through(found, "http://127.0.0.1.example.com") == "http://proxy:3128"


def raised(call: Callable[[], object]) -> httpx.ConnectError:
    """Return how the call fails to connect."""
    with pytest.raises(httpx.ConnectError) as failed:
        call()
    return failed.value


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_cannot_be_reached_is_named_not_the_service(scheme: str) -> None:
    """A search at the service finds nothing: the call never got beyond the office."""
    url, tls = f"{scheme}://a.example", trusted_certificates({})
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))  # nobody listens there, and nobody else can
        port = deaf.getsockname()[1]
        proxies = read_proxies((url,), {scheme: f"http://me:s3cret@127.0.0.1:{port}"})
        transport = NetworkTransport(proxies, tls, connections_max=1, idle_s=1.0)
        with httpx.Client(transport=transport) as http:
            message = error_from("look", raised(lambda: http.get(url))).failure.message

    assert message.startswith(f"the proxy 127.0.0.1:{port} cannot be reached: ")
    assert "HTTPS_PROXY, or proxy below [platform]" in message
    assert "s3cret" not in message


@pytest.mark.parametrize(
    ("exc", "words"),
    [
        (httpx.ConnectTimeout(""), "a.example cannot be reached through the proxy p:1: no answer"),
        (httpx.ProxyError("502 Bad Gateway"), "the proxy p:1 does not connect to a.example: 502"),
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] x"), "its certificate"),
    ],
)
def test_what_fails_behind_a_proxy_is_told_apart(exc: httpx.RequestError, words: str) -> None:
    """Whoever runs the proxy needs its name and the host; a certificate is another matter."""
    exc.request = httpx.Request("GET", "https://a.example", extensions={PROXY_USED: "p:1"})

    assert words in error_from("look", exc).failure.message


@pytest.mark.parametrize(
    ("found", "variable", "words"),
    [
        ({"all": "socks5://127.0.0.1:1080"}, "ALL_PROXY", "SOCKS"),
        ({"https": "socks5h://127.0.0.1:1080"}, "HTTPS_PROXY", "SOCKS"),
        ({"https": "http://proxy:port"}, "HTTPS_PROXY", "not the address"),
        ({"https": "http://proxy:99999999"}, "HTTPS_PROXY", "not the address"),
        ({"https": "ftp://proxy:21"}, "HTTPS_PROXY", "not the address"),
        ({"https": "http://"}, "HTTPS_PROXY", "names no host"),
    ],
)
def test_an_unusable_proxy_is_one_mistake_with_the_variables_name(
    found: dict[str, str], variable: str, words: str
) -> None:
    """Eighty lines of traceback name nothing that a person could change."""
    found_mistake = mistake(found)

    assert (found_mistake.file, found_mistake.key) == ("environment", variable)
    assert words in found_mistake.message
    assert found_mistake.fix


def test_the_password_of_a_proxy_is_in_no_message() -> None:
    """Messages are mailed around."""
    assert "s3cret" not in str(mistake({"https": "http://user:s3cret@proxy:port"}))


def test_a_proxy_that_no_call_uses_is_not_examined() -> None:
    """A desktop's SOCKS setting must not keep a local server from being used."""
    found = {"all": "socks5://127.0.0.1:1080", "no": "127.0.0.1"}

    assert read_proxies(("http://127.0.0.1:1",), found) == Proxies({}, ("127.0.0.1",))


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_missing_certificates_are_one_mistake_with_the_variables_name(
    tmp_path: Path, variable: str
) -> None:
    """The file moved with an update of the system."""
    with pytest.raises(ConfigError, match=r"gone\.pem") as caught_error:
        trusted_certificates({variable: str(tmp_path / "gone.pem")})

    assert caught_error.value.mistakes[0].key == variable


def test_a_file_that_holds_no_certificates_is_named(tmp_path: Path) -> None:
    """A file in the wrong format is as good as none."""
    file = tmp_path / "wrong.pem"
    file.write_text("no certificate")

    with pytest.raises(ConfigError, match=r"wrong\.pem"):
        trusted_certificates({"SSL_CERT_FILE": str(file)})


# ---- a real server with a certificate that nobody trusts ---------------------------------------


class Anything(http.server.BaseHTTPRequestHandler):
    """Accepts whatever comes."""

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(201)
        self.end_headers()

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate for localhost, and its key."""
    folder = tmp_path_factory.mktemp("certificate")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "cert.pem", folder / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return pem, secret


@pytest.fixture
def server(certificate: tuple[Path, Path]) -> Iterator[int]:
    """The port of a TLS server on this machine."""
    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Anything)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*certificate)
    listening.socket = tls.wrap_socket(listening.socket, server_side=True)
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield listening.server_address[1]
    listening.shutdown()
    thread.join()
    listening.server_close()


class Small:
    """One byte of content."""

    size_bytes = 1

    def chunks(self, size_bytes: int) -> Iterator[bytes]:
        yield b"x"

    def note_sent(self, size_bytes: int) -> None:
        pass

    def verify(self) -> None:
        """Always as settled."""


def upload(
    port: int, host: str = "localhost", network: NetworkSettings = NetworkSettings()
) -> None:
    """Send one byte to the server, as to a blob host."""
    settings = CloudSettings("id", lambda: "secret", network=network)
    url = f"https://{host}:{port}/c/b?sig=1"
    with open_cloud(settings, sleep=lambda _: None) as cloud:
        cloud.blobs.upload(Small(), url, lambda: url, first=True)


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy and no certificate of the machine that runs the tests."""
    for name in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name.upper()}_PROXY", raising=False)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)


def test_content_never_goes_to_a_host_with_an_untrusted_certificate(server: int) -> None:
    """Whoever sits between would read the office's drawings."""
    failure = caught(lambda: upload(server)).failure

    assert failure.fault is Fault.TRANSIENT
    assert "certificate is not trusted" in failure.message


def test_the_secret_never_goes_to_a_host_with_an_untrusted_certificate(server: int) -> None:
    """Nor may whoever sits between read the client secret or the token."""
    address = f"https://localhost:{server}"
    settings = CloudSettings("id", lambda: "secret", api_url=address, issuer_url=address)
    with open_cloud(settings, sleep=lambda _: None) as cloud:
        failure = caught(cloud.login.token).failure

    assert "certificate is not trusted" in failure.message


def test_a_certificate_of_another_host_is_not_accepted(
    server: int, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trusted certificate proves one name only."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))

    assert "certificate" in caught(lambda: upload(server, "127.0.0.1")).failure.message


def test_a_certificate_that_is_named_is_trusted(
    server: int, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Offices whose proxy inspects traffic name its certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))

    upload(server)


def test_a_bundle_of_the_configuration_is_trusted(
    server: int, certificate: tuple[Path, Path]
) -> None:
    """A service's environment is harder to change than its configuration."""
    upload(server, network=NetworkSettings(ca_bundle=certificate[0]))


def test_a_bundle_that_vanished_after_the_configuration_was_read_is_named(tmp_path: Path) -> None:
    """The text names the key to correct."""
    with pytest.raises(ConfigError, match="ca_bundle"):
        trusted_certificates({}, tmp_path / "gone.pem")


class Forwarding(http.server.BaseHTTPRequestHandler):
    """A proxy that answers every request itself, and keeps what it was asked."""

    asked: ClassVar[list[tuple[str, str]]] = []

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers.get("proxy-authorization", "")))
        self.send_response(407)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def proxy() -> Iterator[int]:
    """The port of a proxy on this machine."""
    Forwarding.asked.clear()
    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Forwarding)
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield listening.server_address[1]
    listening.shutdown()
    thread.join()
    listening.server_close()


def test_the_proxy_of_the_configuration_is_used_with_its_password(
    proxy: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It counts before the environment, and a 407 of it says what to write."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    network = NetworkSettings(f"http://me:s3cret@127.0.0.1:{proxy}")
    url = "http://service.example"
    settings = CloudSettings("id", lambda: "secret", issuer_url=url, api_url=url, network=network)

    with open_cloud(settings, sleep=lambda _: None) as cloud:
        failure = caught(cloud.login.token).failure

    assert Forwarding.asked[0] == (
        f"{url}/.well-known/openid-configuration",
        "Basic bWU6czNjcmV0",
    )
    assert "proxy" in failure.message
    assert "s3cret" not in f"{failure}{settings}"


def test_hosts_of_the_configuration_are_reached_without_the_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They add to those of the environment."""
    monkeypatch.setenv("NO_PROXY", "a.example")
    network = NetworkSettings("http://proxy:3128", ("b.example", "10.0.0.0/8"))

    found = read_proxies(("https://c.example",), network.found())

    hosts = ("a.example", "b.example", "10.1.2.3", "c.example")
    direct = [found.proxy_for(httpx.URL(f"https://{host}")) is None for host in hosts]
    assert direct == [True, True, True, False]


# ---- the user's own object store -----------------------------------------------------------------


def objects(endpoint: str, network: NetworkSettings) -> ObjectStore:
    """Return a store that speaks like S3 at this address."""
    options = {"access_key_id": "a", "secret_access_key": "b", "endpoint": endpoint}
    is_plain = endpoint.startswith("http://")
    return ObjectStore(
        ObjectStoreSettings("s3://bucket/x", options, allow_http=is_plain, network=network)
    )


@pytest.mark.parametrize(
    ("named", "direct", "is_used"),
    [
        ("", (), True),
        ("", ("127.0.0.0/8", "store.invalid"), False),
        ("store.invalid", (), False),
        ("other.invalid", ("other.example",), True),
    ],
)
def test_the_object_store_is_reached_through_the_proxy_of_the_configuration(
    proxy: int, named: str, direct: tuple[str, ...], is_used: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files of manifest connections leave the office by the same way as all calls."""
    monkeypatch.setenv("no_proxy", named)
    network = NetworkSettings(f"http://me:s3cret@127.0.0.1:{proxy}", direct)

    caught(lambda: objects("http://store.invalid", network).held())

    assert bool(Forwarding.asked) is is_used
    if is_used:
        address, password = Forwarding.asked[0]
        assert address.startswith("http://store.invalid/bucket")
        assert password == "Basic bWU6czNjcmV0"


def test_an_object_store_on_this_machine_is_reached_without_a_proxy(
    proxy: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An office's proxy would look for it on its own machine."""
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy}")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as s:
        thread = threading.Thread(target=s.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        caught(lambda: objects(f"http://127.0.0.1:{s.server_port}", NetworkSettings()).held())
        s.shutdown()
        thread.join()

    assert Forwarding.asked == []


def test_the_bundle_of_the_configuration_is_trusted_for_the_object_store(
    server: int, certificate: tuple[Path, Path]
) -> None:
    """A proxy that inspects traffic stands before the store as well."""
    address = f"https://localhost:{server}"
    untrusted = caught(lambda: objects(address, NetworkSettings()).held()).failure.message

    trusted = NetworkSettings(ca_bundle=certificate[0])
    found = caught(lambda: objects(address, trusted).held()).failure.message

    assert "the certificate of localhost is not trusted" in untrusted
    assert "ca_bundle below [platform]" in untrusted
    assert "certificate" not in found
