"""The Windows service: its steps anywhere, and a real service where Windows or wine is."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from cli_scene import CONFIG, Office
from windows_program import TOP, WINE, run_on_windows, windows_path

from twinsyncd.config import Config, load
from twinsyncd.errors import AppError
from twinsyncd.runtime.log_file import FILES_MAX, LogFile
from twinsyncd.runtime.service_steps import RunCommand, SetupStep
from twinsyncd.runtime.windows_install import (
    needs_password,
    windows_install_steps,
    windows_uninstall_steps,
)

PYTHON = Path("C:/Program Files/twinsyncd/python.exe")
UNKNOWN_TO_WINE = 2  # starting later than others, and restarting after a reported failure


class Services:
    """A service manager that notes what it is asked for."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.command = ""
        self.installed = False

    def set_up(self, command: str, account: str, password: str | None) -> None:
        self.calls.append(f"set up {account} {password}")
        self.command, self.installed = command, True

    def describe(self, text: str) -> None:
        self.calls.append("describe")

    def delay_start(self) -> None:
        self.calls.append("delay start")

    def set_recovery(self, restarts_s: Sequence[int], reset_s: int) -> None:
        self.calls.append(f"recover {restarts_s} {reset_s}")

    def allow_logon(self, account: str) -> None:
        self.calls.append(f"allow {account}")

    def add_event_source(self) -> None:
        self.calls.append("add event source")

    def restart(self) -> None:
        self.calls.append("restart")

    def is_installed(self) -> bool:
        return self.installed

    def stop_and_remove(self) -> None:
        self.calls.append("remove")
        self.installed = False


