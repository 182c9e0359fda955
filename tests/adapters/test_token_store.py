"""Where a person's sign-in is kept: privately, durably, by one process at a time."""

from __future__ import annotations

import json
import os
import stat
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from cloud_script import caught

from twinsyncd.cloud.token_store import Keyring, SignIn, TokenStore
from twinsyncd.core.model import Fault

ANNA = SignIn("rt-anna-1", "native-abc", "https://ims.example.com", "anna@example.com", 17.5)


class Ring:
    """A keyring in memory; `locked`: it opens for nobody."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str, /) -> str | None:
        self._open()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str, /) -> None:
        self._open()
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str, /) -> None:
        self._open()
        del self.kept[service, username]

    def _open(self) -> None:
        if self.locked:
            raise RuntimeError("the collection is locked")


def none() -> Keyring | None:
    """Most servers have no keyring."""
    return None


def written(store: TokenStore, sign_in: SignIn = ANNA) -> SignIn | None:
    """Return what another process reads after this."""
    with store.owned():
        store.write(sign_in)
    return TokenStore(store.file.parent, keyring=store._keyring).read()


def test_a_sign_in_survives_the_process(tmp_path: Path) -> None:
    """The daemon starts at night, when nobody is there to sign in."""
    assert written(TokenStore(tmp_path / "state", keyring=none)) == ANNA


@pytest.mark.skipif(os.name != "posix", reason="rights are as POSIX has them")
def test_only_its_owner_can_read_the_file(tmp_path: Path) -> None:
    """A refresh token is the person's access to everything, for a month (P11)."""
    old = os.umask(0)
    try:
        written(TokenStore(tmp_path / "state", keyring=none))
    finally:
        os.umask(old)

    files = [tmp_path / "state", *(tmp_path / "state").iterdir()]
    assert [each.name for each in files if stat.S_IMODE(each.stat().st_mode) & 0o077] == []


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="needs root")
def test_what_root_keeps_belongs_to_the_account_of_the_folder(tmp_path: Path) -> None:
    """`sudo twinsyncd check` renews the sign-in too; the daemon must be able to read it after."""
    folder = tmp_path / "state"
    folder.mkdir()
    os.chown(folder, 12345, 12345)

    written(TokenStore(folder, keyring=none))

    assert {each.name: each.stat().st_uid for each in folder.iterdir()} == {
        "sign-in.json": 12345,
        "sign-in.lock": 12345,
    }


def test_the_token_goes_to_a_keyring_where_there_is_one(tmp_path: Path) -> None:
    """Backups of the state folder then hold no key to the platform."""
    ring = Ring()
    store = TokenStore(tmp_path, keyring=lambda: ring)

    assert written(store) == ANNA

    assert "rt-anna-1" not in store.file.read_text("utf-8")
    assert list(ring.kept.values()) == ["rt-anna-1"]


def test_a_keyring_that_takes_nothing_is_replaced_by_the_file(tmp_path: Path) -> None:
    """Windows refuses long secrets, and services have no unlocked keyring."""
    ring = Ring()
    ring.locked = True

    assert written(TokenStore(tmp_path, keyring=lambda: ring)) == ANNA


def test_a_keyring_that_is_demanded_is_never_replaced(tmp_path: Path) -> None:
    """Who wrote "keyring" does not want the token in a file."""
    store = TokenStore(tmp_path, "keyring", none)

    failure = caught(lambda: store.write(ANNA)).failure

    assert 'token_store = "file"' in failure.message
    assert not store.file.exists()


def test_a_locked_keyring_is_a_sign_out_that_says_how_to_go_on(tmp_path: Path) -> None:
    """A person signed in on a desktop; the service has no desktop, and must say so."""
    ring = Ring()
    written(TokenStore(tmp_path, keyring=lambda: ring))
    ring.locked = True

    failure = caught(TokenStore(tmp_path, keyring=lambda: ring).read).failure

    assert failure.fault is Fault.SIGNED_OUT
    assert "keyring" in failure.message


def test_a_file_is_demanded_and_no_keyring_is_touched(tmp_path: Path) -> None:
    """A keyring may open a window that nobody sees."""
    store = TokenStore(tmp_path, "file", lambda: pytest.fail("the keyring was asked"))

    store.write(ANNA)

    assert store.read() == ANNA


def test_signing_out_leaves_nothing_in_either_place(tmp_path: Path) -> None:
    """A machine that is handed on must not stay signed in."""
    ring = Ring()
    store = TokenStore(tmp_path, keyring=lambda: ring)
    written(store)

    store.drop()

    assert (store.read(), ring.kept, store.file.exists()) == (None, {}, False)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"refresh_token": 3, "signed_in_s": []}'])
def test_a_damaged_file_is_a_sign_out_not_a_crash(tmp_path: Path, text: str) -> None:
    """The person signs in again; a daemon that cannot start helps nobody."""
    store = TokenStore(tmp_path, "file")
    store.file.write_text(text, "utf-8")

    assert store.read() is None


def test_a_renewed_sign_in_that_the_disk_did_not_take_is_kept_and_written_later(
    tmp_path: Path,
) -> None:
    """The old token is spent by then: losing the new one would need a person."""
    store = TokenStore(tmp_path, "file")
    store.write(ANNA)
    draft = store.file.with_name(f"{store.file.name}.new")
    draft.mkdir()  # so that nothing can be written
    failure = caught(lambda: store.renew(ANNA, "rt-anna-2")).failure

    draft.rmdir()

    assert failure.fault is Fault.TRANSIENT
    assert store.read() == replace(ANNA, refresh_token="rt-anna-2")
    assert json.loads(store.file.read_text("utf-8"))["refresh_token"] == "rt-anna-2"


def test_a_renewal_that_was_not_written_never_replaces_a_later_sign_in(tmp_path: Path) -> None:
    """The person came, signed in anew, and would be signed out by what is left of before."""
    store = TokenStore(tmp_path, "file")
    store.write(ANNA)
    draft = store.file.with_name(f"{store.file.name}.new")
    draft.mkdir()
    caught(lambda: store.renew(ANNA, "rt-anna-2"))
    draft.rmdir()
    newer = replace(ANNA, refresh_token="rt-anna-9")

    TokenStore(tmp_path, "file").write(newer)

    assert store.read() == newer


def test_one_owner_at_a_time(tmp_path: Path) -> None:
    """Two processes that spend the same token sign the person out, where tokens rotate."""
    order: list[str] = []
    entered = threading.Event()

    def second(store: TokenStore) -> None:
        entered.set()
        with store.owned():
            order.append("second")

    first = TokenStore(tmp_path, "file")
    other = threading.Thread(target=second, args=(TokenStore(tmp_path, "file"),))
    with first.owned():
        other.start()
        assert entered.wait(10)
        order.append("first")
    other.join(10)

    assert order == ["first", "second"]


def test_a_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    """A power cut in the middle must leave the old sign-in or the new one, never half."""
    store = TokenStore(tmp_path, "file")
    store.write(ANNA)
    inode = store.file.stat().st_ino

    store.write(replace(ANNA, refresh_token="rt-anna-2"))

    assert store.file.stat().st_ino != inode
    assert [each.name for each in tmp_path.iterdir()] == [store.file.name]


def test_nothing_shows_the_token(tmp_path: Path) -> None:
    """A traceback or a log line with the token is the token given away (P11)."""
    store = TokenStore(tmp_path, "file")
    store.write(ANNA)

    assert "rt-anna" not in f"{ANNA!r} {store!r} {store.read()!r}"
