"""`twinsyncd init` on a real localtwin: a configuration that works, and nothing overwritten."""

from __future__ import annotations

import io
import sys
import webbrowser
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from test_sign_in import press_the_button

from localtwin.serve import Ready
from localtwin.world.access.clients import NATIVE_CLIENT
from twinsyncd.cli import main
from twinsyncd.config import load


class Terminal(io.StringIO):
    """What a person types, line by line."""

    def isatty(self) -> bool:
        """Somebody sits there."""
        return True


Init = Callable[..., tuple[object, str, str]]


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    """A folder as an office has it."""
    drive = tmp_path / "cad"
    for path in ("a.dgn", "level 1/b.ifc", "xref/grid.dgn", "Archive/old.dgn", "notes.txt"):
        (drive / path).parent.mkdir(parents=True, exist_ok=True)
        (drive / path).write_bytes(b"x")
    return drive


@pytest.fixture
def init(
    tmp_path: Path,
    local: Ready,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Init:
    """Run `init` for this platform and return exit code, output and errors."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "300")
    secret = tmp_path / "secret"
    secret.write_text(local.client_secret)
    secret.chmod(0o600)

    def run(*arguments: str, typed: str = "") -> tuple[object, str, str]:
        given = ["--api-url", local.api_url, "--client-secret-file", str(secret), *arguments]
        monkeypatch.setattr(sys, "argv", ["twinsyncd", "init", str(tmp_path / "t.toml"), *given])
        monkeypatch.setattr(sys, "stdin", Terminal(typed) if typed else io.StringIO())
        with pytest.raises(SystemExit) as ended:
            main()
        return (ended.value.code, *capsys.readouterr())

    return run


def test_an_unattended_setup_takes_what_lies_in_the_folder(
    init: Init, drive: Path, local: Ready, tmp_path: Path
) -> None:
    """Fifty machines are set up by a script; the file must load and mean what was found."""
    options = ("--folder", str(drive), "--client-id", local.client_id, "--imodel", local.imodel_id)

    code, out, err = init(*options, "--connector", "dgn=CIVIL", "--no-check", "--unattended")

    assert (code, err) == (0, "")
    connection = load(tmp_path / "t.toml", {}).connection[0]
    assert (connection.itwin_id, connection.imodel_id) == (local.itwin_id, local.imodel_id)
    roads, others = connection.source
    assert (roads.connector, roads.include) == ("CIVIL", ("**/*.dgn",))
    assert others.connector == "auto"
    assert others.matcher().kind("b.ifc") == "source"
    assert others.matcher().kind("later/tower.rvt") == "source", "also what comes next month"
    assert {others.matcher().kind(each) for each in ("a.dgn", "a.i.dgn")} == {None}
    assert roads.matcher().kind("xref/grid.dgn") == "reference"
    assert roads.matcher().kind("Archive/old.dgn") is None
    assert "1 .dgn, 1 .ifc" in out
    text = (tmp_path / "t.toml").read_text("utf-8")
    assert '#batch_quiet = "30s"\n' in text
    assert local.client_secret not in text + out


def test_a_person_is_asked_for_what_was_not_given(
    init: Init, drive: Path, local: Ready, tmp_path: Path
) -> None:
    """A slip is answered with the reason and asked again, not with an end."""
    wrong, name = f"{drive}x", "Bridge"
    choose_obd, again = "3", "9"
    typed = [r"S:\Projects", wrong, str(drive), "service", local.client_id, name, again, choose_obd]

    code, out, _ = init("--no-check", "--imodel", local.imodel_id, typed="\n".join(typed) + "\n")

    assert code == 0, out
    assert f"there is no folder {wrong}" in out
    assert "S: is a drive of Windows: mount it on this machine" in out
    assert "'9' is not in the list; type a number from 1 to 4" in out
    found = load(tmp_path / "t.toml", {}).connection[0]
    assert (found.name, found.source[0].connector) == (name, "OBD")


def test_who_has_no_account_reads_how_to_try_it(
    drive: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The first question is for the id of an application, which takes days to get."""
    words = ["twinsyncd", "init", str(tmp_path / "t.toml"), "--folder", str(drive)]
    monkeypatch.setattr(sys, "argv", words)
    monkeypatch.setattr(sys, "stdin", Terminal("\n"))

    with pytest.raises(SystemExit) as ended:
        main()

    out, _ = capsys.readouterr()
    assert ended.value.code == 1
    assert "end this and run: twinsyncd local" in out
    assert out.index("twinsyncd local") < out.index("Address of the platform")


def test_what_was_asked_is_not_warned_of(
    init: Init, drive: Path, local: Ready, tmp_path: Path
) -> None:
    """The check that follows said that several connectors read .dgn, just after the answer."""
    typed = ["Bridge", "2"]
    options = ("--folder", str(drive), "--client-id", local.client_id, "--kind", "service")

    code, out, _ = init(*options, "--imodel", local.imodel_id, typed="\n".join(typed) + "\n")

    assert code == 0, out
    assert "several connectors" not in out
    assert ".dgn files:" not in out
    roads, others = load(tmp_path / "t.toml", {}).connection[0].source
    assert (roads.connector, others.connector) == ("CIVIL", "auto")
    text = (tmp_path / "t.toml").read_text("utf-8")
    assert f'#state_folder = "{tmp_path}/state/twinsyncd' in text
    assert "run --config" in out
    assert f"sudo install -D -m 0644 {tmp_path}/t.toml /etc/twinsyncd/twinsyncd.toml && sudo" in out


def test_what_is_not_taken_later_is_written_down(
    init: Init, drive: Path, local: Ready, tmp_path: Path
) -> None:
    """A Revit model that comes next month was out, and only `explain` said so."""
    (drive / "level 1" / "b.ifc").unlink()
    options = ("--folder", str(drive), "--client-id", local.client_id, "--imodel", local.imodel_id)

    init(*options, "--connector", "dgn=CIVIL", "--no-check", "--unattended")

    text = " ".join((tmp_path / "t.toml").read_text("utf-8").split())
    assert f"Only the names above are taken of {drive}" in text.replace(" # ", " ")
    (roads,) = load(tmp_path / "t.toml", {}).connection[0].source
    assert roads.connector == "CIVIL"


def test_files_that_are_not_taken_are_counted(init: Init, drive: Path, local: Ready) -> None:
    """The schedules were believed to be covered, and status said "in sync" without them."""
    for name in ("bearings.csv", "Plates.CSV", "readme.txt", "notes", "~$plan.xlsx"):
        (drive / name).write_text("x")
    options = ("--folder", str(drive), "--client-id", local.client_id, "--imodel", local.imodel_id)

    _, out, _ = init(*options, "--connector", "dgn=CIVIL", "--no-check", "--unattended")

    assert "not taken: 2 .csv, 2 .txt, 1 without an ending; a pattern for those that you" in out


def test_a_wrong_secret_is_asked_for_again(
    drive: Path,
    local: Ready,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A slip in a hidden field lost the answers to all questions before."""
    prompts = sys.modules[typer.prompt.__module__]
    monkeypatch.setattr(prompts, "hidden_prompt_func", lambda _: sys.stdin.readline().strip())
    monkeypatch.delenv("TWINSYNCD_AUTH__CLIENT_SECRET", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    typed = [
        str(drive),
        "service",
        local.client_id,
        "wrong",
        "",
        local.client_secret,
        "Bridge",
        "1",
    ]
    words = ["init", str(tmp_path / "own" / "t.toml"), "--api-url", local.api_url, "--no-check"]
    monkeypatch.setattr(sys, "argv", ["twinsyncd", *words, "--imodel", local.imodel_id])
    monkeypatch.setattr(sys, "stdin", Terminal("\n".join(typed) + "\n"))

    with pytest.raises(SystemExit) as ended:
        main()

    out = capsys.readouterr().out
    assert ended.value.code == 0, out
    assert "does not accept" in out
    assert f"Client id [{local.client_id}]" in out, "what was right is kept"
    assert load(tmp_path / "own" / "t.toml", {}).auth.secret() == local.client_secret


def test_a_person_signs_in_on_the_way(
    drive: Path, local: Ready, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The iTwins and iModels are those that this person may see."""
    options = ["--folder", str(drive), "--api-url", local.api_url, "--kind", "user", "--no-check"]
    person = ["--client-id", NATIVE_CLIENT, "--redirect-url", "http://127.0.0.1:0/callback"]
    words = ["init", str(tmp_path / "t.toml"), *options, *person, "--imodel", local.imodel_id]
    monkeypatch.setattr(sys, "argv", ["twinsyncd", *words])
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    monkeypatch.setattr(webbrowser, "open", lambda url: press_the_button(url).is_success)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 0
    auth = load(tmp_path / "t.toml", {}).auth
    assert (auth.kind, auth.redirect_url) == ("user", "http://127.0.0.1:0/callback")
    assert list((tmp_path / "state").rglob("sign-in.json"))


def test_nothing_is_overwritten(init: Init, drive: Path, tmp_path: Path) -> None:
    """The file that exists may be the work of a day."""
    (tmp_path / "t.toml").write_text("mine", "utf-8")

    code, _, err = init("--folder", str(drive), "--unattended")

    assert code == 1
    assert "exists and is not overwritten" in err
    assert (tmp_path / "t.toml").read_text("utf-8") == "mine"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "add --folder"),
        (("--folder", "{drive}"), "add --client-id"),
        (("--folder", "{drive}", "--client-id", "{id}", "--itwin", "nope"), "none is called"),
        (("--folder", "{drive}x"), "there is no folder"),
        (("--folder", "{drive}", "--client-id", "no"), "does not accept client id no"),
        (("--connector", "dgn=IFC"), "possible are: MSTN, CIVIL"),
    ],
)
def test_what_is_missing_or_wrong_is_named_and_nothing_is_written(
    init: Init, drive: Path, local: Ready, options: tuple[str, ...], words: str
) -> None:
    """Half a configuration would look like a whole one."""
    given = [each.format(drive=drive, id=local.client_id) for each in options]

    code, _, err = init(*given, "--unattended")

    assert code == 1
    assert words in err
    assert not (drive.parent / "t.toml").exists()


