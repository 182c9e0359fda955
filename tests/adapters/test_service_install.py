"""`twinsyncd service`: the steps, the unit they write, and one path for each secret."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from cli_scene import CONFIG, Office
from pydantic import SecretStr

from twinsyncd.config import Config, load
from twinsyncd.config.effective import effective
from twinsyncd.config.notify import Notify
from twinsyncd.config.page import Page
from twinsyncd.config.schema import SECTIONS
from twinsyncd.config.secret_files import holds_secrets, secret_files
from twinsyncd.errors import AppError
from twinsyncd.runtime.service_install import advice, install_steps, uninstall_steps, unit_text
from twinsyncd.runtime.service_steps import (
    GiveContents,
    SetFile,
    SetFolder,
    SetupStep,
    WriteFile,
    run,
)
from twinsyncd.shipped import UNIT, shipped

PROGRAM = Path("/opt/twinsyncd/bin/twinsyncd")
ACCOUNT = "daemon"
SECRET_KEYS = {"token_file", "api_key_file", "password_file", "credentials_file", "urls_file"}


@pytest.fixture
def office(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Office:
    """An office in a folder of its own."""
    return Office(tmp_path, monkeypatch, capsys)


def configured(office: Office, *, state: str = "/var/lib/twinsyncd", auth: str = "") -> Config:
    """Return a configuration with a secret in a file."""
    secret = office.folder / "client_secret"
    secret.write_text("hunter2")
    secret.chmod(0o600)
    line = auth or f'client_id = "service-abc"\nclient_secret_file = "{secret}"'
    text = CONFIG.replace('client_id = "service-abc"', line).replace('"state"', f'"{state}"')
    office.configure(text)
    return load(office.config, {})


def test_the_steps_are_those_that_a_person_would_take_in_that_order(office: Office) -> None:
    """A secret that is readable for a moment, or a start before its folder, is a fault."""
    config = configured(office)
    steps = install_steps(
        config, office.config, account=ACCOUNT, program=PROGRAM, home=office.folder
    )

    shown = [each.text for each in steps]

    assert shown[0].startswith("useradd --system ")
    assert shown[1:] == [
        f"install -d -m 0755 -o root {office.folder}",
        f"chown root {office.config} && chmod 0644 {office.config}",
        f"install -d -m 0700 -o {ACCOUNT} /var/lib/twinsyncd",
        f"chown -hR {ACCOUNT}: /var/lib/twinsyncd",
        f"chown root {office.folder}/client_secret && chmod 0600 {office.folder}/client_secret",
        "write /etc/systemd/system/twinsyncd.service",
        "systemctl daemon-reload",
        "systemctl enable twinsyncd.service",
        "systemctl restart twinsyncd.service",
    ]
    assert uninstall_steps()[0].text == "systemctl disable --now twinsyncd.service"


@pytest.mark.parametrize(
    ("program", "python", "said"),
    [
        ("/root/tw/bin/twinsyncd", "/usr/bin/python3", "the program lies in /root"),
        (
            "/opt/tw/bin/twinsyncd",
            "/home/ann/.pyenv/python3",
            "the Python of /opt/tw is /home/ann/.pyenv/python3, which lies in /home",
        ),
        ("/opt/tw/bin/twinsyncd", "/usr/bin/python3", ""),
    ],
)
def test_what_the_account_cannot_enter_is_named(
    office: Office, monkeypatch: pytest.MonkeyPatch, program: str, python: str, said: str
) -> None:
    """Who had installed it in /opt was told to install it there."""
    monkeypatch.setattr("sys.executable", python)

    told = list(advice(configured(office), office.config, Path(program)))

    assert [said in each for each in told] == ([True] if said else [])


def test_the_unit_fits_the_configuration(office: Office) -> None:
    """A credential whose file is missing keeps systemd from starting the service at all."""
    config = configured(office)
    for_service = unit_text(config, office.config, account=ACCOUNT, program=PROGRAM)
    person = configured(office, auth='kind = "user"\nclient_id = "native"', state="/srv/twinsyncd")
    for_person = unit_text(person, office.config, account="cad", program=PROGRAM)

    assert f"ExecStart={PROGRAM} run --config {office.config}\n" in for_service
    assert f"LoadCredential=client_secret:{office.folder}/client_secret\n" in for_service
    assert "\nStateDirectory=twinsyncd\n" in for_service
    assert "\nUser=cad\n" in for_person
    assert "\nLoadCredential=" not in for_person
    assert "\nStateDirectory=" not in for_person
    assert "\nReadWritePaths=/srv/twinsyncd\n" in for_person


def test_an_inline_secret_is_readable_for_the_service_alone(office: Office) -> None:
    """Root may read everything; the service must, and nobody else may."""
    office.config.touch(0o600)
    office.config.chmod(0o600)
    config = configured(office, auth='client_id = "me"\nclient_secret = "hunter2"')
    steps = install_steps(
        config, office.config, account=ACCOUNT, program=PROGRAM, home=office.folder
    )

    assert steps[2] == SetFile(office.config, 0o600, ACCOUNT)


def test_a_configuration_elsewhere_is_refused_with_the_command_that_moves_it(
    office: Office,
) -> None:
    """Root's `status` would look for another journal and say that there is none."""
    with pytest.raises(AppError, match="the service's configuration is /etc/twinsyncd") as refused:
        install_steps(configured(office), office.config, program=PROGRAM)

    assert f"sudo install -D -m 0644 {office.config} /etc/twinsyncd/" in refused.value.hint


