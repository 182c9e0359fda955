"""The real program and the real bulk API: exports as a factory's office writes them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from localtwin.serve import Settings, serving

from . import programs

CONFIG = """
[daemon]
state_folder = "state"
log_format = "json"

[[connection]]
name = "Factory"
target = "bulk"
settle = "0.3s"
batch_quiet = "0.5s"

  [connection.bulk]
  url = "{url}/api/v1"
  company_guid = "{company}"
  api_key_file = "api_key"

  [[connection.source]]
  folder = "exports"
  include = ["projects.csv"]
  storage_folder = "Factory/projects"
  [connection.source.rows]
  entity = "projects"
  columns = {{ code = "Project" }}
  keys = {{ guid = ["Project"] }}

  [[connection.source]]
  folder = "exports"
  include = ["components.csv"]
  storage_folder = "Factory/components"
  [connection.source.rows]
  entity = "components"
  columns = {{ code = "Component" }}
  keys = {{ guid = ["Project", "Component"], project_guid = ["Project"] }}

  [[connection.source]]
  folder = "exports"
  include = ["pieces*.csv"]
  storage_folder = "Factory/pieces"
  [connection.source.rows]
  entity = "pieces"
  decimal = ","
  columns = {{ piece_id = "Part no", outer_length = "Length" }}
  [connection.source.rows.keys]
  guid = ["Project", "Part no"]
  project_guid = ["Project"]
  component_guid = ["Project", "Component"]
"""


class Plant:
    """A folder of exports, a configuration, and the API's data."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "exports").mkdir()

    def export(self, name: str, *lines: str) -> None:
        """Write an export whole."""
        (self.folder / "exports" / name).write_text("\n".join(lines) + "\n", "utf-8")

    def call(self, command: str, *arguments: str) -> Any:
        """Run a command of the real program."""
        return programs.call(command, "--config", str(self.folder / "twinsyncd.toml"), *arguments)

    def delivered(self) -> list[tuple[str, int, int, int]]:
        """Sync; return entity, inserted, updated and requests of each delivery, sorted."""
        done = self.call("sync", "--verbose")
        lines = [line for line in (done.stdout + done.stderr).splitlines() if "{" in line]
        events = [json.loads(line[line.index("{") :]) for line in lines]
        found = [event for event in events if event.get("event") == "bulk.delivered"]
        names = ("entity", "inserted", "updated", "requests")
        return sorted(tuple(each[name] for name in names) for each in found)


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    """An office whose bulk API listens on a loopback port."""
    with _office(tmp_path, CONFIG) as plant:
        yield plant


@contextmanager
def _office(tmp_path: Path, config: str, *, snapshot: bool = False) -> Iterator[Plant]:
    with serving(Settings(tmp_path / "data", bulk_snapshot=snapshot)) as ready:
        made = Plant(tmp_path)
        key = tmp_path / "api_key"
        key.touch(0o600)
        key.write_text(ready.bulk_api_key)
        text = config.format(url=ready.api_url, company=ready.bulk_company_guid)
        (tmp_path / "twinsyncd.toml").write_text(text, "utf-8")
        made.export("projects.csv", "Project", "Mill")
        made.export("components.csv", "Project;Component", "Mill;Gate")
        made.export(
            "pieces.csv",
            "Project;Component;Part no;Length",
            "Mill;Gate;G-1;12,5",
            "Mill;Gate;G-2;3",
        )
        yield made


def test_exports_are_delivered_and_then_only_their_changes(plant: Plant) -> None:
    """From the configuration to the API's records, in whatever order the files settle."""
    check = plant.call("check")
    plant.delivered()
    status = plant.call("status")
    plant.export(
        "pieces.csv", "Project;Component;Part no;Length", "Mill;Gate;G-1;13", "Mill;Gate;G-2;4"
    )

    second = plant.delivered()
    third = plant.delivered()
    again = plant.call("sync")
    (plant.folder / "exports" / "pieces.csv").unlink()
    plant.call("sync")
    without = " ".join(plant.call("status").stdout.split())

    assert "in sync: drive and service agree on 3 files" in again.stdout
    assert check.returncode == 0, check.stdout
    assert "the API key may send records" in check.stdout
    assert "1 of 1 file synced as of" in status.stdout, "the sync has ended"
    assert second == [("pieces", 0, 2, 1)]
    assert third == []
    assert "the service has 2 of 2 records on the drive" in without
    assert "the file is not on the drive any more, its records stay" in without


def test_a_rejected_row_is_shown_with_its_place_and_fix(plant: Plant) -> None:
    """Whoever wrote the export finds the cell; nothing claims to be in sync until it is."""
    plant.export(
        "pieces.csv", "Project;Component;Part no;Length", "Mill;Gate;G-1;long", "Mill;Gate;G-2;3"
    )

    plant.delivered()
    status = plant.call("status")
    explained = plant.call("explain", "Factory/pieces/pieces.csv")
    records = json.loads(plant.call("status", "--json").stdout)["connections"][0]["records"]
    history = plant.call("history")

    assert status.returncode != 0
    shown = " ".join(status.stdout.split())
    assert 'row 2, column Length: "long" is not a number' in shown
    assert "the service has 3 of 4 records on the drive, 1 rejected" in shown
    assert "Factory/pieces/pieces.csv: 1 of 2 pieces in the service, 1 rejected" in shown
    assert 'rejected row 2, column Length: "long" is not a number' in explained.stdout
    (row,) = records["files"][0]["rejected_rows"]
    assert (row["sheet"], row["row"], row["column"]) == (None, 2, "Length")
    assert "projects.csv: 1 row of projects: 1 inserted, 0 updated in 1 request" in history.stdout


