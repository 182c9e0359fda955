"""What renames, strangers and older journals do to a soak's drive, plan and journal."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from .acts import Harm, Rename, Replace, Rewind, Tamper
from .content import make_templates
from .drive import Drive
from .kept_journal import KeptJournal
from .plan import Planner

BLOCKS = 60


def test_a_renamed_file_may_hold_all_that_it_ever_held(tmp_path: Path) -> None:
    """Its content came with it, so Storage may show it under the new name."""
    drive = Drive(tmp_path, make_templates(), patience_s=1.0)
    drive.carry_out(Replace("models/storey0/part05.ifc", 1))
    digest = drive.digest("models/storey0/part05.ifc")

    drive.carry_out(Rename("models/storey0/part05.ifc", "models/storey3/part05-1.ifc"))

    assert drive.paths() == ["models/storey3/part05-1.ifc"]
    assert digest in drive.ever["models/storey3/part05-1.ifc"]


def test_a_plan_has_renames_strangers_and_older_journals() -> None:
    """A plan in which they never happened would prove nothing about them."""
    planner = Planner(7)
    list(planner.first_files())
    blocks = [planner.block(8) for _ in range(BLOCKS)]
    steps = [step for block in blocks for each in (*block.rounds, block.aftermath) for step in each]
    acts = [step.act for step in steps]

    assert {act.harm for act in acts if isinstance(act, Tamper)} == set(Harm)
    assert sum(isinstance(act, Rename) for act in acts) > BLOCKS / 10
    assert any(isinstance(act, Rewind) for act in acts)
    assert 0.2 < sum(block.is_doubtful for block in blocks) / BLOCKS < 0.6


def test_renames_lead_from_files_that_are_there_to_names_that_are_free() -> None:
    """Two files of one name would be one file."""
    planner = Planner(11)
    there = {save.path for save in planner.first_files()}
    for _ in range(BLOCKS):
        block = planner.block(8)
        for steps in block.rounds:
            for act in (step.act for step in steps if isinstance(step.act, Rename)):
                assert act.to not in there
                there.add(act.to)

    assert len(planner.versions) == 20


def test_a_kept_journal_comes_back_whole(tmp_path: Path) -> None:
    """What was written after it was kept is gone, the write-ahead log included."""
    kept = KeptJournal(tmp_path / "journal.sqlite", tmp_path / "earlier.sqlite")
    with closing(sqlite3.connect(kept.journal)) as journal:
        journal.execute("PRAGMA journal_mode = WAL")
        with journal:
            journal.execute("CREATE TABLE files (path)")
        assert not kept.is_there
        kept.keep()
        with journal:
            journal.execute("INSERT INTO files VALUES ('later')")
    kept.put_back()

    with closing(sqlite3.connect(kept.journal)) as journal:
        assert journal.execute("SELECT * FROM files").fetchall() == []
