"""A real browser without a window, where one is installed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from typing import Final, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from twinsyncd.runtime.page_wiring import access_of
from twinsyncd.web.app import create_app
from twinsyncd.web.serve import PageServer, Place, listening

from .page_scene import Office

PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome")
PLACE: Final = os.environ.get("SCREENSHOTS", "")
"""The folder for screenshots; none are kept without it."""

SERIOUS: Final = ("serious", "critical")

WIDE: Final[ViewportSize] = {"width": 1280, "height": 900}
NARROW: Final[ViewportSize] = {"width": 390, "height": 844}
VIEWS: Final[dict[str, tuple[ViewportSize, Literal["light", "dark"]]]] = {
    "wide": (WIDE, "light"),
    "wide-dark": (WIDE, "dark"),
    "narrow": (NARROW, "light"),
    "narrow-dark": (NARROW, "dark"),
}
"""On a screen and on a telephone, by day and by night."""


@contextmanager
def browser() -> Iterator[Browser]:
    """Yield Chromium; the test is skipped where there is none."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu"]
        )
        try:
            yield started
        finally:
            started.close()


@contextmanager
def served(office: Office) -> Iterator[str]:
    """Yield the address of the office's page on a socket."""
    ready: Queue[str] = Queue()
    with listening(Place("127.0.0.1", 0)) as found:
        place = Place("127.0.0.1", found.getsockname()[1])
    page = office.config.page
    assert page is not None
    app = create_app(office.data, access_of(page), signs_in=page.has_token)
    with PageServer(app, place, ready.put):
        assert ready.get(timeout=10.0) == ""
        yield place.url


def open_page(started: Browser, address: str, view: str) -> Page:
    """Return the page as this view shows it."""
    size, scheme = VIEWS[view]
    context = started.new_context(
        viewport=size,
        color_scheme=scheme,
        bypass_csp=True,  # for the checker that is put into the page; the policy has its own test
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(address)
    page.wait_for_load_state("load")
    return page


def keep(page: Page, name: str, *, whole: bool = True) -> None:
    """Keep a screenshot, if somebody wants to look at it; else than `whole`: what is in sight."""
    if PLACE:
        folder = Path(PLACE)
        folder.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=folder / f"{name}.png", full_page=whole)


def violations(page: Page) -> list[str]:
    """Return what an accessibility checker (axe) finds to be serious."""
    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {each['help']} {[node['html'] for node in each['nodes'][:3]]}"
        for each in found
        if each["impact"] in SERIOUS
    ]


def is_too_wide(page: Page) -> bool:
    """Return whether a person would have to scroll sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))
