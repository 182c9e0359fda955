# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""A person signs in at a real localtwin, stays signed in, lapses, and comes back."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from contract_office import Office
from test_main_path import drawing

from localtwin.serve import Ready
from localtwin.world.access.clients import NATIVE_CLIENT
from twinsyncd.cloud.access_check import examine_authorization, examine_sign_in
from twinsyncd.cloud.session import CloudSettings, open_cloud
from twinsyncd.cloud.token_store import TokenStore
from twinsyncd.config import Config, load
from twinsyncd.core import facts
from twinsyncd.core.model import Fault
from twinsyncd.core.results import Outcome
from twinsyncd.errors import AppError, CloudError
from twinsyncd.runtime.sign_in import Person, sign_in, sign_out

Press = Callable[[str], httpx.Response]


def press_the_button(url: str) -> httpx.Response:
    """Do what a browser does for a person: open the page, press its button, go where it leads."""
    with httpx.Client(follow_redirects=True) as browser:
        page = browser.get(url)
        assert page.status_code == 200, page.text
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page.text))
        return browser.post(url, data={name: unescape(text) for name, text in fields.items()})


@pytest.fixture(scope="module")
def chromium() -> Iterator[Press]:
    """A real browser, where one is installed."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("needs Chromium")
    with ExitStack() as stack:
        made = stack.enter_context(playwright.sync_playwright())
        browser: Any = made.chromium.launch(executable_path=program, args=["--no-sandbox"])
        stack.callback(browser.close)

        def press(url: str) -> httpx.Response:
            page = browser.new_page()
            page.goto(url)
            page.get_by_role("button").click()
            page.wait_for_load_state()
            return httpx.Response(200, text=page.content())

        yield press


@pytest.fixture(params=["plain", "chromium"])
def press(request: pytest.FixtureRequest) -> Press:
    """The way a person presses a button."""
    if request.param == "plain":
        return press_the_button
    found: Press = request.getfixturevalue("chromium")
    return found


@pytest.fixture
def config(local: Ready, tmp_path: Path) -> Config:
    """An office that signs in as a person."""
    (tmp_path / "cad").mkdir()
    file = tmp_path / "twinsyncd.toml"
    text = f"""
[platform]
api_url = "{local.api_url}"
issuer_url = "{local.issuer_url}"
[auth]
kind = "user"
client_id = "{NATIVE_CLIENT}"
redirect_url = "http://127.0.0.1:0/signin-callback"
token_store = "file"
[daemon]
state_folder = "state"
[[connection]]
name = "Bridge 12"
itwin_id = "{local.itwin_id}"
imodel_id = "{local.imodel_id}"
  [[connection.source]]
  folder = "cad"