def test_a_secret_is_kept_only_once_it_was_accepted(
    init: Init, drive: Path, local: Ready, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong one beside the file would be taken without a question the next time."""
    options = ["--folder", str(drive), "--client-id", local.client_id, "--imodel", local.imodel_id]
    arguments = [*options, "--api-url", local.api_url, "--no-check"]
    command = ["twinsyncd", "init", str(tmp_path / "own" / "t.toml"), *arguments]
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    kept = tmp_path / "own" / "client_secret"
    ends = []
    for secret in ("wrong", local.client_secret):
        monkeypatch.setattr(sys, "argv", command)
        monkeypatch.setenv("TWINSYNCD_AUTH__CLIENT_SECRET", secret)
        with pytest.raises(SystemExit) as ended:
            main()
        ends.append((ended.value.code, kept.exists()))

    assert ends == [(1, False), (0, True)]
    assert kept.stat().st_mode & 0o777 == 0o600
    assert load(tmp_path / "own" / "t.toml", {}).auth.secret() == local.client_secret


def test_a_secret_kept_beside_the_file_goes_first_and_says_so(
    drive: Path,
    local: Ready,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Who passes a new secret must not believe that it was tried."""
    options = ["--folder", str(drive), "--client-id", local.client_id, "--imodel", local.imodel_id]
    arguments = [*options, "--api-url", local.api_url, "--no-check", "--unattended"]
    kept = tmp_path / "client_secret"
    kept.write_text(local.client_secret)
    kept.chmod(0o600)
    monkeypatch.setattr(sys, "argv", ["twinsyncd", "init", str(tmp_path / "t.toml"), *arguments])
    monkeypatch.setenv("TWINSYNCD_AUTH__CLIENT_SECRET", "another")

    with pytest.raises(SystemExit):
        main()

    out = capsys.readouterr().out
    said = f"read from {kept}, not from TWINSYNCD_AUTH__CLIENT_SECRET: delete the file to use that"
    assert said in out
    assert (tmp_path / "t.toml").exists()
