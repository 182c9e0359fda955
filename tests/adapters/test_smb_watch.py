# mypy: disable-error-code="arg-type"
# Keys are written as plain text here.
"""What a real SMB server reports of other clients' saves, and how its absence is noticed."""

from __future__ import annotations

import dataclasses
import itertools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from test_watcher import Drawings, Posted

from system.samba import MISSING, Samba, serving
from twinsyncd.core.model import SourceKey
from twinsyncd.disk.smb_observer import SmbObserver
from twinsyncd.disk.smb_protocols import Change, SmbError, SmbRefusedError
from twinsyncd.disk.watcher import Watcher

pytestmark = [
    pytest.mark.skipif(bool(MISSING), reason=MISSING),
    pytest.mark.xdist_group("samba"),  # one server for all
]

if not MISSING:
    from system.smb_client import Colleague
    from twinsyncd.disk.smb_watches import SmbWatches


@pytest.fixture(scope="module")
def samba(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Samba]:
    """One server for all tests that do not stop it."""
    with serving(tmp_path_factory.mktemp("smb")) as samba:
        yield samba


@pytest.fixture
def colleague(samba: Samba, request: pytest.FixtureRequest) -> Iterator[Colleague]:
    """Somebody who works on the share."""
    colleague = Colleague(samba)
    yield colleague
    colleague.leave()


@pytest.fixture
def folder(colleague: Colleague, request: pytest.FixtureRequest) -> str:
    """A folder of the share for one test."""
    name = str(request.node.name)
    colleague.make_folder(name)
    return name


@pytest.fixture
def posted() -> Posted:
    """What the watcher posted."""
    return Posted()


def watching(samba: Samba, folder: str, posted: Posted) -> Watcher:
    """Return a watcher of that folder of the share, which asks the server."""

    def remote(_source: SourceKey, _folder: Path) -> SmbObserver:
        return SmbObserver(
            SmbWatches(itertools.count(step=60).__next__).open,  # failures are old at once
            samba.address(folder),
            lambda: samba.credentials,
            start_s=30.0,
            waits_s=(0.01,),
        )

    watcher = Watcher(posted.post, is_remote=lambda _folder: True, remote=remote)
    watcher.watch("s", samba.drive / folder, Drawings())
    return watcher


@pytest.fixture
def watcher(samba: Samba, folder: str, posted: Posted) -> Iterator[Watcher]:
    """Watches the folder of the test."""
    watcher = watching(samba, folder, posted)
    assert watcher.trouble() == {}
    yield watcher
    watcher.stop()


@pytest.mark.usefixtures("watcher")
def test_saves_of_others_are_hints(colleague: Colleague, folder: str, posted: Posted) -> None:
    """The kernel's own events know nothing of what other machines write to a share."""
    colleague.save(f"{folder}/a.dgn")
    posted.touches("a.dgn")

    colleague.save(f"{folder}/plan.dwg")
    posted.touches("plan.dwg")
    posted.paths.clear()
    colleague.save_like_autocad(f"{folder}/plan.dwg")
    posted.touches("plan.dwg")
    posted.paths.clear()
    colleague.delete(f"{folder}/a.dgn")
    posted.touches("a.dgn")

    assert posted.losses == []


def test_a_save_in_place_in_any_folder_is_a_hint(
    samba: Samba, colleague: Colleague, folder: str, posted: Posted
) -> None:
    """MicroStation writes into the file itself, and most network storage boxes run Samba."""
    colleague.make_folder(f"{folder}/x")
    colleague.make_folder(f"{folder}/x/y")
    colleague.save(f"{folder}/x/y/a.dgn", b"0123456789")
    watcher = watching(samba, folder, posted)
    colleague.make_folder(f"{folder}/new")
    colleague.save(f"{folder}/new/b.dgn", b"0123456789")
    posted.touches("new/b.dgn")
    posted.until(lambda: bool(posted.losses))
    posted.paths.clear()

    for _ in range(300):  # the folders are opened meanwhile
        colleague.save_in_place(f"{folder}/x/y/a.dgn", b"987")
        colleague.save_in_place(f"{folder}/new/b.dgn", b"987")
        if {"x/y/a.dgn", "new/b.dgn"} <= posted.paths:
            break
    assert {"x/y/a.dgn", "new/b.dgn"} <= posted.paths
    posted.paths.clear()
    with (samba.drive / folder / "x" / "y" / "a.dgn").open("ab") as file:
        file.write(b"appended by the server itself, or through NFS")
    posted.touches("x/y/a.dgn")
    colleague.rename(f"{folder}/x", f"{folder}/z")
    colleague.rename(f"{folder}/z/y/a.dgn", f"{folder}/z/y/c.dgn")

    posted.touches("z/y/c.dgn")
    watcher.stop()


@pytest.mark.usefixtures("watcher")
def test_a_folder_that_moves_on_the_server_needs_a_scan(
    colleague: Colleague, folder: str, posted: Posted
) -> None:
    """The files in it have no reports of their own."""
    colleague.make_folder(f"{folder}/old")
    posted.until(lambda: posted.losses == ["folder 'old' was created"])


