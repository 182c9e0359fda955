"""The manual's worked example of a bulk connection, as it is printed there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import twinsyncd.manual
from localtwin.serve import Settings, serving
from localtwin.world.bulk.accounts import WRITE
from localtwin.world.world import World

from . import programs

CHAPTER = "## A worked example"
URL, COMPANY = "https://factory.example.com", "0a1b2c3d-1111-4222-8333-444455556666"
KEY = "rfk_of-the-worked-example"
BLOCK = re.compile(r"(?:`([\w./]+)`:\n\n)?```(\w+)\n(.*?)```", re.DOTALL)


def test_the_worked_example_does_what_the_manual_says(tmp_path: Path) -> None:
    """Whoever types it line by line must see what is printed; only the address differs."""
    manual = Path(twinsyncd.manual.__file__).with_name("bulk.md").read_text("utf-8")
    blocks: list[tuple[str, str, str]] = BLOCK.findall(manual.partition(CHAPTER)[2])
    world = World(tmp_path / "data")
    accounts = world.bulk_accounts
    company = accounts.add_company("Factory", COMPANY)
    accounts.add_key(accounts.administrator(company), "example", WRITE, key=KEY)
    world.close()
    (tmp_path / "exports").mkdir()
    (tmp_path / "api_key").touch(0o600)
    (tmp_path / "api_key").write_text(KEY)

    with serving(Settings(tmp_path / "data")) as ready:
        for name, _, text in blocks[:4]:
            (tmp_path / name).write_text(text.replace(URL, ready.api_url), "utf-8")
        first = _call(tmp_path, "sync")
        edited, _, text = blocks[4]
        (tmp_path / edited).write_text(text, "utf-8")
        second = _call(tmp_path, "sync")
        for command, printed in _typed(blocks[5][2]):
            shown = " ".join(_call(tmp_path, *command).stdout.split())
            for line in printed:
                assert " ".join(line.split()) in shown, shown

    assert first.returncode == 0, first.stdout + first.stderr
    assert second.returncode == 1, second.stdout + second.stderr
    world = World(tmp_path / "data")
    pieces = world.bulk_records.every(COMPANY, "pieces")
    lengths = {piece["piece_id"]: piece["outer_length"] for piece in pieces}
    world.close()
    assert lengths == {"G-1": 1251, "G-2": 980, "G-3": 730}


def _call(folder: Path, *arguments: str) -> CompletedProcess[str]:
    return programs.call(*arguments, "--config", str(folder / "twinsyncd.toml"))


def _typed(console: str) -> Iterator[tuple[list[str], list[str]]]:
    """Yield the arguments of each command of ours, and the lines that it prints."""
    for typed in console.split("$ ")[1:]:
        command, *printed = typed.splitlines()
        yield shlex.split(command)[1:], printed
