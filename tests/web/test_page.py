# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""The page without a browser: what it shows, what can be pressed, and who may."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

from twinsyncd.core.decision import Decision
from twinsyncd.core.events import Event, EventKind
from twinsyncd.core.model import ConnectionRow, FileKey, FileRow, SourceRow
from twinsyncd.runtime.page_data import OPEN_FILES

from .page_scene import BRIDGE, CAD, LOOK, NOW_S, Office, open_office
from .states import CHANGED, STATES, State, aside, office_in

TOKEN = "correct-horse-battery-staple"
WITH_TOKEN = f'token = "{TOKEN}"'


HELD = Decision(
    sources=(
        SourceRow(
            CAD,
            identity="d1",
            offline="40 of 41 files are gone at once",
            offline_since_s=NOW_S - 60.0,
            needs_person=True,
            drive="d1",
            missing_count=40,
            missing_mark="0f",
        ),
    )
)


def page_of(folder: Path, state: State) -> str:
    """Return the first page in a state."""
    with office_in(state, folder) as office:
        return office.browser.get("/").text


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
def test_each_state_is_understood_from_the_page_alone(state: State, tmp_path: Path) -> None:
    """Whoever is called at night reads what it is, since when, and what to do."""
    text = page_of(tmp_path, state)

    assert [word for word in state.words if word not in text] == []
    assert state.kind is not None
    assert f'<span class="kind">{state.kind.value}</span>' in text


def test_the_machines_of_a_shared_journal_are_named_with_what_they_serve(tmp_path: Path) -> None:
    """`status` on any of them says it; the page of one hid that the others are there."""
    shared = next(each for each in STATES if each.machines)

    text = re.sub(r"<[^>]+>", " ", page_of(tmp_path / "shared", shared))
    alone = page_of(tmp_path / "alone", replace(shared, machines=()))

    cards, _, listed = " ".join(text.split()).partition("Machines")
    assert cards.count("current , last change synced") == 1, "of the one that is served"
    assert "Roof not known : all was synced, but no machine looks at its folders now" in cards
    assert "cad-1 serves 1 connection since 2025-11-27" in listed
    assert "Bridge 12 cad-2 not running , last alive 2025-11-27" in listed
    assert "Machines</h2>" not in alone


@pytest.mark.parametrize(
    ("name", "folders"), [("disk full", 2), ("daemon hangs", 2), ("no machine serves", 1)]
)
def test_a_folder_that_nobody_looks_at_is_not_called_watched(
    name: str, folders: int, tmp_path: Path
) -> None:
    """Green at the end of the page denied what its top had said."""
    text = page_of(tmp_path, next(each for each in STATES if each.name == name))

    assert text.count('<b class="level bad">not looked at</b> now, see above') == folders
    assert text.count(">watched</b>") == 2 - folders


def test_a_day_on_which_all_is_well_needs_nobody(tmp_path: Path) -> None:
    """A page that always has something to say is not read."""
    with open_office(tmp_path) as office:
        text = office.browser.get("/").text

    assert "In sync" in text
    assert "Needs a person" not in text
    assert "current</b>, last change synced" in text


@pytest.mark.parametrize(
    "name", ["share offline", "share emptied", "unreadable file", "nothing matches", "disk full"]
)
def test_where_not_everything_is_known_no_list_says_that_all_is_synced(
    name: str, tmp_path: Path
) -> None:
    """Below the folder that is on hold stood "every known file is synced" (P12)."""
    state = next(each for each in STATES if each.name == name)

    text = page_of(tmp_path, state)

    assert "every known file is synced" not in text
    assert "Nothing that is known of" in text


@pytest.mark.parametrize("name", ["disk full", "daemon hangs"])
def test_nothing_is_current_while_the_daemon_sees_no_change(name: str, tmp_path: Path) -> None:
    """What was true an hour ago is not known now (P12)."""
    text = page_of(tmp_path, next(each for each in STATES if each.name == name))

    assert "not known</b>: all was synced, but changes since" in text
    assert "current</b>, last change" not in text