"""
    file.write_text(text, "utf-8")
    return load(file, {})


def person(press: Press, opened: list[str]) -> Person:
    """A person who presses every button that is shown, while twinsyncd waits."""

    def open_page(_what: str, url: str) -> None:
        opened.append(press(url).text)

    return Person(open_page, lambda _: None)


def settings(config: Config) -> CloudSettings:
    """What the daemon of this office would use."""
    assert config.daemon.state_folder is not None
    return CloudSettings(
        config.auth.client_id,
        api_url=config.platform.api_url,
        issuer_url=config.platform.issuer_url,
        sign_ins=TokenStore(config.daemon.state_folder, "file"),
    )


def test_a_person_signs_in_agrees_to_runs_and_stays_signed_in(config: Config, press: Press) -> None:
    """The whole way, as an office goes it once; afterwards nobody is needed."""
    pages: list[str] = []

    done = sign_in(config, person(press, pages), 60.0)

    assert (done.account, done.authorised) == ("local.user@localhost", True)
    assert "return to twinsyncd" in pages[0]
    tokens = set()
    for _ in range(3):
        with open_cloud(settings(config)) as cloud:
            tokens.add(cloud.login.token())
            assert examine_sign_in(cloud).good
            assert examine_authorization(cloud).good
            assert cloud.platform.itwin(config.connection[0].itwin_id).name
    assert len(tokens) == 3


def test_nobody_who_comes_is_not_waited_for_for_ever(config: Config) -> None:
    """The terminal must come back."""
    nobody = Person(lambda _what, _url: None, lambda _: None)

    with pytest.raises(AppError, match="nobody signed in"):
        sign_in(config, nobody, 0.05)


def test_a_revoked_sign_in_waits_for_the_person_and_goes_on_after_a_login(
    config: Config, local: Ready
) -> None:
    """Somebody signs out everywhere, or changes a password; the daemon must not need a restart."""
    sign_in(config, person(press_the_button, []), 60.0)
    with open_cloud(settings(config)) as cloud:
        store = settings(config).sign_ins
        assert store is not None
        kept = store.read()
        assert kept is not None
        form = {"token": kept.refresh_token, "client_id": NATIVE_CLIENT}
        assert httpx.post(f"{local.issuer_url}/connect/revocation", data=form).status_code == 200

        with pytest.raises(CloudError) as lapsed:
            cloud.login.token()

        assert lapsed.value.failure.fault is Fault.SIGNED_OUT
        assert "local.user@localhost" in lapsed.value.failure.message
        sign_in(config, person(press_the_button, []), 60.0)
        assert cloud.login.token()


def test_who_signs_out_is_signed_out(config: Config) -> None:
    """A laptop that is handed on must not keep its user's rights."""
    sign_in(config, person(press_the_button, []), 60.0)

    assert sign_out(config)

    assert not sign_out(config)
    with open_cloud(settings(config)) as cloud, pytest.raises(CloudError, match="signed out"):
        cloud.login.token()


@pytest.fixture
def bridge(
    config: Config,
    local: Ready,
    new_imodel: Callable[[str], str],
    request: pytest.FixtureRequest,
) -> Iterator[Office]:
    """A connection of the person who signed in, with a drawing in Storage."""
    sign_in(config, person(press_the_button, []), 60.0)
    with open_cloud(settings(config)) as cloud:
        imodel_id = new_imodel(f"of a person, {request.node.name}"[:200])
        office = Office(cloud, local.itwin_id, imodel_id, authentication="User")
        office.store("a.dxf", drawing(1))
        yield office


def test_a_users_connection_runs_once_the_user_agreed(bridge: Office, raw: httpx.Client) -> None:
    """A connection of a service would act for an application that has no rights there."""
    seen = bridge.run()

    made = raw.get(f"/synchronization/imodels/storageconnections/{bridge.remote_id}").json()
    assert made["connection"]["authenticationType"] == "User"
    assert seen.outcome is Outcome.SUCCEEDED


def test_without_consent_no_run_is_started_and_the_page_to_open_is_named(
    bridge: Office, lapse: Callable[[], None]
) -> None:
    """The run would be started, fail, be paid for, and blame the files."""
    lapse()

    with pytest.raises(CloudError) as refused:
        bridge.prepare()

    assert refused.value.failure.fault is Fault.NOT_AUTHORISED
    page = re.search(r"https?://\S+", refused.value.failure.message)
    assert page is not None
    assert "Thank you" in press_the_button(page[0]).text
    assert bridge.prepare().authorised
    assert bridge.run().outcome is Outcome.SUCCEEDED


def test_consent_that_lapses_under_a_run_names_the_page_too(
    bridge: Office, lapse: Callable[[], None]
) -> None:
    """The last look at consent is always older than the run."""
    bridge.prepare()
    lapse()

    started = bridge.start()

    assert isinstance(started, facts.RunStarted)
    seen = bridge.wait(started.run)
    assert seen.unauthorised
    assert "twinsyncd login" in seen.message
    assert "/connect/consent" in seen.message


@pytest.fixture
def lapse(local: Ready, bridge: Office) -> Callable[[], None]:
    """Let the person's consent to runs expire."""

    def expire() -> None:
        switched = httpx.post(
            f"{local.api_url}/localtwin/faults",
            json={"fault": "expired-authorization x1"},
            headers={"Authorization": f"Bearer {bridge.cloud.login.token()}"},
        )
        assert switched.status_code == 201, switched.text

    return expire
