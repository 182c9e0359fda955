"""The page in a real browser: readable by everybody, on a telephone, by keyboard, live."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from twinsyncd.core.decision import Decision

from .browser import PLACE, VIEWS, browser, is_too_wide, keep, open_page, served, violations
from .page_scene import CAD, open_office
from .states import STATES, State, aside, office_in

LONG = "a-very-long-folder-name-without-any-space/" * 4 + "and-a-drawing-of-the-same-kind.dgn"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for all tests here; starting it takes longest."""
    with browser() as started:
        yield started


@pytest.mark.parametrize("view", VIEWS if PLACE else ("wide", "narrow-dark"))
def test_every_page_can_be_read_by_everybody(chromium: Browser, view: str, tmp_path: Path) -> None:
    """On a telephone, in the dark, with a screen reader: the same words."""
    decisions = [each.decision for each in STATES if each.name in ("mass deletion", "refused")]
    busy = [*decisions, aside("plan/sheet-02.dgn", "locked"), aside(LONG, "the same")]
    with open_office(tmp_path, *busy) as office, served(office) as url:
        pages = [
            ("overview-30", "?days=30"),
            ("file", f"file?source={CAD}&path=plan/sheet-02.dgn"),
            ("overview", ""),
            ("files", "files?q=sheet"),
            ("sign-in", "sign-in"),
        ]
        for name, path in pages if PLACE else pages[:2]:
            page = open_page(chromium, f"{url}{path}", view)
            if name == "overview-30":
                page.get_by_text("The runs in words").click()
                page.get_by_text("It is meant to be so").first.click()
            keep(page, f"{name}-{view}")

            assert violations(page) == [], name
            assert not is_too_wide(page), name
            page.context.close()


@pytest.mark.skipif(not PLACE, reason="screenshots are made by make screenshots")
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
def test_each_state_as_a_picture(chromium: Browser, state: State, tmp_path: Path) -> None:
    """Somebody must have looked at each of them."""
    with (
        office_in(state, tmp_path) as office,
        served(office) as url,
    ):
        for view in ("wide", "narrow-dark"):
            page = open_page(chromium, url, view)
            keep(page, f"state {state.name} {view}".replace(" ", "-"))

            assert violations(page) == []
            assert not is_too_wide(page)
            page.context.close()


@pytest.mark.skipif(not PLACE, reason="pictures are made by make pictures")
def test_the_pictures_of_the_readme(chromium: Browser, tmp_path: Path) -> None:
    """The first thing that anybody sees of the page must be what it looks like now."""
    refused = next(each for each in STATES if each.name == "run failed with link")
    with open_office(tmp_path, refused.decision) as office, served(office) as url:
        for view, name in (("wide", "page"), ("narrow-dark", "page-telephone")):
            page = open_page(chromium, url, view)
            keep(page, name, whole=False)

            expect(page.locator("#headline h1")).to_contain_text("1 thing needs a person")
            page.context.close()


def test_the_checker_finds_what_cannot_be_read(chromium: Browser, tmp_path: Path) -> None:
    """A checker that finds nothing anywhere would prove nothing."""
    with open_office(tmp_path) as office, served(office) as url:
        page = open_page(chromium, url, "wide")
        page.add_style_tag(content="h1 { color: #eeeeee !important }")
        found = violations(page)
        page.context.close()

    assert [each.partition(":")[0] for each in found] == ["color-contrast"]


def test_the_page_is_current_without_a_reload(chromium: Browser, tmp_path: Path) -> None:
    """Somebody leaves it open on a second screen for weeks."""
    with open_office(tmp_path) as office, served(office) as url:
        page = open_page(chromium, url, "wide")
        expect(page.locator("#headline h1")).to_contain_text("In sync")

        office.journal.commit(aside("plan/sheet-02.dgn", "the connector refused it"))

        expect(page.locator("#headline h1")).to_contain_text("1 thing needs a person", timeout=9000)
        expect(page.locator("#needs")).to_contain_text("the connector refused it")
        assert "1 thing needs a person" in page.title()
        page.context.close()


def test_what_somebody_reads_is_not_taken_away(chromium: Browser, tmp_path: Path) -> None:
    """An update in the middle of an approval must not close it, nor move the button."""
    held = next(each for each in STATES if each.name == "mass deletion")
    with open_office(tmp_path, held.decision) as office, served(office) as url:
        page = open_page(chromium, url, "wide")
        page.get_by_text("It is meant to be so").click()  # it has the focus now

        office.journal.commit(aside("plan/sheet-02.dgn", "refused"))

        expect(page.locator("#headline h1")).to_contain_text("2 things", timeout=9000)
        expect(page.get_by_role("button", name="Approve")).to_be_visible()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_url("**/?done=approve")
        asked = office.asked()
        page.context.close()

    assert [kind for kind, _ in asked] == ["approve"]


def test_everything_can_be_pressed_by_keyboard(chromium: Browser, tmp_path: Path) -> None:
    """Some people use no mouse; the order is that of the page, and the focus is seen."""
    with open_office(tmp_path, aside("b.dgn", "locked")) as office, served(office) as url:
        page = open_page(chromium, url, "wide")
        order = []
        for _ in range(6):
            page.keyboard.press("Tab")
            order.append(page.evaluate("document.activeElement.textContent.trim().slice(0, 24)"))
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none"
        page.context.close()

    assert order[0] == "Skip to the content"
    assert any(text.startswith("Try again") for text in order)


def test_the_policy_lets_our_own_script_and_style_run(chromium: Browser, tmp_path: Path) -> None:
    """A policy that is too strict leaves a page without style, and nobody notices in a test."""
    with open_office(tmp_path, Decision()) as office, served(office) as url:
        context = chromium.new_context()
        page = context.new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        with page.expect_request("**/live"):
            page.goto(url)
        width = page.evaluate("getComputedStyle(document.querySelector('main')).maxWidth")
        context.close()

    assert said == []
    assert width == "992px"