def test_files_that_need_a_person_come_first_however_many_others_wait(tmp_path: Path) -> None:
    """The one file that will never go on by itself must not hide behind a first upload."""
    waiting = [
        FileRow(FileKey(CAD, f"a/{number}.dgn"), LOOK, "b" * 64, seen_s=NOW_S)
        for number in range(OPEN_FILES + 1)
    ]
    with open_office(
        tmp_path, Decision(files=tuple(waiting)), aside("z/last.dgn", "locked")
    ) as office:
        report = office.report()

    assert report.open_files[0].path == "z/last.dgn"
    assert report.open_total == OPEN_FILES + 2


def test_what_was_pressed_is_a_request_to_the_daemon(tmp_path: Path) -> None:
    """The page decides nothing; a request survives a crash and is in the history."""
    with open_office(tmp_path, aside("b.dgn", "locked"), HELD) as office:
        codes = [
            office.press("sync"),
            office.press("retry"),
            office.press("retry", source=CAD, path="b.dgn"),
            office.press("approve", source=CAD, drive="d1", missing="40", mark="0f"),
            office.press("pause", connection=BRIDGE),
            office.press("publish", connection=BRIDGE),
            office.press("resume", connection=BRIDGE),
        ]
        asked = office.asked()

    assert codes == [303] * 7
    assert asked == [
        ("sync", ""),
        ("retry", ""),
        ("retry", json.dumps([CAD, "b.dgn"])),
        ("approve", json.dumps([[CAD, "d1", 40, "0f"]])),
        ("pause", json.dumps(BRIDGE)),
        ("publish", json.dumps(BRIDGE)),
        ("resume", json.dumps(BRIDGE)),
    ]


@pytest.mark.parametrize(
    ("drive", "missing", "mark", "taken"),
    [
        ("d1", "40", "0f", True),
        ("d1", "39", "0f", False),
        ("d2", "40", "0f", False),
        ("d1", "40", "ff", False),
    ],
)
def test_an_approval_of_what_has_changed_meanwhile_is_refused_at_once(
    drive: str, missing: str, mark: str, taken: bool, tmp_path: Path
) -> None:
    """The page said "Approved", and the same question stood below it again."""
    with open_office(tmp_path, HELD) as office:
        office.press("approve", source=CAD, drive=drive, missing=missing, mark=mark)
        text = office.browser.get(office.landed).text
        asked = office.asked()

    assert bool(asked) is taken
    assert ("Approved what was listed" in text) is taken
    assert ("Not approved: what is missing has changed" in text) is not taken


def test_a_pause_is_shown_with_the_way_out(tmp_path: Path) -> None:
    """Whoever paused it for a meeting may forget it for a week."""
    paused = ConnectionRow(BRIDGE, "c1", NOW_S, paused_s=NOW_S - 7200.0)
    with open_office(tmp_path, Decision(connections=(paused,))) as office:
        text = office.browser.get("/").text

    assert '<span class="kind">paused</span>' in text
    assert "for 2 h" in text
    assert "Go on" in text


def test_an_approval_is_only_for_what_was_shown(tmp_path: Path) -> None:
    """If more is missing by the time it is pressed, the daemon must ask again."""
    state = next(each for each in STATES if each.name == "mass deletion")
    text = page_of(tmp_path, state)

    assert 'name="missing" value="25"' in text
    assert 'name="drive" value="d1"' in text
    assert 'name="mark" value="0123456789abcdef"' in text
    assert "reported, and kept in Storage and in the iModel" in text


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ({}, "wrong"),
        ({"Origin": "http://evil.example.com"}, ""),
        ({"Sec-Fetch-Site": "cross-site"}, ""),
    ],
)
def test_another_site_can_press_nothing(headers: dict[str, str], key: str, tmp_path: Path) -> None:
    """A page of the internet can send a form to 127.0.0.1, but must not approve a deletion."""
    with open_office(tmp_path) as office:
        ours = form_key(office)
        answer = office.browser.post(
            "/ask", data={"key": key or ours, "action": "sync"}, headers=headers
        )
        asked = office.asked()

    assert answer.status_code == 403
    assert asked == []


