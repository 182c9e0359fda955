"""The HTML pages in a real browser: readable by everybody, on a telephone, in the dark."""

from __future__ import annotations

import pytest
from platform_scene import Platform

from web.browser import VIEWS, browser, is_too_wide, keep, violations

pytest_plugins = ["platform_fixtures"]

ASKED = "response_type=code&code_challenge=x&code_challenge_method=S256&scope=itwin-platform"
RETURN = "redirect_uri=http://localhost:3000/callback"
HERE = {"Host": "127.0.0.1:8080"}


def pages(platform: Platform, imodel_id: str) -> list[tuple[str, str, int]]:
    """Return name, path and expected status of each page."""
    sign_in = f"/connect/authorize?{ASKED}&{RETURN}"
    return [
        ("home", "/", 200),
        ("imodel", f"/view/{imodel_id}", 200),
        ("no imodel", f"/view/{platform.itwin_id}", 404),
        ("sign-in", f"{sign_in}&client_id=native-localtwin", 200),
        ("unknown client", f"{sign_in}&client_id=another", 400),
        ("signed out", "/connect/endsession", 200),
        ("no consent", "/connect/consent?request=forged", 400),
    ]


def test_every_page_can_be_read_by_everybody(platform: Platform) -> None:
    """The pages of a sign-in had no language, no title, no margin and no colours for the dark."""
    imodel_id = platform.new_imodel("Bridge 12")
    for good, bad in (("walls.ifc", "wall.ifc"), ("roofs.ifc", "roof.ifc")):
        files = platform.upload(good, b"a\nb\nc"), platform.upload(bad, b"bad")
        platform.run(platform.connect(imodel_id, *files))
    answers = [
        (name, platform.get(path, headers=HERE), status)
        for name, path, status in pages(platform, imodel_id)
    ]  # before the browser, whose loop leaves no room for that of the platform
    assert [(name, answer.status_code) for name, answer, _ in answers] == [
        (name, status) for name, _, status in answers
    ]

    with browser() as chromium:
        for view in ("wide", "narrow-dark"):
            size, scheme = VIEWS[view]
            context = chromium.new_context(viewport=size, color_scheme=scheme)
            for name, answer, _ in answers:
                page = context.new_page()
                page.set_content(answer.text)
                keep(page, f"localtwin {name} {view}".replace(" ", "-"))

                assert violations(page) == [], name
                assert not is_too_wide(page), name
                assert page.get_by_role("heading", level=1).count() == 1, name
                page.close()
            context.close()


@pytest.mark.parametrize(
    "path", ["/connect/authorize?client_id=x&redirect_uri=y", "/connect/endsession"]
)
def test_no_site_shows_a_question_in_a_frame(platform: Platform, path: str) -> None:
    """A person would press a button that they do not see."""
    answer = platform.get(path, headers=HERE)

    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
