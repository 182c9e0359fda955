# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""Messages on their way: what they say, that a restart repeats none, and targets that fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from twinsyncd.errors import JournalError
from twinsyncd.journal.figures import Figures
from twinsyncd.journal.notices import Alert, Notice
from twinsyncd.notify.notifier import GIVE_UP_S, PING, Habits, Notifier, digest_moment_s
from twinsyncd.runtime.conditions import Kind
from twinsyncd.runtime.report import Report
from web.page_scene import CAD, NOW_S, Office, open_office
from web.states import STATES, State, aside, office_in

HOUR_S, DAY_S = 3600.0, 86_400.0


@dataclass
class Mailbox:
    """A target that keeps what it gets, or says why not."""

    id: str
    error: str = ""
    got: list[tuple[str, str]] = field(default_factory=list)
    tries: int = 0

    @property
    def name(self) -> str:
        return f"Mail {self.id}"

    def send(self, title: str, body: str) -> str:
        self.tries += 1
        if not self.error:
            self.got.append((title, body))
        return self.error

    def titles(self) -> list[str]:
        """Return the titles of what it got."""
        return [title for title, _ in self.got]


@dataclass
class OfficeFacts:
    """The office's state at a time that a test sets."""

    office: Office
    at_s: float = NOW_S
    fails: bool = False

    def now_s(self) -> float:
        return self.at_s

    def report(self) -> Report:
        if self.fails:
            raise JournalError("the disk is full", hint="make room")
        return self.office.report()

    def figures(self, since_s: float) -> Figures:
        return self.office.data.figures(since_s)


class BrokenJournal:
    """A journal that cannot be written."""

    def __init__(self, office: Office) -> None:
        self._journal = office.journal
        self.read_notices = self._journal.read_notices
        self.write_outlet = self._journal.write_outlet

    def save_notices(
        self, alerts: Sequence[Alert], changed: Sequence[Notice], now_s: float
    ) -> None:
        raise JournalError("no space left on device", may_pass=True)


def told(folder: Path, state: State) -> Mailbox:
    """Return what a mailbox got within an hour of a state."""
    mailbox = Mailbox("a")
    with office_in(state, folder) as office:
        facts = OfficeFacts(office)
        notifier = Notifier(facts, office.journal, [mailbox])
        notifier.tick()
        facts.at_s += HOUR_S
        notifier.tick()
    return mailbox


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
def test_each_state_is_understood_from_the_message_alone(state: State, tmp_path: Path) -> None:
    """It is read on a telephone, by somebody who cannot look at the page now."""
    mailbox = told(tmp_path, state)

    assert len(mailbox.got) == 1
    title, body = mailbox.got[0]
    assert state.kind is not None
    assert state.kind.value in title + body
    assert title.startswith("Needs a person: ") is (state.level.value == "bad")
    buttons = ("Approve", "Try again", "Try again now", "40 missing files", "2 h")
    words = [each for each in state.words if "href" not in each and each not in buttons]
    assert [each for each in words if each not in title + body] == []
    assert "to do: " in body
    assert "since 20" in body


def test_a_restart_repeats_nothing_and_forgets_nothing(tmp_path: Path) -> None:
    """A service that restarts at night must not wake everybody again."""
    mailbox = Mailbox("a")
    with open_office(tmp_path, aside("b.dgn", "locked")) as office:
        facts = OfficeFacts(office)
        for _ in range(3):
            Notifier(facts, office.journal, [mailbox]).tick()  # as after a restart
            facts.at_s += 120.0
        office.journal.commit(aside("b.dgn", ""))
        office.data._kept.clear()
        for _ in range(3):
            Notifier(facts, office.journal, [mailbox]).tick()
            facts.at_s += 120.0

    assert mailbox.titles() == [
        f"Needs a person: {CAD}/b.dgn: set aside",
        f"Over: {CAD}/b.dgn: set aside",
    ]


def test_many_files_are_one_line_with_a_few_names(tmp_path: Path) -> None:
    """Whoever gets four hundred names reads none."""
    mailbox = Mailbox("a")
    rows = [aside(f"sheet-{number:03}.dgn", "locked") for number in range(40)]
    with open_office(tmp_path, *rows) as office:
        facts = OfficeFacts(office)
        notifier = Notifier(facts, office.journal, [mailbox])
        notifier.tick()
        facts.at_s += 120.0
        notifier.tick()

    title, body = mailbox.got[0]
    assert title == f"Needs a person: {CAD}/sheet-000.dgn: set aside (and 39 more)"
    assert "Bridge 12: 40 times set aside" in body
    assert "and 35 more" in body
    assert body.count("\n") < 10


def test_a_target_that_fails_is_tried_again_and_shown_and_holds_up_no_other(
    tmp_path: Path,
) -> None:
    """A mail server is away just when it matters; chat goes on."""
    good, bad = Mailbox("good"), Mailbox("bad", error="connection refused")
    with open_office(tmp_path, aside("b.dgn", "locked")) as office:
        facts = OfficeFacts(office)
        notifier = Notifier(facts, office.journal, [bad, good])
        notifier.tick()
        facts.at_s += 120.0
        for _ in range(100):
            notifier.tick()
            facts.at_s += 10.0
        tries = bad.tries
        office.data._kept.clear()
        shown = dict(office.report().outlets)
        bad.error = ""
        facts.at_s += HOUR_S
        Notifier(facts, office.journal, [bad, good]).tick()  # after a restart as well

    assert len(good.got) == 1
    assert 3 <= tries <= 6, "a thousand seconds, growing from half a minute"
    assert "connection refused" in str(shown["Mail bad"])
    assert shown["Mail good"].level.value == "good"
    assert bad.titles() == good.titles()