def test_a_form_that_is_not_ours_is_refused_whatever_it_holds(tmp_path: Path) -> None:
    """Odd input must neither be an error of ours nor a request."""
    with open_office(tmp_path) as office:
        key = form_key(office)
        bodies = [b"\xff\xfe", b"a=1&" * 200, b"x" * 200_000, f"key={key}".encode()]
        codes = [office.browser.post("/ask", content=body).status_code for body in bodies]
        codes += [
            office.press("approve", source=CAD, drive="d1", missing="many"),
            office.press("destroy"),
        ]
        asked = office.asked()

    assert codes == [403, 403, 403, 400, 400, 400]
    assert asked == []


@pytest.mark.parametrize("host", ["evil.example.com", "127.0.0.1.nip.example", "", "[::2]:8470"])
def test_a_name_that_is_not_ours_is_refused(host: str, tmp_path: Path) -> None:
    """A foreign name that resolves to 127.0.0.1 would read the page (DNS rebinding)."""
    with open_office(tmp_path) as office:
        refused = office.browser.get("/", headers={"Host": host})

    assert refused.status_code == 421
    assert CAD not in refused.text


@pytest.mark.parametrize(
    "host", ["localhost:8470", "127.0.0.1", "[::1]:8470", "LOCALHOST", "sync.example.com:443"]
)
def test_our_own_names_are_answered(host: str, tmp_path: Path) -> None:
    """A tunnel or a proxy uses another port, and a configured name."""
    with open_office(tmp_path, page='names = ["sync.example.com"]') as office:
        assert office.browser.get("/", headers={"Host": host}).status_code == 200


def test_without_the_token_nothing_is_shown(tmp_path: Path) -> None:
    """Names of projects and files are not for everybody in a network."""
    with open_office(tmp_path, page=WITH_TOKEN) as office:
        browser = office.browser
        plain = [browser.get(path) for path in ("/", "/files?q=a", "/live", "/nothing")]
        person = browser.get("/", headers={"Accept": "text/html"})
        wrong = browser.get("/", headers={"Authorization": "Bearer wrong"})
        right = browser.get("/", headers={"Authorization": f"Bearer {TOKEN}"})

    assert {answer.status_code for answer in plain} == {401}
    assert (person.status_code, person.headers["location"]) == (303, "/sign-in")
    assert wrong.status_code == 401
    assert right.status_code == 200


def test_the_token_is_entered_once_in_a_browser(tmp_path: Path) -> None:
    """The cookie must not hold the token, and no script may read it."""
    with open_office(tmp_path, page=WITH_TOKEN) as office:
        browser = office.browser
        key = browser.get("/sign-in").text.partition('name="key" value="')[2].partition('"')[0]
        wrong = browser.post("/sign-in", data={"key": key, "token": "guess"})
        right = browser.post("/sign-in", data={"key": key, "token": TOKEN})
        seen = browser.get("/")
        cookie = right.headers["set-cookie"]
        browser.cookies.set("twinsyncd", "99999999999.forged")
        forged = browser.get("/")

    assert wrong.status_code == 403
    assert seen.status_code == 200
    assert forged.status_code == 401
    assert TOKEN not in cookie
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()


def test_no_secret_reaches_the_page(tmp_path: Path) -> None:
    """Texts of services hold signed addresses and tokens (P11)."""
    text = (
        "PUT https://host.blob.example.com/c/b?sig=S3CR3T&se=2026 failed,"
        " Bearer abcdefghijklmnop, https://u:pw-S3CR3T@example.com/,"
        " https://s3.example.com/x?X-Goog-Signature=S3CR3T"
    )
    event = Event(EventKind.FILE_SET_ASIDE, NOW_S, BRIDGE, CAD, "b.dgn", text=text)
    with open_office(tmp_path, aside("b.dgn", text), Decision(events=(event,))) as office:
        shown = [
            office.browser.get(path).text
            for path in ("/", f"/file?source={quote(CAD)}&path=b.dgn", "/files?q=b.dgn")
        ]

    for page in shown:
        assert "b.dgn" in page
        assert "S3CR3T" not in page
        assert "abcdefghijklmnop" not in page
        assert "hunter2-secret" not in page


