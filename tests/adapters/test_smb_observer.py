# mypy: disable-error-code="arg-type,index"
# Keys are written as plain text here.
"""What a source does with the reports of its SMB server, played by a script."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from smbprotocol.exceptions import SMBResponseException
from smbprotocol.header import NtStatus, SMB2HeaderResponse
from test_watcher import Drawings, Posted

from twinsyncd.core.facts import HintsLost
from twinsyncd.core.model import SourceKey
from twinsyncd.disk import smb_address
from twinsyncd.disk.mounts import Mount
from twinsyncd.disk.smb_address import SmbAddress
from twinsyncd.disk.smb_credentials import Credentials
from twinsyncd.disk.smb_observer import SmbObserver
from twinsyncd.disk.smb_protocols import Change, SmbError, SmbRefusedError, Watched
from twinsyncd.disk.smb_session import translated
from twinsyncd.disk.watcher import Watcher

ADDRESS = SmbAddress("fileserver", "projects", "bridge12")
SOMEBODY = Credentials("OFFICE\\twin", "secret")
CLOSED = f"{ADDRESS}: closed"
Said = tuple[Change, ...] | None | SmbError


class Server:
    """Reports what the test says; refuses while it is `away`."""

    def __init__(self) -> None:
        self.says: dict[Watched, queue.Queue[Said]] = {
            "files": queue.Queue(),
            "folders": queue.Queue(),
        }
        self.away = ""
        self.misses_writes = False
        self.followed: list[str] = []
        self.follows = threading.Semaphore(0)
        self.tries = threading.Semaphore(0)

    def open(self, address: SmbAddress, credentials: Credentials, watched: Watched) -> Watch:
        assert (address, credentials) == (ADDRESS, SOMEBODY)
        self.tries.release()
        if self.away:
            raise SmbError(address, self.away)
        return Watch(self.says[watched], self)

    def breaks_off(self, reason: str) -> None:
        for each in self.says.values():
            each.put(SmbError(ADDRESS, reason))


class Watch:
    """One watch of the scripted server."""

    def __init__(self, says: queue.Queue[Said], server: Server) -> None:
        self._says, self._server = says, server
        self._closed = SmbError(ADDRESS, "closed")
        self.misses_writes = server.misses_writes

    def next(self) -> tuple[Change, ...] | None:
        while True:
            said = self._says.get()
            if said is self._closed or (isinstance(said, SmbError) and said.args[0] != CLOSED):
                raise said
            if not isinstance(said, SmbError):
                return said  # and what closed an earlier watch is left out

    def follow(self, folder: str) -> bool:
        self._server.followed.append(folder)
        self._server.follows.release()
        return True

    def drop(self, folder: str) -> None:
        self._server.followed.append(f"not {folder}")

    def close(self) -> None:
        self._says.put(self._closed)


@pytest.fixture
def server() -> Server:
    """The scripted server."""
    return Server()


@pytest.fixture
def posted() -> Posted:
    """What the watcher posted."""
    return Posted()


@pytest.fixture
def watch(server: Server, posted: Posted, tmp_path: Path) -> Iterator[Callable[[], Watcher]]:
    """Returns a watcher that asks the server."""
    watchers = []

    def remote(_source: SourceKey, _folder: Path) -> SmbObserver:
        return SmbObserver(
            server.open, ADDRESS, lambda: SOMEBODY, start_s=30.0, waits_s=(0.0, 0.005)
        )

    def begin() -> Watcher:
        watcher = Watcher(posted.post, is_remote=lambda _folder: True, remote=remote)
        watcher.watch("s", tmp_path, Drawings())
        watchers.append(watcher)
        return watcher

    yield begin
    for watcher in watchers:
        watcher.stop()


def test_reported_files_are_hints_and_reported_folders_need_a_scan(
    server: Server, posted: Posted, watch: Callable[[], Watcher]
) -> None:
    """Only the watch of folder names tells that a folder was renamed and not a file."""
    watch()

    server.says["files"].put((Change("x/a.dgn", "changed"), Change("x/notes.txt", "changed")))
    posted.touches("x/a.dgn")
    server.says["folders"].put((Change("old", "renamed"), Change("new", "renamed")))
    posted.until(lambda: bool(posted.losses))

    assert posted.losses == ["folder 'old' was renamed"]
    assert posted.paths == {"x/a.dgn"}


def test_a_report_without_a_list_needs_a_scan(
    server: Server, posted: Posted, watch: Callable[[], Watcher]
) -> None:
    """The server drops its list when more changes than it has room for."""
    watch()

    server.says["files"].put(None)

    posted.until(lambda: posted.losses == ["the server had more changes than it could list"])


def test_a_watch_that_broke_off_is_a_trouble_and_its_return_a_scan(
    server: Server, posted: Posted, watch: Callable[[], Watcher]
) -> None:
    """Nobody reports what was saved meanwhile, and a silent loss would be worse than none."""
    watcher = watch()
    assert watcher.trouble() == {}

    server.away = "the server has no room for another watch"
    server.breaks_off("the connection to the server was closed")
    for _ in range(6):  # two when it began; the third of each watch comes after a failed one
        assert server.tries.acquire(timeout=30.0)
    away = watcher.trouble()
    server.away = ""
    posted.until(lambda: posted.losses == ["the server reports changes again"])
    server.says["files"].put((Change("a.dgn", "created"),))
    posted.touches("a.dgn")

    assert set(away) == {"s"}
    assert str(away["s"]).startswith("//fileserver/projects/bridge12: the ")


def test_a_server_that_is_away_at_the_start_is_found_later(
    server: Server, posted: Posted, watch: Callable[[], Watcher]
) -> None:
    """A machine that boots before its file server must not stay slow until it is restarted."""
    server.away = "Connection refused"
    watcher = watch()

    assert watcher.trouble() == {"s": "//fileserver/projects/bridge12: Connection refused"}
    server.away = ""
    posted.until(lambda: posted.losses == ["the server reports changes again"])


def test_folders_are_followed_where_the_server_misses_writes(
    server: Server, posted: Posted, watch: Callable[[], Watcher], tmp_path: Path
) -> None:
    """Samba notices a save in place only in folders that it was asked about one by one."""
    (tmp_path / "x" / "deep").mkdir(parents=True)
    (tmp_path / "archive").mkdir()
    server.misses_writes = True
    watch()
    for _ in range(2):  # for the files, and for the folders
        assert server.tries.acquire(timeout=30.0)
    for _ in ("", "x", "x/deep"):
        assert server.follows.acquire(timeout=30.0)
    (tmp_path / "x" / "deep").rename(tmp_path / "x" / "new")
    (tmp_path / "x" / "new" / "in").mkdir()
    server.says["folders"].put((Change("x/deep", "renamed"), Change("x/new", "renamed")))
    server.away = "the end"
    server.says["folders"].put(SmbError(ADDRESS, "the end"))
    assert server.tries.acquire(timeout=30.0)  # what came before it is done

    assert server.followed == [
        *("not ", "", "x", "x/deep"),
        *("not x/deep", "x/deep", "not x/new", "x/new", "x/new/in"),
    ]


def test_nothing_is_posted_after_a_stop(
    server: Server, posted: Posted, watch: Callable[[], Watcher]
) -> None:
    """The inbox is closed by then."""
    watcher = watch()

    watcher.stop()
    server.says["files"].put((Change("a.dgn", "created"),))

    assert posted.facts == []
    assert "smb-files" not in {thread.name for thread in threading.enumerate()}


def test_a_source_without_a_known_server_is_a_trouble(tmp_path: Path, posted: Posted) -> None:
    """Somebody configured it because saves are to be noticed at once."""

    def remote(_source: SourceKey, _folder: Path) -> SmbObserver:
        raise OSError(19, "no SMB share is mounted there")

    watcher = Watcher(posted.post, remote=remote)

    watcher.watch("s", tmp_path, Drawings())

    assert watcher.trouble() == {
        "s": f"{tmp_path} cannot be watched: no SMB share is mounted there"
    }
    assert not any(isinstance(fact, HintsLost) for fact in posted.facts)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("//fileserver/projects", SmbAddress("fileserver", "projects")),
        (r"\\fileserver\projects\a b\c", SmbAddress("fileserver", "projects", "a b/c")),
        ("//10.0.0.7:4450/projects/", SmbAddress("10.0.0.7", "projects", "", 4450)),
        ("//[fd00::7]/projects", SmbAddress("fd00::7", "projects")),
        ("//fileserver", None),
        ("/mnt/projects", None),
    ],
)
def test_addresses_are_read_as_people_write_them(text: str, expected: SmbAddress | None) -> None:
    """Addresses are copied from Explorer, from fstab and from the configuration of others."""
    assert smb_address.parse(text) == expected


SHARE = Mount("0:45", "/mnt/cad", "cifs", "//nas/projects", ("rw", "port=4450"))


@pytest.mark.parametrize(
    ("mount", "folder", "expected"),
    [
        (SHARE, "/mnt/cad", "//nas:4450/projects"),
        (SHARE, "/mnt/cad/bridge 12/cad", "//nas:4450/projects/bridge 12/cad"),
        (Mount("0:45", "/srv/b", "smb3", "//nas/p/b12"), "/srv/b/x", "//nas/p/b12/x"),
        (Mount("0:45", "/srv/b", "cifs", "//nas/p/b12", (), "/b12"), "/srv/b/x", "//nas/p/b12/x"),
        (Mount("0:45", "/srv/b", "cifs", "//nas/p", (), "/b12"), "/srv/b/x", "//nas/p/b12/x"),
        (Mount("0:45", "/srv/b", "cifs", "//nas/p/b12", (), "/in"), "/srv/b", "//nas/p/b12/in"),
        (Mount("0:45", "/mnt/cad", "nfs4", "nas:/projects"), "/mnt/cad", "None"),
        (Mount("0:45", "/mnt/other", "cifs", "//nas/projects"), "/mnt/cad", "None"),
    ],
)
def test_a_mounted_share_names_its_address(mount: Mount, folder: str, expected: str) -> None:
    """Nobody should have to write down again what fstab has; bind mounts count, too."""
    assert str(smb_address.mounted(folder, [mount])) == expected


@pytest.mark.parametrize(
    ("status", "error", "text"),
    [
        (NtStatus.STATUS_LOGON_FAILURE, SmbRefusedError, "(STATUS_LOGON_FAILURE); correct cred"),
        (0xC0000234, SmbRefusedError, "refuses the account twin (status 0xc0000234)"),
        (0xC000005E, SmbError, "//fileserver/projects/bridge12: status 0xc000005e"),
    ],
)
def test_only_what_is_about_the_account_counts_as_refused(
    status: int, error: type[SmbError], text: str
) -> None:
    """A domain controller that restarts must not cost half an hour; a wrong password must."""
    header = SMB2HeaderResponse()
    header["status"] = status

    with pytest.raises(SmbError) as raised, translated(ADDRESS, account="twin"):
        raise SMBResponseException(header)

    assert type(raised.value) is error
    assert text in str(raised.value)
