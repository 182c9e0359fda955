"""Signs a person in and out, for `twinsyncd login` and `logout`, and wakes what waited for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from ..cloud import authorization_code as codes
from ..cloud.redirect import Redirect
from ..cloud.session import Cloud, open_cloud
from ..cloud.token_store import SignIn
from ..config import Config
from ..core.facts import SignedIn
from ..errors import AppError, JournalError
from .cloud_wiring import cloud_settings, sign_ins
from .sync_once import leave_request

LOOK_S: Final = 2.0  # between two questions whether the person has agreed
HINT: Final = "begin again: twinsyncd login"


class Person(NamedTuple):
    """What a sign-in needs of the person in front of the screen.

    `open_page` shows a page and what it is for; `pasted` begins to read addresses that the person
    pastes, where the browser is on another machine, and hands them to its argument.
    """

    open_page: Callable[[str, str], None]
    pasted: Callable[[Callable[[str], bool]], None]


class SignedInAs(NamedTuple):
    """The result: who it is ("" if not told), and whether runs may act for that person."""

    account: str
    authorised: bool
    daemon_runs: bool


def sign_in(config: Config, person: Person, timeout_s: float) -> SignedInAs:
    """Sign a person in and let them agree to runs; waits up to `timeout_s` [s] for each.

    Raises CloudError; AppError when the person does not come back.
    """
    _require_user(config)
    with (
        open_cloud(cloud_settings(config)) as cloud,
        _listening(config, cloud) as (redirect, attempt),
    ):
        person.open_page("sign in", attempt.url)
        person.pasted(redirect.deliver)
        answer = redirect.wait(timeout_s)
        if answer is None:
            raise AppError(f"nobody signed in within {timeout_s:.0f} s", hint=HINT)
        account = _keep(config, cloud, attempt, answer)
        authorised, agreed_now = _agree(cloud, person, redirect.thanks_url, timeout_s)
    return SignedInAs(account, authorised, _wake(config, agreed_now=agreed_now))


def sign_out(config: Config) -> bool:
    """Forget the sign-in; return whether there was one. Raises CloudError."""
    _require_user(config)
    with sign_ins(config).owned() as store:
        there_was = store.file.exists()
        store.drop()
    return there_was


@contextmanager
def _listening(config: Config, cloud: Cloud) -> Iterator[tuple[Redirect, codes.Attempt]]:
    """Yield the port that the browser comes back to, and the page that sends it there."""
    attempts: list[codes.Attempt] = []
    redirect = Redirect(
        config.auth.redirect_url,
        lambda query: any(codes.is_answer(each, query) for each in attempts),
    )
    with redirect:
        attempts.append(codes.begin(cloud.issuer, config.auth.client_id, redirect.url))
        yield redirect, attempts[0]


def _keep(config: Config, cloud: Cloud, attempt: codes.Attempt, answer: dict[str, str]) -> str:
    """Keep the sign-in and renew it once, so that what fails does so before the person leaves."""
    client_id = config.auth.client_id
    grant = codes.redeem(cloud.issuer, client_id, attempt, answer)
    account = codes.account_of(grant.access_token)
    with sign_ins(config).owned() as store:
        store.write(SignIn(grant.refresh_token, client_id, cloud.issuer.url, account, time.time()))
    cloud.login.token()
    return account


def _agree(cloud: Cloud, person: Person, thanks_url: str, timeout_s: float) -> tuple[bool, bool]:
    """Return whether runs may act for the person, and whether that was agreed just now."""
    found = cloud.platform.authorization(thanks_url)
    if found.authorised or not found.url:
        return found.authorised, False
    person.open_page("let the platform run synchronizations in your name", found.url)
    end_s = time.monotonic() + timeout_s
    while time.monotonic() < end_s:
        if cloud.platform.authorization(thanks_url).authorised:
            return True, True
        time.sleep(LOOK_S)
    return False, False


def _wake(config: Config, *, agreed_now: bool) -> bool:
    try:
        return leave_request(config, SignedIn(agreed_now))
    except JournalError:
        return False  # the sign-in is kept; a daemon with a journal tries again by itself


def _require_user(config: Config) -> None:
    if config.auth.kind != "user":
        raise AppError(
            "the configuration signs in as a service, which needs no person",
            hint='to sign in as a person, write kind = "user" in [auth]',
        )
