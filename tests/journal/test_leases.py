# mypy: disable-error-code="arg-type,list-item"
# Keys, ids and digests are written as plain text here.
"""Several machines share a journal on a real PostgreSQL server: one serves an iModel at a time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from journal_scene import WHOLE_DECISION
from sqlalchemy import text
from sqlalchemy.engine import Engine

from twinsyncd.core.decision import Decision
from twinsyncd.core.progress import Heartbeat
from twinsyncd.errors import JournalError, LeaseLost
from twinsyncd.journal import leases, requests
from twinsyncd.journal.database import open_database
from twinsyncd.journal.leases import Member, Share
from twinsyncd.journal.location import Server
from twinsyncd.journal.outlets import Outlet
from twinsyncd.journal.requests import Request
from twinsyncd.journal.views import Views
from twinsyncd.journal.writer import Journal

pytestmark = pytest.mark.xdist_group("postgres")

LANES = ["imodel", "imodel-2", "imodel-3", "imodel-4"]
SYNC = Request("sync")


@pytest.fixture
def engine(server: Server) -> Iterator[Engine]:
    """A journal on the server whose iModels nobody serves."""
    engine = open_database(server)
    leases.make_known(engine, LANES)
    yield engine
    engine.dispose()


def joined(engine: Engine, machine: str, *, is_standby: bool = False) -> Member:
    """Return a machine that begins to share the journal."""
    return leases.join(engine, machine, f"home of {machine}", "1.0", is_standby=is_standby)


def die(engine: Engine, member: Member) -> None:
    """Let as much time pass by the database's clock that the machine counts as dead."""
    with engine.begin() as connection:
        late = text("UPDATE machines SET until_s = until_s - 60 WHERE name = :name")
        connection.execute(late, {"name": member.machine})


def test_an_imodel_is_served_by_the_machine_that_took_it_first(engine: Engine) -> None:
    """Two that serve one would both upload its files and start its runs (P3)."""
    berlin, oslo = joined(engine, "berlin"), joined(engine, "oslo")

    assert leases.take(engine, berlin, LANES[:3]) == 3
    assert leases.take(engine, oslo, LANES) == 1
    assert leases.free_lanes(engine) == []
    assert leases.held(engine, oslo) == {"imodel-4": ""}
    assert leases.shares(engine) == [Share("berlin", 3, False), Share("oslo", 1, False)]


def test_the_indexes_of_few_rows_are_so_on_the_server(engine: Engine) -> None:
    """An index of a million rows for the one that is gone costs each commit."""
    named = text("SELECT indexdef FROM pg_indexes WHERE indexname = 'files_gone'")
    with engine.connect() as connection:
        made = set(connection.execute(named).scalars())

    assert made
    assert all("WHERE" in each for each in made)


def test_what_another_machine_is_just_taking_is_not_waited_for(engine: Engine) -> None:
    """A machine that freezes while it takes something must not stop all others (P14)."""
    oslo = joined(engine, "oslo")

    with engine.begin() as frozen:
        frozen.execute(text("SELECT lane FROM leases WHERE lane = 'imodel' FOR UPDATE"))

        assert leases.take(engine, oslo, LANES) == 3


def test_the_imodels_of_a_dead_machine_are_free_and_its_commits_fail(engine: Engine) -> None:
    """A process that was frozen wakes and goes on with what it was about to write (P3, P8)."""
    berlin, oslo = joined(engine, "berlin"), joined(engine, "oslo")
    leases.take(engine, berlin, LANES)
    journal = Journal(engine, berlin, lambda decision: [row.key for row in decision.lanes])
    journal.commit(WHOLE_DECISION)
    die(engine, berlin)

    assert not leases.renew(engine, berlin), "somebody may have its iModels already"
    assert leases.take(engine, oslo, LANES[:1]) == 1
    with pytest.raises(LeaseLost, match="imodel"):
        journal.commit(WHOLE_DECISION)
    journal.commit(Decision(lanes=(WHOLE_DECISION.lanes[0].__class__("imodel-2"),)))
    journal.close()


def test_a_taking_waits_for_a_commit_that_came_first(engine: Engine) -> None:
    """Between its look at the lease and its end a commit would be of a machine that lost it."""
    berlin, oslo = joined(engine, "berlin"), joined(engine, "oslo")
    leases.take(engine, berlin, LANES)
    die(engine, berlin)

    with engine.begin() as committing:
        leases.fence(committing, berlin, ["imodel"])

        assert leases.take(engine, oslo, LANES) == 3
    assert leases.take(engine, oslo, LANES) == 1


def test_a_restarted_machine_goes_on_at_once_and_its_former_process_does_not(
    engine: Engine,
) -> None:
    """After a crash nobody should wait for 20 s; its state folder shows that the other is dead."""
    before = joined(engine, "berlin")
    leases.take(engine, before, LANES)
    after = joined(engine, "berlin")

    assert after.token > before.token
    assert set(leases.held(engine, after)) == set(LANES)
    assert leases.held(engine, before) == {}
    assert not leases.renew(engine, before)
    assert leases.renew(engine, after)


def test_two_machines_of_one_name_are_refused(engine: Engine) -> None:
    """A cloned machine would take over the iModels of its original, again and again."""
    joined(engine, "berlin")

    with pytest.raises(JournalError, match='by the name "berlin"') as caught:
        leases.join(engine, "berlin", "another home", "1.0", is_standby=False)

    assert "machine in [daemon]" in caught.value.hint


