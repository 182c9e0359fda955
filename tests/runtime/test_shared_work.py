# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""What a machine can serve of a configuration that several share, and whom a request is for."""

from __future__ import annotations

from pathlib import Path

import pytest

from twinsyncd.config import Config, load
from twinsyncd.core.decision import Decision
from twinsyncd.core.facts import (
    ApproveAsked,
    PauseAsked,
    PersonFact,
    PublishAsked,
    RetryAsked,
    SyncAsked,
)
from twinsyncd.core.model import FileKey, FileRow, HeldSource, LaneRow, Phase
from twinsyncd.errors import ConfigError
from twinsyncd.journal import leases
from twinsyncd.journal.database import open_database
from twinsyncd.journal.leases import Member
from twinsyncd.journal.location import Server
from twinsyncd.runtime.addressees import lane_of
from twinsyncd.runtime.lease_keeper import WorkShare
from twinsyncd.runtime.setup_check.journal_server import server_results
from twinsyncd.runtime.shared_work import NOTIFIER, lanes_for, lanes_in, notifies_in, part_of
from twinsyncd.runtime.state import is_running, journal_of
from twinsyncd.runtime.wiring import open_engine

ONE = "0a1b2c3d-0000-4000-8000-000000000001"
TWO = "0a1b2c3d-0000-4000-8000-000000000002"
TEXT = """[auth]
client_id = "service-abc"
client_secret = "hunter2"

[daemon]
state_folder = "state"
journal = "{url}"
machine = "Berlin"
{daemon}

[notify]
ping_url = "https://ping.example.com/abc"

[[connection]]
name = "Bridge"
itwin_id = "0a1b2c3d-1111-4222-8333-444455556666"
imodel_id = "{one}"

  [[connection.source]]
  folder = "cad"
  machine = "berlin"

[[connection]]
name = "Station"
itwin_id = "0a1b2c3d-1111-4222-8333-444455556666"
imodel_id = "{two}"

  [[connection.source]]
  folder = "bim"
  machine = "oslo"
"""


def loaded(folder: Path, url: str = "postgresql://me@127.0.0.1/office", daemon: str = "") -> Config:
    """Return the configuration of a machine called Berlin."""
    for name in ("cad", "bim"):
        (folder / name).mkdir()
    file = folder / "twinsyncd.toml"
    file.touch(mode=0o600)
    file.write_text(TEXT.format(url=url, daemon=daemon, one=ONE, two=TWO), "utf-8")
    return load(file, {})


def test_a_machine_serves_only_what_it_reaches(tmp_path: Path) -> None:
    """A folder on another machine's own disk looks empty here (P7)."""
    config = loaded(tmp_path)
    share = WorkShare(Member("berlin", 1), lanes_for(config), lambda: True)

    assert share.lanes == {ONE, NOTIFIER}
    assert [each.name for each in part_of(config, share).connection] == ["Bridge"]
    assert notifies_in(share)


def test_a_decision_is_about_the_imodels_of_its_rows(tmp_path: Path) -> None:
    """A commit that leaves one out is not fenced for it."""
    lanes_of = lanes_in(loaded(tmp_path))
    file = FileRow(FileKey("Bridge/cad", "a.dgn"))
    lane = LaneRow(TWO, Phase.QUIET)

    assert set(lanes_of(Decision(files=(file,)))) == {ONE}
    assert set(lanes_of(Decision(files=(file,), lanes=(lane,)))) == {ONE, TWO}


@pytest.mark.parametrize(
    ("fact", "lane"),
    [
        (SyncAsked(), None),
        (RetryAsked(None), None),
        (RetryAsked(FileKey("Station/bim", "a.ifc")), TWO),
        (PauseAsked("Bridge"), ONE),
        (PublishAsked(None), None),
        (ApproveAsked((HeldSource("Bridge/cad", "d", 1, "m"),)), ONE),
        (
            ApproveAsked(
                (HeldSource("Bridge/cad", "d", 1, "m"), HeldSource("Station/bim", "d", 1, "m"))
            ),
            None,
        ),
    ],
    ids=str,
)
def test_a_request_is_for_the_imodel_that_it_is_about(
    tmp_path: Path, fact: PersonFact, lane: str | None
) -> None:
    """Another machine would mark it as handled and do nothing (P8)."""
    assert lane_of(loaded(tmp_path), fact) == lane


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://me:hunter2@db/office", "there is a password in the address"),
        ("postgresql://me@db/office?password=hunter2", "there is a password in the address"),
        ("mysql://me@db/office", "is not the address of a PostgreSQL database"),
        ("postgresql://me@db", "is not the address of a PostgreSQL database"),
    ],
)
def test_an_address_that_cannot_be_used_is_a_mistake(tmp_path: Path, url: str, said: str) -> None:
    """A password in it would stand in every message about the journal (P11)."""
    with pytest.raises(ConfigError, match=said) as caught:
        loaded(tmp_path, url)

    assert "hunter2" not in str(caught.value)


def test_a_schema_that_must_be_quoted_is_a_mistake(tmp_path: Path) -> None:
    """It goes into statements as it is."""
    with pytest.raises(ConfigError, match="cannot be the name of a schema"):
        loaded(tmp_path, daemon="journal_schema = 'a\"; DROP'")


@pytest.mark.xdist_group("postgres")
def test_check_says_what_the_server_is_like(tmp_path: Path, server: Server) -> None:
    """Before the first start, which would find out one thing after the other."""
    config = loaded(tmp_path, server.url, f'journal_schema = "{server.schema}"')

    found = {each.step: each for each in server_results(config)}

    assert journal_of(config) == server
    assert all(each.level == "ok" for each in found.values()), found
    assert "answers in" in found[f"use the journal {server}"].found
    assert "it can serve 1" in found['serve iModels as the machine "berlin"'].found


def test_check_says_that_no_server_answers(tmp_path: Path) -> None:
    """And nothing that asks whether a daemon runs fails for it."""
    config = loaded(tmp_path, "postgresql://me@127.0.0.1:1/office")

    (found,) = server_results(config)

    assert found.level == "failed"
    assert "database server runs" in found.fix
    assert not is_running(config)


@pytest.mark.xdist_group("postgres")
def test_a_machine_may_serve_the_notifications_alone(tmp_path: Path, server: Server) -> None:
    """Its folders are all another machine's; people are notified all the same."""
    config = loaded(tmp_path, server.url, f'journal_schema = "{server.schema}"')
    engine = open_database(server)
    leases.make_known(engine, [NOTIFIER])
    member = leases.join(engine, "berlin", "home", "1.0", is_standby=False)
    leases.take(engine, member, [NOTIFIER])
    engine.dispose()
    share = WorkShare(member, frozenset({NOTIFIER}), lambda: True)

    with open_engine(config, watch=False, share=share) as alone:
        alone.run(until=lambda: True)

        assert alone.machine.is_idle()
