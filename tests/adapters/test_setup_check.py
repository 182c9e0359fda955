"""`twinsyncd check` on this machine: account, state folder, drives; each trouble with its fix."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_scene import CONFIG, Office

from twinsyncd.config import Connection, Source, load
from twinsyncd.config.folders import unreachable
from twinsyncd.disk.folder_count import WatchLimits, read_watch_limits
from twinsyncd.errors import how_to_install
from twinsyncd.runtime.machine_lock import serving_alone
from twinsyncd.runtime.service_account import run_as_service, unit_settings
from twinsyncd.runtime.setup_check.drives import source_results, watch_results
from twinsyncd.runtime.setup_check.service import service_result, windows_result
from twinsyncd.runtime.setup_check.source_folder import ExaminedSource
from twinsyncd.runtime.setup_check.state_folder import place_results

NOBODY = 65534
SRC = Path(__file__).parents[2] / "src"


@pytest.fixture
def office(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Office:
    """An office in a folder of its own."""
    return Office(tmp_path, monkeypatch, capsys)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every account may enter; those of pytest belong to one account."""
    folder = Path(tempfile.mkdtemp(prefix="twinsyncd-check-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("state", "exclude", "refused"),
    [
        ("cad/state", "", True),
        ("cad", "", True),
        ("cad/state", 'exclude = ["state/**"]', False),
        ("cad 2/state", "", False),
    ],
)
def test_a_state_folder_inside_a_source_is_a_mistake(
    office: Office, state: str, exclude: str, refused: bool
) -> None:
    """The daemon would notice its own journal's writes for ever, and might upload them."""
    office.save("a.ifc")
    office.configure(CONFIG.replace('"state"', f'"{state}"') + f"  {exclude}\n")

    printed = office.types("check", "--offline")

    assert printed.code == (2 if refused else 0)
    assert ("lies in the source of line" in printed.err) == refused
    if refused:
        assert f"{office.config}:5: daemon.state_folder" in printed.err
        assert "choose a folder outside of all sources" in printed.err
        assert office.types("status").code == 2


@pytest.mark.parametrize(
    ("network", "free", "levels"),
    [
        ("", 2**40, []),
        ("cifs", 2**40, ["failed"]),
        ("", 500 * 2**20, ["warning"]),
        ("nfs", 2**20, ["failed", "failed"]),
    ],
)
def test_a_state_folder_on_a_share_or_a_full_disk_is_named(
    network: str, free: int, levels: list[str]
) -> None:
    """Locks do not hold on a share, and a full disk stops everything."""
    found = list(place_results("use it", network=network, free=free))

    assert [each.level for each in found] == levels
    assert all(each.fix for each in found)


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o701])
def test_a_state_folder_that_others_can_enter_is_a_warning_with_its_command(
    office: Office, mode: int
) -> None:
    """It may hold a sign-in."""
    office.save("a.ifc")
    office.state.mkdir()
    office.state.chmod(mode)

    printed = office.types("check", "--offline")

    assert printed.code == 0
    assert "other accounts can enter it" in printed.out
    assert f"fix: run: chmod 700 {office.state}" in printed.out


def test_a_state_folder_on_a_read_only_disk_needs_no_other_owner() -> None:
    """`install -d` cannot make a folder on a disk that nobody can write to."""
    found = list(place_results("use it", network="", free=2**20, read_only=True))

    assert [each.found for each in found] == ["its disk is read-only"]
    assert "mount that disk for writing" in found[0].fix
    assert "install" not in found[0].fix


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere only the journal locks")
def test_another_journal_that_serves_the_connection_fails(office: Office) -> None:
    """The start that comes after a good check would be refused."""
    office.save("a.ifc")
    office.configure(CONFIG.replace('"state"', '"state of the service"'))
    service = load(office.config)
    office.configure(CONFIG)

    with serving_alone(service):
        printed = office.types("check", "--offline")
        office.state.mkdir(mode=0o700)
        with office.daemon_runs():
            own = office.types("check", "--offline")

    assert printed.code == 1
    assert 'serve the connection "Bridge 12" alone: another twinsyncd on this' in printed.out
    assert "systemctl cat twinsyncd" in printed.out
    assert own.code == 0


def test_a_state_folder_that_is_a_file_fails(office: Office) -> None:
    """A start would fail for good."""
    office.save("a.ifc")
    office.state.touch()

    printed = office.types("check", "--offline")

    assert printed.code == 1
    assert f"{office.state} is a file" in printed.out