def test_a_machine_with_less_work_is_given_what_it_wishes_for(engine: Engine) -> None:
    """It is given away by the one that serves it, once that one has ended doing so."""
    berlin, oslo = joined(engine, "berlin"), joined(engine, "oslo")
    leases.take(engine, berlin, LANES)

    leases.wish(engine, oslo, "berlin", {"imodel-2", "imodel-3", "imodel-4"}, 2)
    leases.wish(engine, oslo, "berlin", set(LANES), 2)
    wished = {lane for lane, by in leases.held(engine, berlin).items() if by}
    leases.hand_over(engine, berlin, wished)

    assert wished == {"imodel-2", "imodel-3"}
    assert set(leases.held(engine, oslo)) == wished
    assert set(leases.held(engine, berlin)) == set(LANES) - wished


def test_nothing_is_given_to_a_machine_that_died_meanwhile(engine: Engine) -> None:
    """It would be served by nobody until that is noticed."""
    berlin, oslo = joined(engine, "berlin"), joined(engine, "oslo")
    leases.take(engine, berlin, LANES)
    leases.wish(engine, oslo, "berlin", set(LANES), 1)
    die(engine, oslo)

    leases.hand_over(engine, berlin, ["imodel"])

    assert leases.held(engine, berlin) == dict.fromkeys(LANES, "")


def test_a_request_about_an_imodel_goes_to_whoever_serves_it_by_then(engine: Engine) -> None:
    """An approval that the dead machine did not read must reach its successor (P8)."""
    berlin, oslo = joined(engine, "berlin"), joined(engine, "oslo")
    leases.take(engine, berlin, LANES[:2])
    leases.take(engine, oslo, LANES[2:])
    numbers = requests.ask(engine, Request("pause"), 1.0, "imodel")

    assert [each.number for each in requests.open_requests(engine, berlin)] == list(numbers)
    assert requests.open_requests(engine, oslo) == []
    die(engine, berlin)
    leases.take(engine, oslo, LANES)
    assert [each.number for each in requests.open_requests(engine, oslo)] == list(numbers)


def test_a_request_for_all_is_handled_once_every_machine_did(engine: Engine) -> None:
    """`sync` says "in sync" of all iModels, not of those of the quickest machine (P12)."""
    berlin, oslo = joined(engine, "berlin"), joined(engine, "oslo")
    joined(engine, "standby", is_standby=True)
    leases.take(engine, berlin, LANES[:2])
    leases.take(engine, oslo, LANES)
    numbers = requests.ask(engine, SYNC, 1.0)
    mine, theirs = (requests.open_requests(engine, each) for each in (berlin, oslo))

    assert len(numbers) == len(mine) + len(theirs) == 2
    journal = Journal(engine, berlin)
    journal.commit(Decision(), [mine[0].number], 3.0)
    assert requests.handled_s(engine, *numbers) is None
    die(engine, oslo)
    requests.free_requests(engine)
    assert requests.open_requests(engine, berlin) == theirs
    journal.commit(Decision(), [theirs[0].number], 4.0)
    assert requests.handled_s(engine, *numbers)
    journal.close()


def test_status_shows_who_serves_what_and_what_holds_of_all(engine: Engine, server: Server) -> None:
    """A machine that is idle must not hide that another one is at work (P12)."""
    berlin, oslo = joined(engine, "berlin"), joined(engine, "oslo", is_standby=True)
    leases.take(engine, berlin, LANES[:3])
    leases.take(engine, oslo, LANES)
    for number, member in enumerate([berlin, oslo]):
        journal = Journal(engine, member)
        journal.register("1.0", 10.0 + number)
        journal.beat(20.0 + number, Heartbeat(bool(number), 2, unlisted=(f"cad {number}",)))
        journal.write_outlet(Outlet("page", f"http://{member.machine}"))
        journal.keep_outlets(["page"])
    views = Views(server)
    found = views.status()
    die(engine, berlin)
    without = views.status()
    views.close()
    journal.close()

    assert found.daemon is not None
    assert (found.daemon.is_idle, found.daemon.unsettled) == (False, 4)
    assert set(found.daemon.unlisted or ()) == {"cad 1", "cad 0"}
    assert [(each.name, set(each.lanes)) for each in found.machines] == [
        ("berlin", set(LANES[:3])),
        ("oslo", {"imodel-4"}),
    ]
    assert [each.name for each in found.outlets] == ["page of berlin", "page of oslo"]
    assert without.daemon is not None
    assert (without.daemon.is_idle, without.daemon.unsettled) == (True, 2)
    assert [each.is_alive for each in without.machines] == [False, True]


def test_a_machine_whose_clock_is_wrong_is_neither_dead_nor_silent(
    engine: Engine, server: Server
) -> None:
    """It would be said to hang, and `sync` would believe an older heartbeat (P12)."""
    berlin = joined(engine, "berlin")
    leases.take(engine, berlin, LANES)
    journal = Journal(engine, berlin)
    long_ago_s = 1.0
    journal.register("1.0", long_ago_s)
    journal.beat(long_ago_s, Heartbeat(is_idle=True, unsettled=0))
    numbers = requests.ask(engine, SYNC, long_ago_s)
    journal.commit(Decision(), numbers, long_ago_s)
    views = Views(server)
    before = views.status()
    journal.beat(long_ago_s, Heartbeat(is_idle=True, unsettled=0))
    after = views.status()
    views.close()
    journal.close()
    handled_s = requests.handled_s(engine, *numbers)

    assert handled_s is not None
    assert before.daemon is not None
    assert after.daemon is not None
    assert before.daemon.beat_s - before.clock_ahead_s < handled_s
    assert after.daemon.beat_s - after.clock_ahead_s > handled_s