def test_a_target_that_never_comes_back_is_given_up(tmp_path: Path) -> None:
    """A message of last week helps nobody, and must not be tried for ever."""
    bad = Mailbox("bad", error="gone")
    with open_office(tmp_path, aside("b.dgn", "locked")) as office:
        facts = OfficeFacts(office)
        notifier = Notifier(facts, office.journal, [bad])
        notifier.tick()
        facts.at_s += 120.0
        notifier.tick()
        facts.at_s += GIVE_UP_S + HOUR_S
        notifier.tick()
        left = office.journal.read_notices().notices

    assert [notice.kind for notice in left if notice.made_s < facts.at_s - DAY_S] == []


def test_what_stays_is_told_to_more_people(tmp_path: Path) -> None:
    """If the first person is on holiday, somebody else must hear of it, and of its end."""
    mailbox, lead = Mailbox("a"), Mailbox("lead")
    with open_office(tmp_path, aside("b.dgn", "locked")) as office:
        facts = OfficeFacts(office)
        notifier = Notifier(facts, office.journal, [mailbox], escalation=[lead])
        for later_s in (0.0, 120.0, 5 * HOUR_S):
            facts.at_s = NOW_S + later_s
            notifier.tick()
        office.journal.commit(aside("b.dgn", ""))
        office.data._kept.clear()
        for later_s in (6 * HOUR_S, 7 * HOUR_S):
            facts.at_s = NOW_S + later_s
            notifier.tick()

    assert len(mailbox.got) == 3
    assert [title.partition(" ")[0] for title in lead.titles()] == ["Still", "Over:"]


def test_a_full_disk_is_told_although_nothing_can_be_remembered(tmp_path: Path) -> None:
    """The journal that cannot be written is what people must hear of (P15)."""
    mailbox = Mailbox("a")
    with open_office(tmp_path, trouble="no space left on device") as office:
        facts = OfficeFacts(office)
        notifier = Notifier(facts, BrokenJournal(office), [mailbox])
        for _ in range(5):
            notifier.tick()
            facts.at_s += 60.0
        facts.fails = True
        notifier.tick()

    assert mailbox.titles() == ["Needs a person: the daemon: not working"]
    assert "no space left on device" in mailbox.got[0][1]


def test_the_digest_comes_once_a_day_at_its_time(tmp_path: Path) -> None:
    """Whoever trusts the silence wants to see once a day that it means something."""
    mailbox = Mailbox("a")
    moment_s = digest_moment_s((12, 30), NOW_S)
    assert moment_s is not None
    habits = Habits(digest=(12, 30))
    with open_office(tmp_path) as office:
        facts = OfficeFacts(office, at_s=moment_s - 60.0)
        notifier = Notifier(facts, office.journal, [mailbox], habits=habits)
        for later_s in (-60.0, 1.0, 60.0):
            facts.at_s = moment_s + later_s
            notifier.tick()
        once = len(mailbox.got)
        for later_s in (HOUR_S, 5 * HOUR_S, DAY_S + 2.0):
            facts.at_s = moment_s + later_s
            Notifier(facts, office.journal, [mailbox], habits=habits).tick()

    assert once == 1
    assert len(mailbox.got) == 2
    title, body = mailbox.got[0]
    assert title == "Daily digest: in sync"
    assert "Bridge 12: current" in body
    assert "saved to iModel: half within" in body


def test_pings_stop_while_the_daemon_hangs(tmp_path: Path) -> None:
    """A dead man who goes on pinging is not found."""
    pings: list[float] = []
    with open_office(tmp_path) as office:
        facts = OfficeFacts(office)

        def ping() -> str:
            pings.append(facts.at_s)
            return ""

        notifier = Notifier(facts, office.journal, [], ping=ping, habits=Habits(ping_every_s=300))
        for later_s in (0.0, 100.0, 301.0):
            facts.at_s = NOW_S + later_s
            notifier.tick()
        facts.fails = True
        facts.at_s += HOUR_S
        notifier.tick()
        office.data._kept.clear()
        outlets = [name for name, _ in office.report().outlets]

    assert pings == [NOW_S, NOW_S + 301.0]
    assert outlets == [PING]


def test_no_secret_is_in_a_message(tmp_path: Path) -> None:
    """Mail goes through many hands (P11)."""
    text = "PUT https://host.blob.example.com/c/b?sig=S3CR3T failed with Bearer abcdefghijkl"
    state = State("x", aside("b.dgn", text), Kind.FILE, STATES[0].level, ())
    mailbox = told(tmp_path, state)

    assert "host.blob.example.com" in mailbox.got[0][1]
    assert "S3CR3T" not in str(mailbox.got)
    assert "abcdefghijkl" not in str(mailbox.got)
