"""What the soak would call a violation, and what it would not."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from localtwin.connectors.registry import connector_for
from localtwin.connectors.source import SourceElement, read_source
from localtwin.ids import new_guid, pair_id

from .acts import Kill, Program, Replace, Slice
from .content import make_templates
from .drive import Drive
from .judge import disturbed, double, repeated, superfluous, torn
from .plan import Planner
from .platform import RunSeen
from .proxy import Commit

BLOB = new_guid()
ITEM = pair_id(new_guid(), BLOB)


def run(name: str, started_s: float, result: str = "Skipped", ended_s: float = 0.0) -> RunSeen:
    """Return a run of one file."""
    return RunSeen(name, "plans", started_s, ended_s or started_s + 1, {ITEM: result})


def test_runs_that_overlap_are_double() -> None:
    """Two runs of ours at once on one iModel are the promise that P3 forbids."""
    runs = [run("a", 1, ended_s=5), run("b", 2, ended_s=3), run("c", 4), run("d", 6)]

    assert [violation.about for violation in double(runs)] == ["b", "c"]


@pytest.mark.parametrize(
    ("commit", "expected"),
    [
        (Commit(BLOB, "new", 2.0), ["disturbed"]),
        (Commit(BLOB, "new", 0.5), []),
        (Commit(BLOB, "new", 3.5), []),
        (Commit(new_guid(), "new", 2.0), []),
    ],
    ids=["during the run", "before it", "after it", "of no file of the run"],
)
def test_a_commit_under_an_active_run_is_a_disturbance(commit: Commit, expected: list[str]) -> None:
    """A run reads Storage while it works, so what it took would be anybody's guess (P4)."""
    found = disturbed([run("a", 1.0, ended_s=3.0)], [commit])

    assert expected == [violation.kind for violation in found]


@pytest.mark.parametrize(
    ("commits", "excuses", "expected"),
    [
        ([], [], [("b", False)]),
        ([Commit(BLOB, "new", 5.0)], [], []),
        ([Commit(BLOB, "old", 5.0)], [], [("b", False)]),
        ([Commit(BLOB, "a stranger's", 0.8), Commit(BLOB, "old", 5.0)], [], []),
        ([], [5.0], [("b", True)]),
        ([], [11.0], [("b", False)]),
    ],
)
def test_a_run_without_new_content_is_superfluous_unless_an_answer_was_lost(
    commits: list[Commit], excuses: list[float], expected: list[tuple[str, bool]]
) -> None:
    """Only a lost answer leaves the daemon no other way to be sure."""
    history = [Commit(BLOB, "old", 0.5), *commits]
    found = superfluous([run("a", 1, "Success"), run("b", 10)], history, excuses)

    assert expected == [(each.id, excused) for each, excused in found]


@pytest.mark.parametrize(
    ("commits", "excuses", "expected"),
    [
        ([Commit(BLOB, "old", 5.0)], [], [BLOB]),
        ([Commit(BLOB, "old", 5.0)], [4.0], []),
        ([Commit(BLOB, "old", 5.0)], [6.0], [BLOB]),
        ([Commit(BLOB, "old", 5.0)], [0.45], []),
        ([Commit(BLOB, "old", 5.0)], [0.05], [BLOB]),
        ([Commit(BLOB, "new", 5.0), Commit(BLOB, "old", 6.0)], [], []),
        ([Commit(new_guid(), "old", 5.0)], [], []),
    ],
    ids=[
        "at once",
        "after a kill",
        "before a kill",
        "its first request outlived a kill",
        "a kill before the first request",
        "after another",
        "elsewhere",
    ],
)
def test_an_upload_of_what_is_there_is_superfluous_unless_its_answer_was_lost(
    commits: list[Commit], excuses: list[float], expected: list[str]
) -> None:
    """A touched file costs one hash and nothing else (P5)."""
    first = Commit(BLOB, "old", 0.5, asked_s=0.4)
    found = repeated([first, *commits], excuses)

    assert expected == [violation.about for violation in found]


def test_a_commit_of_half_a_save_is_torn(tmp_path: Path) -> None:
    """A mixture of two contents has the right length and a plausible time: only its bytes tell."""
    drive = Drive(tmp_path, make_templates(), patience_s=60.0)
    drive.carry_out(Replace("part01.ifc", 1))
    drive.carry_out(Slice("part01.ifc", 2, 0, 2, fresh=True))
    half = drive.digest("part01.ifc")
    drive.carry_out(Slice("part01.ifc", 2, 1, 2, fresh=True))

    seen = [Commit("a", digest, 0.0) for digest in (half, drive.digest("part01.ifc"))]

    assert [half[:12]] == [violation.detail[:12] for violation in torn(seen, drive)]


def test_a_hidden_part_of_a_save_leaves_no_trace_to_look_at(tmp_path: Path) -> None:
    """Else a daemon that is deaf to hints would be told by its looks all the same."""
    drive, file = Drive(tmp_path, make_templates(), patience_s=60.0), tmp_path / "part01.ifc"
    drive.carry_out(Replace("part01.ifc", 1))
    before, digest = file.stat(), drive.digest("part01.ifc")

    for index in range(9):
        drive.carry_out(Slice("part01.ifc", 2, index, 10, fresh=False, hidden=True))

    after = file.stat()
    assert (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    assert digest != drive.digest("part01.ifc")
    drive.carry_out(Slice("part01.ifc", 2, 9, 10, fresh=False, hidden=True))
    assert drive.digest("part01.ifc") in drive.ever["part01.ifc"]


def test_a_save_is_hidden_only_while_the_daemon_hears_it() -> None:
    """No program could tell a hidden part that was written while it was down."""
    planner, hidden = Planner(7), 0
    list(planner.first_files())
    for block in (planner.block(8) for _ in range(50)):
        killed = False
        for steps in block.rounds:
            before, killed = killed, Kill(Program.DAEMON) in [step.act for step in steps]
            acts = [step.act for step in steps if isinstance(step.act, Slice) and step.act.hidden]
            assert not (acts and (killed or before))
            hidden += len(acts)

    assert hidden > 0


@pytest.mark.parametrize("path", ["part01.ifc", "large00.ifc", "part02.dxf"])
def test_every_edit_can_be_read_and_changes_an_element(tmp_path: Path, path: str) -> None:
    """A run over an edit that the connectors do not see would look superfluous."""
    templates, file = make_templates(), tmp_path / "content"
    connector = connector_for("IFC" if path.endswith("ifc") else "DWG", path)

    checksums = []
    for version in (1, 2):
        file.write_bytes(templates.content(path, version))
        items = read_source(connector, file, path)
        checksums.append([each.checksum() for each in items if isinstance(each, SourceElement)])

    assert len(checksums[0]) == len(checksums[1])
    assert checksums[0] != checksums[1]


def test_a_seed_replays_the_same_choices() -> None:
    """A violation is of use only if the same soak can be had again."""
    plans = [(list(p.first_files()), [p.block(5) for _ in range(20)]) for p in map(Planner, (7, 7))]

    assert plans[0] == plans[1]


def test_two_versions_are_two_contents() -> None:
    """Torn content is told by digests, so no two saves may look alike."""
    templates = make_templates()
    digests = {
        hashlib.sha256(templates.content(path, version)).digest()
        for path in ("part01.ifc", "part02.ifc", "part01.dxf")
        for version in range(50)
    }

    assert len(digests) == 150