@pytest.fixture
def office(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Office:
    """An office in a folder of its own."""
    return Office(tmp_path, monkeypatch, capsys)


def configured(office: Office) -> Config:
    secret = office.folder / "client_secret"
    secret.write_text("hunter2")
    secret.chmod(0o600)
    line = f'client_id = "service-abc"\nclient_secret_file = "{secret}"'
    office.configure(CONFIG.replace('client_id = "service-abc"', line))
    return load(office.config, {})


def carry_out(steps: Sequence[SetupStep]) -> None:
    """Take the steps of the manager; the rights of files are Windows' own affair."""
    for step in steps:
        if not isinstance(step, RunCommand) and not step.is_done():
            step.carry_out()


def test_the_steps_make_a_service_that_windows_restarts(office: Office) -> None:
    """It must come back after an error at night, and after the machine's restart."""
    services = Services()
    config = configured(office)

    carry_out(
        windows_install_steps(config, office.config, services, python=PYTHON, home=office.folder)
    )

    assert services.calls == [
        "set up NT AUTHORITY\\NetworkService ",
        "describe",
        "delay start",
        "recover (5, 30, 60) 86400",
        "add event source",
        "restart",
    ]
    assert services.command == (f'"{PYTHON}" -m twinsyncd service host --config {office.config}')


def test_every_step_is_shown_as_a_command_that_does_the_same(office: Office) -> None:
    """An administrator reads it first, and may do it by hand."""
    config = configured(office)
    steps = windows_install_steps(
        config, office.config, Services(), python=PYTHON, home=office.folder
    )

    shown = [each.text for each in steps]

    state, secret = office.folder / "state", office.folder / "client_secret"
    assert shown[:3] == [
        f'mkdir "{state}"',
        f"icacls {office.folder} /inheritance:r /grant:r *S-1-5-18:(OI)(CI)F "
        "*S-1-5-32-544:(OI)(CI)F *S-1-5-20:(OI)(CI)M",
        f"icacls {secret} /inheritance:r /grant:r *S-1-5-18:F *S-1-5-32-544:F *S-1-5-20:R",
    ]
    assert shown[3].startswith('sc create twinsyncd binPath= "\\"C:')
    assert shown[3].endswith('start= auto obj= "NT AUTHORITY\\NetworkService"')
    assert shown[5:7] == [
        "sc config twinsyncd start= delayed-auto",
        "sc failure twinsyncd reset= 86400 actions= restart/5000/restart/30000/restart/60000 "
        "& sc failureflag twinsyncd 1",
    ]
    assert shown[-1] == "sc start twinsyncd"
    assert "hunter2" not in "".join(shown)


def test_an_account_of_the_domain_may_log_on_as_a_service(office: Office) -> None:
    """Without that right the start fails, with a number and no reason that helps."""
    services = Services()
    steps = windows_install_steps(
        configured(office),
        office.config,
        services,
        python=PYTHON,
        account="OFFICE\\twin",
        password="hunter2",
        home=office.folder,
    )

    carry_out(steps)

    assert services.calls[0] == "set up OFFICE\\twin hunter2"
    assert services.calls[-2:] == ["allow OFFICE\\twin", "restart"]
    assert "OFFICE\\twin:(OI)(CI)M" in steps[1].text
    assert "hunter2" not in "".join(f"{each.text} {each!r}" for each in steps)


def test_a_managed_account_has_no_password_and_needs_the_right(office: Office) -> None:
    """The domain keeps its password, and Windows wants none, not an empty one."""
    services = Services()
    config = configured(office)

    carry_out(
        windows_install_steps(
            config,
            office.config,
            services,
            python=PYTHON,
            account="OFFICE\\twin$",
            home=office.folder,
        )
    )

    assert services.calls[0] == "set up OFFICE\\twin$ None"
    assert "allow OFFICE\\twin$" in services.calls


@pytest.mark.parametrize(
    ("account", "expected"),
    [
        ("NT AUTHORITY\\NetworkService", False),
        ("nt authority\\localservice", False),
        ("LocalSystem", False),
        ("OFFICE\\twin$", False),  # a managed one: the domain keeps its password
        ("OFFICE\\twin", True),
        (".\\twin", True),
    ],
)
def test_only_an_account_of_people_needs_a_password(account: str, *, expected: bool) -> None:
    """A question that nobody can answer ends the installation."""
    assert needs_password(account) is expected


def test_a_configuration_elsewhere_is_refused_with_the_command_that_copies_it(
    office: Office,
) -> None:
    """An administrator's `status` would look for another journal and say that there is none."""
    home = office.folder / "ProgramData"

    with pytest.raises(AppError, match="the service's configuration is") as refused:
        windows_install_steps(
            configured(office), office.config, Services(), python=PYTHON, home=home
        )

    assert f'copy "{office.config}" "{home / office.config.name}"' in refused.value.hint


def test_uninstalling_removes_the_service_once() -> None:
    """A second time says that it is done already, instead of an error of Windows."""
    services = Services()
    services.installed = True
    (step,) = windows_uninstall_steps(services)

    before = step.is_done()
    step.carry_out()

    assert (before, step.is_done()) == (False, True)
    assert services.calls == ["remove"]


def test_the_log_of_the_service_keeps_to_a_size(tmp_path: Path) -> None:
    """Nobody empties it for months, and nobody else keeps what the service writes."""
    file = tmp_path / "log" / "twinsyncd.log"
    log = LogFile(file, size_max_bytes=1000)

    for number in range(500):
        log.write(f"line {number:04}\n")
    log.close()

    files = sorted(file.parent.iterdir())
    assert len(files) == FILES_MAX + 1
    assert all(each.stat().st_size <= 1000 for each in files)
    assert file.read_text("utf-8").splitlines()[-1] == "line 0499"


def test_a_real_service_is_installed_reloaded_stopped_and_removed(tmp_path: Path) -> None:
    """By Windows, or by wine, which knows no delayed start nor restarts after reported failures."""
    script = Path(__file__).with_name("windows_service.py")
    libraries = WINE / "libraries"
    if sys.platform != "win32" and not libraries.exists():
        pytest.skip("there is no pywin32 for wine; run: make wine")
    places = (TOP / "src", libraries, tmp_path / "log")

    done = run_on_windows(script, *map(windows_path, places), "")

    lines = done.stdout.splitlines()
    assert [line for line in lines if line.startswith("held")] == [
        "held: installed, and changed by installing again",
        "held: started, and started again while it runs",
        "held: reloaded, stopped and removed",
        "held: one that is not there is an error in words",
        "held: an end by an error is one",
        "held: one that does not stop is ended",
        "held: a program that is no service is told so",
    ], done.stdout + done.stderr
    unknown = [line for line in lines if line.startswith("unknown")]
    assert len(unknown) == (0 if sys.platform == "win32" else UNKNOWN_TO_WINE)
    assert done.returncode == 0