def test_every_key_that_names_a_secrets_file_becomes_a_credential(office: Office) -> None:
    """A key that is forgotten works in root's shell and fails in the service."""
    keys = [
        (section, key)
        for section, model in SECTIONS.items()
        for key in model.model_fields
        if key in {"client_secret_file", "tls_key", *SECRET_KEYS}
    ]
    config = configured(office)
    files = {key: office.folder / key for _, key in keys}
    connection = config.connection[0]
    whole = config.model_copy(
        update={
            "auth": config.auth.model_copy(update=files),
            "page": Page().model_copy(update=files),
            "notify": Notify().model_copy(update=files),
            "connection": (
                connection.model_copy(
                    update={
                        "bulk": connection.bulk.model_copy(update=files),
                        "objects": connection.objects.model_copy(update=files),
                    }
                ),
            ),
        }
    )

    assert len(keys) >= 6
    assert {each.name for each in secret_files(whole)} == {key for _, key in keys}


def test_a_password_in_an_address_or_a_token_makes_the_configuration_private(
    office: Office,
) -> None:
    """Everybody may read it otherwise."""
    config = configured(office)
    proxy = config.platform.model_copy(update={"proxy": "http://me:pw@proxy:3128"})
    page = Page().model_copy(update={"token": SecretStr("x" * 20)})

    assert not holds_secrets(config)
    assert holds_secrets(config.model_copy(update={"platform": proxy}))
    assert holds_secrets(config.model_copy(update={"page": page}))
    shown = json.dumps(effective(config.model_copy(update={"platform": proxy, "page": page})))
    assert "[redacted]" in shown
    assert "pw" not in shown
    assert "xxxx" not in shown


def test_two_secrets_of_one_name_are_refused(office: Office) -> None:
    """Each would be handed over in the place of the other."""
    config = configured(office)
    other = office.folder / "other" / "client_secret"
    objects = config.connection[0].objects.model_copy(update={"credentials_file": other})
    connection = config.connection[0].model_copy(update={"objects": objects})
    config = config.model_copy(update={"connection": (connection,)})

    with pytest.raises(AppError, match="two files with secrets are called client_secret"):
        install_steps(config, office.config, program=PROGRAM, home=office.folder)