def test_results_for_programs_have_level_topic_and_fix(office: Office) -> None:
    """Whoever rolls out fifty machines does not read fifty screens."""
    office.save("a.ifc")
    (office.drive / "link.ifc").symlink_to(office.drive / "a.ifc")

    printed = office.types("check", "--offline", "--json")
    found = json.loads(printed.out)

    assert (printed.code, found["good"]) == (1, False)
    assert {each["topic"] for each in found["results"]} == {"account", "state", "drive"}
    failed = [each for each in found["results"] if each["level"] == "failed"]
    assert len(failed) == 1
    assert failed[0]["step"].endswith("link.ifc")
    assert failed[0]["fix"]


def test_mistakes_for_programs_have_file_line_and_fix(office: Office) -> None:
    """The first thing that goes wrong must not be the one thing that cannot be parsed."""
    office.configure(CONFIG.replace('"state"', '"state"\nuplaods = 3'))

    printed = office.types("check", "--json")
    found = json.loads(printed.out)

    assert (printed.code, found["good"]) == (2, False)
    mistake = found["mistakes"][0]
    assert (mistake["file"], mistake["line"]) == (str(office.config), 6)
    assert mistake["fix"] == 'did you mean "uploads"?'


def test_files_that_several_connectors_read_are_named_until_one_is_chosen(office: Office) -> None:
    """MSTN reads an OpenRoads design without its roads, and nobody notices."""
    office.save("a.dgn")
    office.save("b.ifc")

    silent = office.types("check", "--offline")
    office.configure(CONFIG + '  connector = "CIVIL"\n')
    chosen = office.types("check", "--offline")

    assert silent.code == 0
    assert "1 .dgn file can be of several programs, and MSTN reads them" in silent.out
    assert '"CIVIL" (OpenRoads, OpenBridge, OpenRail, OpenSite)' in silent.out
    assert "need a source of their own" in silent.out
    assert "several programs" not in chosen.out


def test_the_limit_of_watches_is_reported_with_the_command_that_raises_it(tmp_path: Path) -> None:
    """Without it changes in the folders beyond are late, and only a log says so."""
    (tmp_path / "max_user_watches").write_text("100\n")
    (tmp_path / "max_user_instances").write_text("128\n")
    limits = read_watch_limits(tmp_path)

    fits = list(watch_results([ExaminedSource(folders=100)], limits))
    over = list(watch_results([ExaminedSource(folders=60), ExaminedSource(folders=41)], limits))
    queues = list(watch_results([ExaminedSource(folders=1)] * 3, WatchLimits(100, 2)))

    assert [each.level for each in (*fits, *over, *queues)] == ["ok", "warning", "warning"]
    assert "101 folders in 2 sources" in over[0].found
    assert "max_user_watches=524288" in over[0].fix
    unknown = read_watch_limits(tmp_path / "no")
    assert list(watch_results([ExaminedSource(folders=5)], unknown)) == []


def test_a_drive_letter_is_answered_with_what_to_write_instead(tmp_path: Path) -> None:
    """A configuration copied from a Windows machine is the usual way it gets here."""
    reason = unreachable(tmp_path / "P:" / "bridge")

    assert reason is not None
    assert "P: is a drive of Windows" in reason[1]


def python_for_all() -> tuple[str, dict[str, str]]:
    """Return a Python that every account can run, and the environment in which it finds us."""
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("only root can become another account")
    found = [entry for entry in sys.path if entry.endswith("site-packages")]
    env = {"PYTHONPATH": os.pathsep.join([str(SRC), *found]), "PATH": "/usr/bin:/bin"}
    env |= {"COLUMNS": "300", "HOME": "/nonexistent"}
    version = ("-c", "import sys, twinsyncd.cli; print(sys.version_info[:2])")
    for python in (sys.executable, "/usr/bin/python3"):
        try:
            done = as_nobody(python, env, *version)
        except OSError:
            continue
        if done.stdout.strip() == str(sys.version_info[:2]):
            return python, env
    pytest.skip("no Python of this version that every account can run")


