"""The HTML pages: what they show, to whom, and that no name becomes markup."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from platform_scene import Platform

from localtwin.api.pages.html import lasted, size
from localtwin.world.world import World

pytest_plugins = ["platform_fixtures"]

HOSTILE = "<script>alert(1)</script>&\"'"
HERE = {"Host": "127.0.0.1:8080"}


class Text(HTMLParser):
    """The text that a reader sees, and the elements around it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.elements: set[str] = set()
        self.feed(page)
        self.seen = re.sub(r"\s+", " ", " ".join(self.words))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)

    def handle_data(self, data: str) -> None:
        self.words.append(data.strip())


def look(platform: Platform, path: str) -> Text:
    """Read a page as a browser on this machine does."""
    request = platform.build_request("GET", path, headers=HERE)
    del request.headers["Authorization"]
    answer = platform.send(request)
    assert answer.status_code == 200
    assert "script" not in answer.headers["content-security-policy"]
    return Text(answer.text)


@pytest.fixture
def imodel_id(platform: Platform) -> str:
    """An iModel that a connection has brought a good and a broken file to."""
    imodel_id = platform.new_imodel("Bridge " + HOSTILE)
    good = platform.upload("walls.ifc", b"a\nb\nc")
    broken = platform.upload("gründung & pfähle.ifc", b"bad")
    platform.run(platform.connect(imodel_id, good, broken))
    return imodel_id


@pytest.mark.parametrize("path", ["/", "/view/{}"])
def test_a_page_can_be_used_by_keyboard_and_screen_reader(
    platform: Platform, imodel_id: str, path: str
) -> None:
    """A wide table on a telephone scrolls; what scrolls must be reached and have a name."""
    request = platform.build_request("GET", path.format(imodel_id), headers=HERE)
    text = platform.send(request).text

    tables = re.findall(r'<div class="wide"[^>]*>', text)
    assert text.count("<main>") == 1
    assert tables
    assert all('tabindex="0" role="region" aria-label="' in each for each in tables)
    assert "<th></th>" not in text
    assert "<td>" not in text, "a telephone shows no titles, so each cell names its own"
    assert "background:#111418" in text, "colours are told for the dark, not left to the browser"


def test_the_first_page_leads_to_every_imodel_and_says_how_it_is(
    platform: Platform, imodel_id: str
) -> None:
    """A look must answer: is anything wrong, and where."""
    page = platform.get("/", headers=HERE).text

    seen = Text(page).seen
    assert f'href="/view/{imodel_id}"' in page
    assert "Bridge " + HOSTILE + " 1 1 " in seen  # connections, changesets
    assert "failed" in seen or "succeeded in part" in seen


def test_an_imodels_page_lists_runs_file_by_file_and_changesets_with_counts(
    platform: Platform, imodel_id: str
) -> None:
    """Whoever opens it wants to know which file, why, and what to do."""
    seen = look(platform, f"/view/{imodel_id}").seen

    assert "gründung & pfähle.ifc : It can't be read. Save it." in seen
    assert re.search(r"1 \d{4}-\d\d-\d\d \d\d:\d\d:\d\d 3 0 0 7 B walls\.ifc", seen)
    assert "Office storage connection" in seen


def test_the_remarks_of_a_run_are_shown(platform: Platform) -> None:
    """A file that lost its objects is a success that somebody should look at."""
    imodel_id = platform.new_imodel()
    file = platform.upload("walls.ifc", b"a\nb")
    connection = platform.connect(imodel_id, file)
    platform.run(connection)
    before = look(platform, f"/view/{imodel_id}").seen
    platform.replace(file, b"a")

    platform.run(connection)

    assert "Half of it is gone." not in before
    assert "walls.ifc : Half of it is gone." in look(platform, f"/view/{imodel_id}").seen


def test_a_changeset_is_shown_with_its_plan_view(platform: Platform, imodel_id: str) -> None:
    """A picture says at once what a list of counts does not."""
    address = f"/view/{imodel_id}/changesets/1.svg"
    page = platform.get(f"/view/{imodel_id}", headers=HERE)

    picture = platform.get(address, headers=HERE)

    assert f'<img src="{address}"' in page.text
    assert "img-src 'self'" in page.headers["content-security-policy"]
    assert picture.headers["content-type"] == "image/svg+xml"
    assert picture.text == "<svg/>"