def test_folders_files_and_unit_are_made_once(tmp_path: Path) -> None:
    """A second run must say that all is done, not do it again."""
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("only root can give files away")
    secret = tmp_path / "secret"
    secret.write_text("x")
    (tmp_path / "state" / "old").mkdir(parents=True)
    journal = tmp_path / "state" / "old" / "journal.sqlite"
    journal.touch()
    (tmp_path / "state" / "link").symlink_to(secret)
    steps: list[SetupStep] = [
        SetFolder(tmp_path / "state", 0o700, ACCOUNT),
        GiveContents(tmp_path / "state", ACCOUNT),
        SetFile(secret, 0o600, "root"),
        WriteFile(tmp_path / "unit", "[Unit]\n"),
    ]

    before = [each.is_done() for each in steps]
    for each in steps:
        each.carry_out()

    assert before == [False] * 4
    assert [each.is_done() for each in steps] == [True] * 4
    assert journal.stat().st_uid == (tmp_path / "state").stat().st_uid
    assert secret.stat().st_uid == 0
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "state").stat().st_uid != 0
    (tmp_path / "unit").write_text("[Unit]\nDescription=old\n")
    assert not steps[3].is_done()


def test_a_command_that_fails_says_what_it_said() -> None:
    """`systemctl` explains itself; its words must not get lost."""
    with pytest.raises(AppError, match=r"ls /nowhere failed: .*nowhere"):
        run("ls", "/nowhere")


def test_a_dry_run_prints_each_step_and_changes_nothing(office: Office) -> None:
    """Whoever runs a machine wants to read first."""
    configured(office)

    printed = office.types("service", "uninstall", "--dry-run")

    assert printed.code == 0
    assert "would do      systemctl disable --now twinsyncd.service" in printed.out


def test_a_dry_run_takes_a_configuration_from_where_it_was_written(office: Office) -> None:
    """Without root it lies in a folder of one's own, and nothing was shown of what would follow."""
    configured(office)

    printed = office.types("service", "install", "--dry-run", "--config", str(office.config))

    assert printed.code == 0, printed.err
    place = "/etc/twinsyncd/twinsyncd.toml"
    assert re.search(
        rf"yours to do   install -D -m 06[04]{{2}} {office.config} {place}\n", printed.out
    )
    assert "would do      install -d -m 0755 -o root /etc/twinsyncd\n" in printed.out


def test_a_configuration_with_a_secret_in_it_is_copied_for_its_owner_alone(office: Office) -> None:
    """The command that is advised made a readable file of it."""
    office.config.touch(0o600)
    office.config.chmod(0o600)
    config = configured(office, auth='client_id = "me"\nclient_secret = "hunter2"')

    with pytest.raises(AppError) as refused:
        install_steps(config, office.config, program=PROGRAM)

    assert "install -D -m 0600" in refused.value.hint


def test_systemd_accepts_the_unit(office: Office, tmp_path: Path) -> None:
    """It ignores what it does not know, and says so only to whoever verifies."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd here")
    unit = tmp_path / "twinsyncd.service"
    program = Path("/bin/true")
    text = unit_text(configured(office), office.config, account="daemon", program=program)
    unit.write_text(text, "utf-8")

    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    security = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert [line for line in done.stderr.splitlines() if unit.name in line] == []
    exposure = re.search(r"exposure level for \S+: ([\d.]+)", security.stdout)
    assert exposure is not None, security.stdout + security.stderr
    assert float(exposure[1]) <= 1.5


def test_the_wheel_holds_what_the_commands_read() -> None:
    """An installation without the example or the unit can neither explain keys nor install."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]

    assert included["systemd"] == "twinsyncd/share/systemd"
    assert included["config.example.toml"] == "twinsyncd/share/config.example.toml"
    assert shipped(UNIT).is_file()
    with pytest.raises(FileNotFoundError, match="lacks nothing"):
        shipped("nothing.toml")
