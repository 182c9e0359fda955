# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""`twinsyncd login` and `logout`: what they print, and what status says of a lane that waits."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from cli_scene import CONFIG, IMODEL, Office

from twinsyncd.cloud.token_store import SignIn, TokenStore
from twinsyncd.config import load
from twinsyncd.core.decision import Decision
from twinsyncd.core.facts import SignedIn
from twinsyncd.core.model import ConnectionKey, ConnectionRow, LaneKey, LaneRow
from twinsyncd.journal.requests import Request
from twinsyncd.runtime import person_requests
from twinsyncd.runtime.sync_once import leave_request

USER = CONFIG.replace(
    "[auth]\n", '[auth]\nkind = "user"\nredirect_url = "http://127.0.0.1:0/cb"\n'
).replace("[daemon]", '[platform]\nissuer_url = "http://127.0.0.1:9"\n\n[daemon]')
SIGNED_OUT = 'signed out (it has lapsed): run twinsyncd login as the account "cad"'


@pytest.fixture
def office(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Office:
    """An office that signs in as a person."""
    made = Office(tmp_path, monkeypatch, capsys)
    monkeypatch.delenv("TWINSYNCD_AUTH__CLIENT_SECRET")
    made.configure(USER)
    return made


def test_a_service_needs_no_login_and_is_told_so(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who tries it anyway must learn that nothing is missing."""
    monkeypatch.setenv("TWINSYNCD_AUTH__CLIENT_SECRET", "hunter2")
    office.configure(CONFIG)

    printed = office.types("login", "--no-browser")

    assert printed.code == 1
    assert 'kind = "user"' in printed.err


def test_a_secret_beside_a_person_is_a_mistake_with_its_line(office: Office) -> None:
    """Half of each way to sign in works for neither."""
    office.configure(USER.replace('kind = "user"', 'kind = "user"\nclient_secret = "x"'))

    printed = office.types("status")

    assert printed.code == 2
    assert "without a client secret" in printed.err


@pytest.mark.parametrize(
    "url", ["https://localhost:3000/cb", "http://office.example.com:3000/cb", "http://localhost/cb"]
)
def test_the_browser_comes_back_to_this_machine_only(office: Office, url: str) -> None:
    """Any other address would hand the sign-in to whoever runs it."""
    office.configure(USER.replace("http://127.0.0.1:0/cb", url))

    printed = office.types("login", "--no-browser")

    assert printed.code == 2
    assert "http://localhost:3000/signin-callback" in printed.err


def test_an_issuer_that_is_not_there_ends_the_login_at_once(office: Office) -> None:
    """The person must not wait ten minutes in front of a page that never comes."""
    printed = office.types("login", "--no-browser")

    assert printed.code == 1
    assert "start it with the --data it had before: twinsyncd local" in printed.err


def test_logout_forgets_and_says_whether_there_was_something(office: Office) -> None:
    """A laptop is handed on."""
    office.state.mkdir()
    TokenStore(office.state, "file").write(SignIn("rt", "service-abc", "http://127.0.0.1:9"))

    first, second = office.types("logout"), office.types("logout")

    assert (first.out, second.out) == ("signed out\n", "nobody was signed in\n")
    assert list(office.state.glob("*.json")) == []


def test_status_says_who_must_sign_in(office: Office) -> None:
    """A lane that waits for a person looks like one that works, unless it is said."""
    office.remember(
        Decision(lanes=(LaneRow(LaneKey(IMODEL), wait_reason=SIGNED_OUT, needs_person=True),))
    )

    printed = office.types("status")

    assert printed.code == 1
    assert f"waits for a person: {SIGNED_OUT}" in printed.out


@pytest.mark.parametrize(
    ("ago_days", "shown"),
    [(1, "about 28 days more"), (26, "about 3 days more"), (40, "about 0 days")],
)
def test_status_says_how_long_runs_may_act_for_the_person(
    office: Office, ago_days: int, shown: str
) -> None:
    """The mail that the platform sends comes when it is too late."""
    since_s = time.time() - ago_days * 86400.0 - 60.0
    row = ConnectionRow(ConnectionKey("Bridge 12"), "remote", authorised_s=since_s)
    office.remember(Decision(connections=(row,)))

    printed = office.types("status")

    assert f"runs may act for you for {shown}" in printed.out


def test_a_page_to_open_is_printed_in_one_piece(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a link, copied, leads nowhere."""
    monkeypatch.setenv("COLUMNS", "60")
    page = f"https://portal.example.com/authenticate?redirect_url={'x' * 90}"
    row = LaneRow(LaneKey(IMODEL), wait_reason=f"not agreed; or open {page}", needs_person=True)
    office.remember(Decision(lanes=(row,)))

    assert page in office.types("status").out


@pytest.mark.parametrize("agreed", [True, False])
def test_a_login_is_a_request_that_the_daemon_understands(office: Office, agreed: bool) -> None:
    """The daemon is another process, and may start an hour later."""
    leave_request(load(office.config), SignedIn(agreed))

    ((kind, argument),) = office.asked()
    assert person_requests.fact_of(Request(kind, argument)) == SignedIn(agreed)