def test_a_changeset_without_a_picture_is_shown_without_one(
    platform: Platform, imodel_id: str
) -> None:
    """The first release drew none."""
    for file in platform.world.imodels.folder(imodel_id).rglob("*.svg"):
        file.unlink()

    assert "<img" not in platform.get(f"/view/{imodel_id}", headers=HERE).text
    for index in (1, 2):
        address = f"/view/{imodel_id}/changesets/{index}.svg"
        assert platform.get(address, headers=HERE).status_code == 404


def test_pictures_are_shown_on_this_machine_only(platform: Platform, imodel_id: str) -> None:
    """They show what is in the office's drawings."""
    answer = platform.get(f"/view/{imodel_id}/changesets/1.svg", headers={"Host": "evil.example"})

    assert answer.status_code == 421


def test_no_name_becomes_markup(platform: Platform, imodel_id: str) -> None:
    """Names come from whoever can write to the drive."""
    elements = look(platform, "/").elements | look(platform, f"/view/{imodel_id}").elements

    assert "script" not in elements


def test_a_new_world_says_how_to_begin(platform: Platform) -> None:
    """An empty table teaches nobody anything."""
    imodel_id = platform.new_imodel("Empty")

    assert "No connection yet" in look(platform, f"/view/{imodel_id}").seen
    assert "twinsyncd.toml" in look(platform, "/").seen


def test_what_goes_on_is_shown_as_going_on(world: World) -> None:
    """And the page comes again by itself, so that nobody has to reload."""
    with Platform(world) as platform:
        imodel_id = platform.new_imodel("Busy")
        connection = platform.connect(imodel_id, platform.upload("a.ifc", b"a"))
        path = f"/synchronization/imodels/storageconnections/{connection}/run"
        assert platform.post(path).status_code == 202

        pages = [platform.get(path, headers=HERE).text for path in ("/", f"/view/{imodel_id}")]

    assert all("waiting" in Text(page).seen for page in pages)
    assert all('http-equiv="refresh"' in page for page in pages)


def test_an_imodel_that_is_gone_leads_back(platform: Platform) -> None:
    """A bookmark outlives what it points to."""
    answer = platform.get("/view/7dbd531d-6967-47b2-8945-a722a437ad7a", headers=HERE)

    assert answer.status_code == 404
    assert 'href="/"' in answer.text


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8080", 200),
        ("localhost", 200),
        ("[::1]:8080", 200),
        ("cloud", 421),
        ("127.0.0.1.example.org", 421),
    ],
)
def test_only_a_browser_that_knows_it_is_here_sees_the_page(
    platform: Platform, host: str, status: int
) -> None:
    """A stranger's page whose name was pointed at this machine must not read it."""
    answers = [platform.get(path, headers={"Host": host}) for path in ("/", "/view/a")]

    assert answers[0].status_code == status
    assert (answers[1].status_code == 421) == (status == 421)


def test_the_page_shows_no_secret(platform: Platform, imodel_id: str) -> None:
    """It is read over shoulders and pasted into questions."""
    secret = platform.world.credentials.client_secret

    assert secret not in platform.get("/", headers=HERE).text
    assert str(platform.world.folder) in look(platform, "/").seen


@pytest.mark.parametrize(
    ("size_bytes", "said"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (5 << 20, "5.0 MiB"), (3 << 40, "3.0 TiB")],
)
def test_sizes_have_the_unit_that_fits(size_bytes: int, said: str) -> None:
    """Nobody counts digits."""
    assert size(size_bytes) == said


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        (None, ""),
        ("2026-03-01T12:00:05.1230000Z", "5.1 s"),
        ("2026-03-01T12:03:05.0000000Z", "3 min 5 s"),
        ("2026-03-01T14:00:59.9990000Z", "2 h 1 min"),
    ],
)
def test_durations_have_the_unit_that_fits(ended: str | None, said: str) -> None:
    """Nobody divides by sixty."""
    assert lasted("2026-03-01T12:00:00.0000000Z", ended) == said
