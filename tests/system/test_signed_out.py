"""The real daemon and a person: it waits for the first sign-in, and for each one that lapses."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path

import httpx

from localtwin.world.access.clients import NATIVE_CLIENT

from . import programs
from .drawings import drawing
from .site import Site, open_site
from .waiting import wait_until

RETURN = "http://127.0.0.1:0/signin-callback"


def as_a_person(site: Site) -> None:
    """Let the site sign in as a person instead of a service."""
    text = site.config.read_text("utf-8")
    kind = f'kind = "user"\nredirect_url = "{RETURN}"\ntoken_store = "file"'
    text = re.sub(r'client_id = ".*"', f'client_id = "{NATIVE_CLIENT}"', text)
    text = re.sub(r'kind = "service"', kind, text)
    site.config.write_text(re.sub(r'client_secret = ".*"\n', "", text), "utf-8")


def signs_in(site: Site) -> str:
    """Do what a person does: run the command, open each page it prints, press its button."""
    arguments = ("login", "--no-browser", "--config", str(site.config))
    with programs.program(*arguments, output=site.folder / "login.out") as login:
        opened: set[str] = set()

        def is_done() -> bool:
            for url in re.findall(r"^    (http\S+)$", login.text(), re.MULTILINE):
                if url not in opened:
                    opened.add(url)
                    press_the_button(url)
            return login.ended

        wait_until(is_done, "the end of the login")
        assert login.wait() == 0, login.text()
        return login.text()


def press_the_button(url: str) -> None:
    """Be the browser."""
    with httpx.Client(follow_redirects=True) as browser:
        page = browser.get(url)
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page.text))
        browser.post(url, data={name: unescape(value) for name, value in fields.items()})


def test_a_daemon_waits_for_its_person_loses_nothing_and_says_who_it_waits_for(
    tmp_path: Path,
) -> None:
    """The first day of an office: the daemon is started before anybody has signed in."""
    with open_site(tmp_path) as site:
        as_a_person(site)
        site.save("plan.dxf", drawing(1))
        with site.daemon() as daemon:
            waits = daemon.wait_for("sign_in.needed")
            status = site.call("status")

            printed = signs_in(site)

            wait_until(lambda: site.is_synced(1), "the drawing in the iModel")
            daemon.wait_for("sign_in.done")
        token = json.loads((site.folder / "state" / "sign-in.json").read_text("utf-8"))
        written = daemon.log.read_text("utf-8") + daemon.text()

    assert "nobody has signed in" in waits["reason"]
    assert "waits for a person: signed out" in status.stdout
    assert status.returncode == 1
    assert "signed in as local.user@localhost" in printed
    assert token["refresh_token"] not in written


def test_a_sync_without_a_sign_in_ends_at_once_and_says_what_to_do(tmp_path: Path) -> None:
    """A person at a terminal must not wait for a person."""
    with open_site(tmp_path) as site:
        as_a_person(site)
        site.save("plan.dxf", drawing(1))

        first = site.call("sync")
        signs_in(site)
        second = site.call("sync")

    assert first.returncode == 1
    assert "run twinsyncd login" in first.stdout
    assert second.returncode == 0, second.stdout