def test_a_snapshot_goes_out_once_a_person_approved_it(tmp_path: Path) -> None:
    """Whoever runs the office is told what would be deleted, and decides by one command."""
    config = CONFIG.replace("  api_key_file", '  mode = "snapshot"\n  api_key_file')
    with _office(tmp_path, config.replace("pieces*.csv", "pieces.csv"), snapshot=True) as plant:
        plant.export("components.csv", "Project;Component", "Mill;Gate", "Mill;Door")
        check = plant.call("check")
        before = plant.delivered()
        status = plant.call("status")
        approved = plant.call("approve", "Factory", "--yes")
        after = plant.delivered()
        again = plant.call("approve", "Factory", "--yes")
        plant.export("components.csv", "Project;Component", "Mill;Gate")
        resent = plant.delivered()
        synced = plant.call("sync")
        verified = plant.call("verify")
        plant.export("pieces.csv", "Project;Component;Part no;Length")
        plant.call("sync")
        held = plant.call("verify", "Factory/pieces/pieces.csv")

    assert check.returncode == 0, check.stdout
    assert verified.returncode == 0, verified.stdout
    assert held.returncode == 1
    shown = " ".join(held.stdout.split())
    assert "0 of 0 acknowledged by the service; it has 2 records more" in shown
    assert "pieces: 2 rows fit one request" in check.stdout
    assert before == []
    assert "nothing was sent" in " ".join(status.stdout.split())
    assert "2 rows of pieces" in approved.stdout
    assert "the service deletes all pieces of the company" in approved.stdout
    assert ("pieces", 2, 0, 1) in after
    assert "nothing of Factory waits" in again.stdout
    assert resent == [("components", 0, 1, 1), ("pieces", 0, 2, 1)], "the door had pieces, perhaps"
    assert synced.returncode == 0, synced.stdout


def test_verify_counts_records_and_names_those_that_are_missing(plant: Plant) -> None:
    """Files that were stored prove nothing; the records on the drive must be acknowledged."""
    plant.delivered()
    before = plant.call("verify")
    plant.export(
        "pieces.csv",
        "Project;Component;Part no;Length",
        "Mill;Gate;G-1;long",
        "Mill;Gate;G-2;4",
        "Mill;Gate;G-3;5",
        ";;;",
        ";;;",
    )

    after = plant.call("verify")
    as_json = json.loads(plant.call("verify", "Factory/pieces/pieces.csv", "--json").stdout)
    head = "Project;Component;Part no;Length"
    plant.export("pieces.csv", head, *["Mill;Gate;G-1;12,5"] * 2, "Mill;Gate;G-2;3")
    doubled = " ".join(plant.call("verify", "Factory/pieces/pieces.csv").stdout.split())

    assert before.returncode == 0, before.stdout
    assert "2 of 2 acknowledged by the service" in before.stdout
    assert after.returncode == 1
    shown = " ".join(after.stdout.split())
    assert "0 of 3 acknowledged by the service" in shown
    assert "more than once" not in shown
    assert 'row 2, column Length: "long" is not a number' in shown
    assert "row 3: the service has another version of this record" in shown
    assert "row 4: not acknowledged as the file has it" in shown
    assert [file["verdict"] for file in as_json] == ["not current"]
    assert "1 of 3 acknowledged by the service; 1 row there more than once" in doubled


def test_a_record_with_two_contents_is_named_wherever_a_person_looks(plant: Plant) -> None:
    """Each save of one file would undo the other's; nobody would notice for months."""
    head = "Project;Component;Part no;Length"
    plant.export("pieces-2.csv", head, "Mill;Gate;G-3;1", "Mill;Gate;G-1;99")
    plant.export("pieces-3.csv", head, "Mill;Gate;G-2;3")

    synced = plant.call("sync")
    status = plant.call("status")
    verified = plant.call("verify")
    explained = plant.call("explain", "Factory/pieces/pieces.csv")
    history = plant.call("history")
    report = json.loads(plant.call("status", "--json").stdout)["connections"][0]["records"]
    plant.export("pieces-2.csv", head, "Mill;Gate;G-3;1", "Mill;Gate;G-1;12,5")
    plant.delivered()
    mended = plant.call("sync")
    agrees = plant.call("verify")

    assert [each.returncode for each in (synced, status, verified)] == [1, 1, 1]
    conflict = "row 2, column Length: pieces-2.csv, row 3, has the same record with outer_length 99"
    for shown in (synced, status, verified, explained, history):
        assert conflict in " ".join(shown.stdout.split()), shown.stdout
    rows = {file["path"]: file["rejected_rows"] for file in report["files"]}
    assert [row["row"] for row in rows["pieces.csv"]] == [2]
    assert rows["pieces-2.csv"] == rows["pieces-3.csv"] == []
    assert mended.returncode == 0, mended.stdout
    assert agrees.returncode == 0, agrees.stdout


def test_rows_without_parents_are_sent_once_and_again_when_these_came(plant: Plant) -> None:
    """A service that is asked the same eight times writes eight errors into somebody's log."""
    (plant.folder / "exports" / "components.csv").unlink()

    first = plant.delivered()
    waits = plant.call("status")
    again = plant.delivered()
    plant.export("components.csv", "Project;Component", "Mill;Gate")
    came = plant.delivered()
    synced = plant.call("sync")

    assert first == [("pieces", 0, 0, 1), ("projects", 1, 0, 1)]
    assert "send its parents first" in " ".join(waits.stdout.split())
    assert again == []
    assert came == [("components", 1, 0, 1), ("pieces", 2, 0, 1)]
    assert synced.returncode == 0, synced.stdout