@pytest.mark.usefixtures("watcher")
def test_a_deep_save_is_a_hint_and_litter_is_none(
    colleague: Colleague, folder: str, posted: Posted
) -> None:
    """One watch covers the whole tree, and lock files come and go all day."""
    colleague.make_folder(f"{folder}/x")
    colleague.make_folder(f"{folder}/x/y")
    colleague.save(f"{folder}/x/y/a.dwl")
    colleague.save(f"{folder}/x/y/Brücke 12.dgn")

    posted.touches("x/y/Brücke 12.dgn")
    assert "x/y/a.dwl" not in posted.paths


def test_more_changes_than_the_server_can_list_are_a_loss(
    samba: Samba, colleague: Colleague, folder: str
) -> None:
    """What is not listed is unknown, so everything must be compared."""
    watches = SmbWatches(buffer_bytes=1024)
    watch = watches.open(samba.address(folder), samba.credentials, "files")
    for number in range(5):
        colleague.save(f"{folder}/{number:0200}.dgn", b"")

    first, second = watch.next(), watch.next()

    watch.close()
    assert first is not None
    assert first[0] == Change(f"{0:0200}.dgn", "created")
    assert second is None


def test_a_refused_sign_in_is_not_repeated(samba: Samba) -> None:
    """Every failure counts towards locking the account, which the mount may use as well."""
    wrong = dataclasses.replace(samba.credentials, password="wrong")
    watches, now = SmbWatches(lambda: 5.0), samba.address()
    elsewhere = dataclasses.replace(now, share="elsewhere")

    with pytest.raises(SmbRefusedError, match="correct credentials_file") as first:
        watches.open(now, wrong, "files")
    with pytest.raises(SmbRefusedError) as second:
        watches.open(elsewhere, wrong, "folders")

    assert second.value is first.value
    assert "wrong" not in str(first.value).replace("WRONG_PASSWORD", "")
    watches.open(now, samba.credentials, "files").close()


def test_a_share_or_folder_that_is_not_there_is_named(samba: Samba) -> None:
    """A typing mistake in the address must not look like an outage."""
    watches = SmbWatches()
    other = dataclasses.replace(samba.address(), share="elsewhere")

    with pytest.raises(SmbError, match="elsewhere: the server has no share of this name"):
        watches.open(other, samba.credentials, "files")
    watches.open(samba.address(), samba.credentials, "files").close()
    with pytest.raises(SmbError, match="none: the share has no such folder; correct share"):
        watches.open(samba.address("none"), samba.credentials, "files")


def test_watches_of_one_share_use_one_connection_that_ends_with_the_last(
    samba: Samba, folder: str
) -> None:
    """A thousand connections lie on a few servers, which count their clients."""
    watches = SmbWatches()
    first = watches.open(samba.address(folder), samba.credentials, "files")
    second = watches.open(samba.address(), samba.credentials, "folders")

    assert first._session is second._session
    first.close()
    assert second._session.is_open
    second.close()
    assert not second._session.is_open


def test_closing_wakes_who_waits(samba: Samba, folder: str) -> None:
    """A stop must not wait for the next save."""
    watch = SmbWatches().open(samba.address(folder), samba.credentials, "files")
    ended: list[str] = []

    def wait() -> None:
        try:
            watch.next()
        except SmbError as exc:
            ended.append(str(exc))

    waiting = threading.Thread(target=wait)
    waiting.start()
    watch.close()
    waiting.join(30.0)

    assert len(ended) == 1


def test_a_server_that_restarts_is_a_trouble_and_then_a_scan(
    tmp_path: Path, posted: Posted
) -> None:
    """Saves in between are reported by nobody."""
    with serving(tmp_path) as samba:
        watcher = watching(samba, "", posted)
        samba.stop()
        (samba.drive / "missed.dgn").write_bytes(b"")
        _await(lambda: bool(watcher.trouble()))
        trouble = watcher.trouble()
        samba.start()

        posted.until(lambda: "the server reports changes again" in posted.losses)
        colleague = Colleague(samba)
        colleague.save("a.dgn")
        posted.touches("a.dgn")

        _await(lambda: not watcher.trouble())  # the other of the two watches, too
        assert "//127.0.0.1" in str(trouble)
        watcher.stop()
        colleague.leave()


def test_a_server_that_answers_nothing_is_noticed(tmp_path: Path) -> None:
    """A server whose cable was pulled closes no connection."""
    with serving(tmp_path) as samba:
        watches = SmbWatches(silence_s=1, answer_s=1)
        watch = watches.open(samba.address(), samba.credentials, "files")
        samba.freeze()

        with pytest.raises(SmbError, match="the server does not answer"):
            watch.next()


def _await(holds: Callable[[], bool]) -> None:
    """Return once it holds; nothing is posted when a trouble begins or ends."""
    for _ in range(3000):
        if holds():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it never held")
