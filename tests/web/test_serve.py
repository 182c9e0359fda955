"""The page on a socket: it comes up late, fails alone, and ends at once."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path
from queue import Queue

import httpx
import pytest

from twinsyncd.errors import ConfigError
from twinsyncd.web.serve import STOP_S, PageServer, Place, listening, reason_of

from .page_scene import make_config, open_office

WAIT_S = 10.0


async def hello(scope: object, receive: object, send: object) -> None:
    """Answer every request."""
    assert callable(send)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


def free_port() -> int:
    """Return a port that nobody listens on."""
    with listening(Place("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def test_a_port_that_is_taken_is_reported_and_used_once_it_is_free() -> None:
    """A second program must not end the daemon, nor the page for ever."""
    said: Queue[str] = Queue()
    taken = socket.create_server(("127.0.0.1", 0))
    place = Place("127.0.0.1", taken.getsockname()[1])

    with PageServer(hello, place, said.put):
        reason = said.get(timeout=WAIT_S)
        taken.close()
        while said.get(timeout=WAIT_S):
            pass
        answer = httpx.get(place.url)

    assert "in use by another program" in reason
    assert answer.text == "hello"


def test_a_browser_that_listens_for_ever_holds_up_no_stop(tmp_path: Path) -> None:
    """A stop ends within ten seconds, whoever looks at the page (P14)."""
    ready: Queue[str] = Queue()
    place = Place("127.0.0.1", free_port())
    with open_office(tmp_path) as office:
        from twinsyncd.runtime.page_wiring import access_of  # noqa: PLC0415
        from twinsyncd.web.app import create_app  # noqa: PLC0415

        assert office.config.page is not None
        app = create_app(office.data, access_of(office.config.page))
        with PageServer(app, place, ready.put):
            assert ready.get(timeout=WAIT_S) == ""
            with httpx.stream("GET", f"{place.url}live", timeout=WAIT_S) as live:
                lines = live.iter_lines()
                event = next(line for line in lines if line.startswith("event:"))
                data = next(lines)
                began_s = time.monotonic()
                threads = {each.name: each for each in threading.enumerate()}
        ended = not threads["page"].is_alive()
        lasted_s = time.monotonic() - began_s

    assert event == "event: parts"
    assert '"headline"' in data
    assert ended
    assert lasted_s < STOP_S + WAIT_S


def test_a_certificate_that_is_none_is_named(tmp_path: Path) -> None:
    """A mistake in a file is found by who made it."""
    said: Queue[str] = Queue()
    file = tmp_path / "page.crt"
    file.write_text("no certificate")
    place = Place("127.0.0.1", free_port(), file, file)

    with PageServer(hello, place, said.put):
        reason = said.get(timeout=WAIT_S)

    assert "certificate" in reason


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(99, "Cannot assign requested address"), "no address of this machine"),
        (OSError(2, "No such file or directory", "/x/page.crt"), "/x/page.crt cannot be read"),
        (OSError(13, "Permission denied"), "choose one above 1023"),
    ],
)
def test_the_reason_says_what_to_do(error: OSError, words: str) -> None:
    """The text is all that status shows."""
    assert words in reason_of(error, Place("10.1.2.3", 80))


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ('address = "0.0.0.0"', "everybody in the network could see"),
        ('address = "192.168.1.2"\ntoken = "0123456789012345678901"', "token would be sent unenc"),
        ('token = "short"', "shorter than 20"),
        ('address = "fileserver"', "not an address to listen on"),
        ('tls_certificate = "page.crt"', "TLS needs a certificate and its key"),
        ("port = 99999", "not a port to listen on"),
        ('adress = "127.0.0.1"', 'did you mean "address"?'),
    ],
)
def test_a_page_for_others_needs_a_token_and_tls(page: str, words: str, tmp_path: Path) -> None:
    """A mistake here would show an office's projects to a network."""
    with pytest.raises(ConfigError, match=r"page") as error:
        make_config(tmp_path, page)

    assert words in str(error.value)
