"""The section about a file server in the configuration, and what `check` says of it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from cli_scene import CONFIG, Office

from system.samba import MISSING, serving
from twinsyncd.config.smb import read_sign_in
from twinsyncd.runtime import smb_wiring


@pytest.fixture
def office(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Office:
    """An office in a folder of its own."""
    return Office(tmp_path, monkeypatch, capsys)


@pytest.mark.parametrize(
    ("text", "account", "password"),
    [
        ("username=twin\npassword=a=b c \ndomain=OFFICE\n", "OFFICE\\twin", "a=b c "),
        ("user=twin@office.example\npass=pw 1\ndomain=OFFICE", "twin@office.example", "pw 1"),
        ("username=OFFICE\\twin\n\npassword=pw", "OFFICE\\twin", "pw"),
    ],
)
def test_the_credentials_of_the_mount_are_read(
    tmp_path: Path, text: str, account: str, password: str
) -> None:
    """The file that mounts the share serves here too, so that a password is in one place."""
    file = tmp_path / "credentials"
    file.write_text(text, "utf-8")

    assert read_sign_in(file) == (account, password)


def test_a_credentials_file_without_a_password_is_named(tmp_path: Path) -> None:
    """A file that holds the password alone is what other secrets look like."""
    file = tmp_path / "credentials"
    file.write_text("secret\n", "utf-8")

    with pytest.raises(ValueError, match="credentials has no line username") as raised:
        read_sign_in(file)

    assert "secret" not in str(raised.value)


def configured(
    office: Office, *lines: str, credentials: str = "username=twin\npassword=x\n"
) -> None:
    """Write a configuration whose source has these lines about its server."""
    file = office.config.with_name("credentials")
    file.write_text(credentials, "utf-8")
    file.chmod(0o600)
    office.save("a.ifc")
    section = "\n".join(["  [connection.source.smb]", *lines])
    office.configure(f"{CONFIG}\n{section}\n")


FILE = 'credentials_file = "credentials"'


@pytest.mark.parametrize(
    ("lines", "credentials", "said"),
    [
        (["share = '//nas/cad'"], "", "reports changes only to an account"),
        (
            [FILE, "share = 'nas:/cad'"],
            "username=a\npassword=b",
            "is not the address of a folder",
        ),
        ([FILE], "secret", "credentials has no line username=..."),
        ([FILE], "", "write the lines username=... and password=..., and if needed"),
        ([FILE], "username=twin", "credentials has no line password=..."),
    ],
)
def test_a_mistake_about_the_file_server_is_named_with_its_line(
    office: Office, lines: list[str], credentials: str, said: str
) -> None:
    """A daemon that starts and is quietly slow would be worse."""
    configured(office, *lines, credentials=credentials)

    printed = office.types("check", "--offline")

    assert printed.code == 2
    assert said in printed.err
    assert "connection.source.smb" in printed.err.replace("[0]", "").replace("[1]", "")
    assert "fix: " in printed.err


def test_check_says_when_no_share_is_mounted_where_one_is_expected(office: Office) -> None:
    """The server's address comes from the mount, and there may be none."""
    configured(office, FILE)

    printed = office.types("check", "--offline")

    assert printed.code == 0
    assert "no SMB share is mounted there" in printed.out
    assert "fix: correct [connection.source.smb]; nothing is lost" in " ".join(printed.out.split())


def test_check_says_how_to_install_what_asks_the_server(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The light installation has no part for it, and the daemon works without."""
    configured(office, FILE, 'share = "//nas/cad"')
    for name in [each for each in sys.modules if each.startswith("twinsyncd.disk.smb_w")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "smbprotocol", None)
    monkeypatch.setattr(smb_wiring, "_shared", smb_wiring._shared.__wrapped__)
    monkeypatch.delitem(sys.modules, "twinsyncd.disk.smb_session", raising=False)

    printed = office.types("check", "--offline")

    assert printed.code == 0
    assert "what asks a file server is not installed; install it with:" in printed.out
    assert "[smb]" in printed.out


@pytest.mark.skipif(bool(MISSING), reason=MISSING)
@pytest.mark.xdist_group("samba")
def test_check_tries_out_whether_the_server_reports_changes(office: Office, tmp_path: Path) -> None:
    """Whoever configures it wants to know at once, and not from a slow day."""
    with serving(tmp_path / "server") as samba:
        account, password = samba.credentials.account, samba.credentials.password
        share = f'share = "{samba.address()}"'
        configured(office, FILE, share, credentials=f"username={account}\npassword={password}")
        good = office.types("check", "--offline")
        configured(office, FILE, share, credentials=f"username={account}\npassword=wrong")
        bad = office.types("check", "--offline")

    assert "changes are noticed at once, as its file server reports them" in good.out
    assert f"refuses the account {account} (STATUS_LOGON_FAILURE)" in bad.out
    assert "changes are noticed by scans alone, every" in bad.out
