"""Looking at configured folders: a share that does not answer is a reason, not a wait."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from twinsyncd.config import load, validation
from twinsyncd.config.folders import Reason, find_unreachable, unreachable, within
from twinsyncd.errors import ConfigError


@pytest.fixture
def hang() -> Iterator[threading.Event]:
    """A server that answers only after the test."""
    event = threading.Event()
    yield event
    event.set()


def test_a_folder_that_does_not_answer_is_named_beside_those_that_do(
    tmp_path: Path, hang: threading.Event
) -> None:
    """One dead server must not hide a slip in the path of another source."""
    hung, missing = tmp_path / "hung", tmp_path / "none"

    def look(folder: Path) -> Reason | None:
        if folder == hung:
            hang.wait()
        return unreachable(folder)

    found = find_unreachable([hung, tmp_path, missing], look=look, answer_s=0.2)

    assert list(found) == [hung, missing]
    assert "does not answer" in found[hung][0]
    assert "there is no folder" in found[missing][0]


def test_a_thousand_folders_need_few_threads(tmp_path: Path) -> None:
    """Each connection has its own folder, and a thread for each would be a thousand at once."""
    used: set[int] = set()

    def look(_folder: Path) -> Reason | None:
        used.add(threading.get_ident())
        return None

    assert find_unreachable([tmp_path / str(n) for n in range(1000)], look=look) == {}
    assert len(used) < 100


def test_folders_of_a_hung_drive_keep_no_other_from_being_looked_at(
    tmp_path: Path, hang: threading.Event
) -> None:
    """However many of them come first (P14)."""
    hung = [tmp_path / f"hung {n}" for n in range(40)]
    missing = tmp_path / "missing"

    def look(folder: Path) -> Reason | None:
        if folder in hung:
            hang.wait()
        return unreachable(folder)

    found = find_unreachable([*hung, missing], look=look, answer_s=2.0)

    assert "does not answer" in found[hung[0]][0]
    assert found[missing][0].startswith("there is no folder")


def test_a_comparison_that_takes_too_long_is_left_out(hang: threading.Event) -> None:
    """It only warns of mistakes; the start is worth more."""
    assert within(hang.wait, 0.01, default=False) is False
    assert within(lambda: True, 10.0, default=False) is True


def test_an_error_of_the_comparison_is_raised() -> None:
    """A bug must not look like an answer that was late."""
    with pytest.raises(ZeroDivisionError):
        within(lambda: 1 // 0, 10.0, default=0)


def test_a_share_that_does_not_answer_is_no_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the first start it kept the daemon from serving every other folder."""
    silent, wrong = tmp_path / "cad", tmp_path / "bim"
    file = tmp_path / "twinsyncd.toml"
    source = '  [[connection.source]]\n  folder = "{}"\n'
    file.write_text(
        '[auth]\nclient_id = "service-abc"\nclient_secret_file = "secret"\n'
        '[[connection]]\nname = "Bridge"\nitwin_id = "0a1b2c3d-1111-4222-8333-444455556666"\n'
        'imodel_id = "1b2c3d4e-1111-4222-8333-444455556666"\n'
        + source.format("cad")
        + source.format("bim")
    )
    (tmp_path / "secret").write_text("hunter2")
    (tmp_path / "secret").chmod(0o600)
    away = {silent: (f"{silent} does not answer", "wait"), wrong: (f"no folder {wrong}", "mend")}
    monkeypatch.setattr(validation, "find_unreachable", lambda _folders: away)

    with pytest.raises(ConfigError) as error:
        load(file)

    assert [each.message for each in error.value.mistakes] == [f"no folder {wrong}"]