def test_words_of_a_files_history_stand_apart(tmp_path: Path) -> None:
    """It read "file.syncedsha256"."""
    event = Event(EventKind.FILE_SYNCED, NOW_S, BRIDGE, CAD, "b.dgn", digest="b" * 64)
    with open_office(tmp_path, Decision(events=(event,))) as office:
        shown = office.browser.get(f"/file?source={quote(CAD)}&path=b.dgn").text

    assert "<b>file.synced</b> <span" in shown


def test_names_are_shown_as_they_are_and_run_nothing(tmp_path: Path) -> None:
    """A file's name is whatever somebody typed: markup, control and bidirectional characters."""
    path = "<script>alert(1)</script>/a\u202egnd.\x1b[31m'\".dgn"
    with open_office(tmp_path, aside(path, "<b>no</b>\r\nInjected: yes")) as office:
        shown = office.browser.get("/").text
        file = office.browser.get(f"/file?source={quote(CAD)}&path={quote(path)}")
        pressed = office.press("retry", source=CAD, path=path)
        asked = office.asked()

    assert "<script>alert" not in shown + file.text
    assert "<b>no" not in shown
    assert "\u202e" not in shown + file.text
    assert "a\\u202egnd" in shown
    assert file.status_code == 200
    assert (pressed, asked) == (303, [("retry", json.dumps([CAD, path]))])


def test_every_answer_forbids_scripts_of_others(tmp_path: Path) -> None:
    """What slips through the escaping must still not run, frame or leave the machine."""
    with open_office(tmp_path) as office:
        answers = [office.browser.get(path) for path in ("/", "/nothing", "/static/page.css")]
        office.browser.headers["Host"] = "evil.example.com"
        answers.append(office.browser.get("/"))

    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_nothing_comes_from_the_internet(tmp_path: Path) -> None:
    """A server room has no internet, and nobody outside learns that somebody looks."""
    with open_office(tmp_path) as office:
        text = office.browser.get("/").text

    assert 'src="http' not in text
    assert 'href="http' not in text
    assert "style=" not in text, "the policy forbids styles in the page"


def test_a_files_page_shows_its_state_and_history(tmp_path: Path) -> None:
    """Who asks about one drawing sees what happened to it, and can try it again."""
    with open_office(tmp_path, aside("plan/sheet-01.dgn", "the connector refused it")) as office:
        found = office.browser.get("/files?q=SHEET-01").text
        file = office.browser.get(f"/file?source={quote(CAD)}&path=plan/sheet-01.dgn")
        unknown = office.browser.get("/file?source=x&path=y")

    assert f"/file?source={quote(CAD)}&amp;path=plan/sheet-01.dgn" in found
    assert "the connector refused it" in file.text
    assert "file.synced" in file.text
    assert "Try again" in file.text
    assert unknown.status_code == 404


def test_a_journal_that_cannot_be_read_is_said_and_is_no_traceback(tmp_path: Path) -> None:
    """The page must be of use just then (P15)."""
    with open_office(tmp_path, Decision(files=(CHANGED,))) as office:
        state = office.config.daemon.state_folder
        assert state is not None
        office.journal.close()
        for file in state.glob("journal.sqlite*"):
            file.write_bytes(b"no database at all" * 100)
        answer = office.browser.get("/")

    assert answer.status_code == 503
    assert "Nothing can be shown" in answer.text
    assert "Traceback" not in answer.text


def form_key(office: Office) -> str:
    """Return the key that a page of ours has in its forms."""
    return office.browser.get("/").text.partition('name="key" value="')[2].partition('"')[0]


def test_the_headline_reads_as_words_on_its_own_line(tmp_path: Path) -> None:
    """The colon that joins state and detail in one line of a terminal begins no line here."""
    waiting = next(each for each in STATES if each.name == "throttled")
    hanging = next(each for each in STATES if each.name == "daemon hangs")

    text, stopped = page_of(tmp_path / "a", waiting), page_of(tmp_path / "b", hanging)

    assert '<span class="rest">not everything is in the iModel yet</span>' in text
    assert "The daemon is" not in stopped
    assert re.search(r"Daemon: <b[^>]*>hangs</b>: process", stopped)