def as_nobody(
    python: str, env: dict[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Run Python as an account without any rights."""
    return subprocess.run(
        [python, *arguments], user=NOBODY, group=NOBODY, extra_groups=[], env=env, cwd="/",
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def office_for_all(folder: Path) -> Path:
    """Return the configuration of an office in a folder that every account may enter."""
    (folder / "cad" / "closed").mkdir(parents=True)
    (folder / "cad" / "closed" / "b.ifc").write_bytes(b"x")
    (folder / "cad" / "a.ifc").write_bytes(b"x")
    (folder / "cad" / "c.ifc").write_bytes(b"x")
    (folder / "cad" / "closed").chmod(0o000)
    (folder / "cad" / "c.ifc").chmod(0o000)
    file = folder / "twinsyncd.toml"
    file.write_text(CONFIG, "utf-8")
    return file


def test_folders_and_files_that_the_account_cannot_read_are_named(open_folder: Path) -> None:
    """`check` once said ok, and the service never saw those drawings."""
    file = office_for_all(open_folder)

    python, env = python_for_all()
    env |= {"TWINSYNCD_AUTH__CLIENT_SECRET": "hunter2"}

    command = ("-m", "twinsyncd", "check", "--offline", "--config", str(file))
    done = as_nobody(python, env, *command)

    assert done.returncode == 1, done.stdout + done.stderr
    assert f"FAIL  read {open_folder}/cad/closed: " in done.stdout
    assert f"FAIL  read {open_folder}/cad/c.ifc: " in done.stdout
    assert "let the account nobody read it" in done.stdout
    assert "the account nobody cannot make it in" in done.stdout
    assert f"sudo install -d -o nobody -m 0700 {open_folder}/state" in done.stdout


def test_root_examines_as_the_account_of_the_service(
    open_folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What root may read says nothing about what the service may."""
    python, env = python_for_all()
    monkeypatch.setattr(sys, "executable", python)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    file, secret = office_for_all(open_folder), open_folder / "client_secret"
    line = f'client_id = "service-abc"\nclient_secret_file = "{secret}"'
    file.write_text(CONFIG.replace('client_id = "service-abc"', line), "utf-8")
    secret.write_text("hunter2")
    secret.chmod(0o600)
    unit = open_folder / "twinsyncd.service"
    unit.write_text(f"[Service]\nUser=nobody\nLoadCredential=client_secret:{secret}\n", "utf-8")

    command = ["check", "--own-account", "--offline", "--config", str(file)]
    memory = open_folder / "memory"
    memory.mkdir(mode=0o755)
    code = run_as_service(file, command, folders=[open_folder], home=open_folder, memory=memory)

    printed = capfd.readouterr()
    assert code == 1, printed
    assert "examine as the account: nobody" in printed.out
    assert f"{open_folder}/cad/closed: " in printed.out
    assert list(memory.iterdir()) == []


def test_a_status_needs_no_right_to_read_the_secret(open_folder: Path) -> None:
    """Root hands the secret to the service; the service's own account cannot read its file."""
    python, env = python_for_all()
    file, secret = office_for_all(open_folder), open_folder / "client_secret"
    line = f'client_id = "service-abc"\nclient_secret_file = "{secret}"'
    file.write_text(CONFIG.replace('client_id = "service-abc"', line), "utf-8")
    secret.write_text("hunter2")
    secret.chmod(0o600)

    status = as_nobody(python, env, "-m", "twinsyncd", "status", "--config", str(file))
    check = as_nobody(python, env, "-m", "twinsyncd", "check", "--config", str(file))

    assert status.returncode == 1
    assert "no journal" in status.stderr
    assert check.returncode == 2
    assert "run this with sudo" in check.stderr


@pytest.mark.parametrize(
    ("enabled", "active", "running", "level", "words"),
    [
        ("enabled", "active", True, "ok", "enabled, active"),
        ("enabled", "failed", False, "warning", "journalctl -u twinsyncd.service"),
        ("disabled", "active", True, "warning", "systemctl enable twinsyncd.service"),
        ("enabled", "active", False, "warning", "--config /etc/twinsyncd/twinsyncd.toml"),
        ("", "", False, "warning", "systemctl enable --now"),
    ],
)
def test_a_service_that_does_not_run_is_named_with_the_command_that_starts_it(
    enabled: str, active: str, *, running: bool, level: str, words: str
) -> None:
    """Everything may be well configured and nothing happen."""
    answers = {"is-enabled": enabled, "is-active": active}

    found = service_result(answers.__getitem__, running=running)

    assert found.level == level
    assert words in f"{found.found} {found.fix}"


@pytest.mark.parametrize(
    ("state", "running", "expected", "fix"),
    [
        ("running", True, "running", ""),
        ("starting", False, "starting", ""),
        ("running", False, "the service runs with another configuration", "--config"),
        ("stopped", False, "it is installed, but stopped", "sc start twinsyncd"),
    ],
)
def test_a_service_of_windows_that_does_not_work_is_named(
    state: str, running: bool, expected: str, fix: str
) -> None:
    """`check` finds nothing else wrong, and nothing is synced."""
    found = windows_result(state, running=running)

    assert (found.good, found.found) == (True, expected)
    assert fix in found.fix
    assert bool(fix) == bool(found.fix)


@pytest.mark.parametrize(
    ("folder", "remote", "warned"),
    [("P:/bridge", True, True), ("//server/bridge", True, False), ("C:/bridge", False, False)],
)
def test_a_connected_drive_letter_is_a_warning(folder: str, remote: bool, warned: bool) -> None:
    """It works in the shell of the person who connected it, and never for the service."""
    source = Source.model_construct(folder=Path(folder))
    connection = Connection.model_construct()
    found = ExaminedSource(kinds=Counter({"source": 1}), remote=remote)

    results = list(source_results(connection, source, found))

    assert [each.level for each in results] == (["ok", "warning"] if warned else ["ok"])
    assert ('folder = "//server/share/..."' in results[-1].fix) == warned


def test_only_the_configuration_of_an_installed_service_is_examined_as_its_account(
    tmp_path: Path,
) -> None:
    """A trial in somebody's own folder has nothing to do with the service."""
    unit = tmp_path / "twinsyncd.service"
    unit.write_text("[Service]\nUser=nobody\n", "utf-8")
    (tmp_path / "twinsyncd.service.d").mkdir()
    (tmp_path / "twinsyncd.service.d" / "own.conf").write_text("[Service]\nUser=cad\n", "utf-8")

    assert run_as_service(tmp_path / "a.toml", ["check"], folders=[tmp_path]) == -1
    assert [value for _, value in unit_settings([tmp_path])] == ["nobody", "cad"]
    assert unit_settings([tmp_path / "none"]) == []


def test_the_secret_that_systemd_hands_over_goes_before_the_file(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One path in the configuration serves the unit and `check` in a shell."""
    handed_over = office.folder / "credentials"
    handed_over.mkdir()
    given = handed_over / "client_secret"
    given.write_text("hunter2")
    given.chmod(0o400)
    office.save("a.ifc")
    line = 'client_id = "service-abc"\nclient_secret_file = "/nowhere/client_secret"'
    office.configure(CONFIG.replace('client_id = "service-abc"', line))
    monkeypatch.delenv("TWINSYNCD_AUTH__CLIENT_SECRET")

    without = office.types("check", "--offline")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(handed_over))
    with_it = office.types("check", "--offline")

    assert without.code == 2
    assert "there is no file /nowhere/client_secret" in without.err
    assert with_it.code == 0


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ('"survey/*.ifc"', "survey/site.ifc goes in first"),
        ("true", "2 files go in first, a.ifc and more"),
        ('"site.ifc"', "no file matches it"),
    ],
)
def test_check_shows_which_file_decides_where_the_imodel_is(
    office: Office, given: str, words: str
) -> None:
    """A slip in the pattern shows years later, as a bridge in the sea."""
    office.configure(f"{CONFIG}  spatial_root = {given}\n")
    office.save("a.ifc")
    office.save("survey/site.ifc")

    printed = office.types("check", "--offline")

    assert words in printed.out


def test_a_spatial_root_that_can_match_nothing_is_a_mistake(office: Office) -> None:
    """It would be silent for ever."""
    office.configure(f'{CONFIG}  spatial_root = "../site.ifc"\n')

    printed = office.types("check", "--offline")

    assert printed.code == 2
    assert "spatial_root" in printed.err


@pytest.mark.parametrize(("files", "warned"), [(224, False), (225, True)])
def test_check_warns_before_an_imodel_is_full(office: Office, files: int, warned: bool) -> None:
    """The portal takes 250 source files; who hears of it at the 251st stands still."""
    for number in range(files):
        office.save(f"{number}.ifc")

    printed = office.types("check", "--offline")

    assert ("the portal's stated limit is 250" in printed.out) is warned


@pytest.mark.parametrize(
    ("section", "library", "part"),
    [
        ("[page]", "starlette", "page"),
        ('[notify]\nurls = ["json://127.0.0.1:9/"]', "apprise", "notify"),
    ],
)
def test_a_part_that_is_configured_but_not_installed_fails(
    office: Office, monkeypatch: pytest.MonkeyPatch, section: str, library: str, part: str
) -> None:
    """`check` said "it can work", and `run` refused to start."""
    office.configure(f"{section}\n\n{CONFIG}")
    office.config.chmod(0o600)
    good = office.types("check", "--offline")
    monkeypatch.setitem(sys.modules, library, None)

    printed = office.types("check", "--offline")

    assert "not installed" not in good.out
    assert printed.code == 1
    assert f"FAIL  use [{part}]: it needs a part that is not installed ({library})" in printed.out
    assert f"fix: {how_to_install(part)}" in printed.out


def test_a_ping_alone_needs_no_part(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dead-man's switch is an address that is fetched, and nothing else."""
    office.configure(f'[notify]\nping_url = "https://127.0.0.1:9/x"\n\n{CONFIG}')
    office.config.chmod(0o600)
    monkeypatch.setitem(sys.modules, "apprise", None)

    assert "not installed" not in office.types("check", "--offline").out
