"""`twinsyncd demo --bulk`: exports of a factory's office, delivered to a bulk API row by row."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..errors import AppError, how_to_install
from ..runtime.formatting import count
from .this_command import this_command

if TYPE_CHECKING:
    from ..config import Config
    from ..runtime.bulk_deliveries import LastDelivery
    from .demo import Story

CONNECTION: Final = "Factory"
PIECES: Final = 1200  # more than fit one request
_HEAD: Final = "Project;Component;Part no;Length"
_CONFIG: Final = """\
[daemon]
state_folder = "{state}"

[[connection]]
name = "{name}"
target = "bulk"
settle = "0.5s"
batch_quiet = "1s"

  [connection.bulk]
  url = "{url}/api/v1"
  company_guid = "{company}"
  api_key_file = "{key_file}"

  [[connection.source]]
  folder = "{drive}"
  include = ["projects.csv"]
  storage_folder = "{name}/projects"
    [connection.source.rows]
    entity = "projects"
    columns = {{ code = "Project" }}
    keys = {{ guid = ["Project"] }}

  [[connection.source]]
  folder = "{drive}"
  include = ["components.csv"]
  storage_folder = "{name}/components"
    [connection.source.rows]
    entity = "components"
    columns = {{ code = "Component" }}
    keys = {{ guid = ["Project", "Component"], project_guid = ["Project"] }}

  [[connection.source]]
  folder = "{drive}"
  include = ["pieces.csv"]
  storage_folder = "{name}/pieces"
    [connection.source.rows]
    entity = "pieces"
    decimal = ","
    columns = {{ piece_id = "Part no", outer_length = "Length" }}
    [connection.source.rows.keys]
    guid = ["Project", "Part no"]
    project_guid = ["Project"]
    component_guid = ["Project", "Component"]
"""


def check_bulk_is_installed() -> None:
    """Raise AppError if the part that reads export files is not installed."""
    if importlib.util.find_spec("pyarrow") is None:
        raise AppError(
            "--bulk needs a part that is not installed (pyarrow)",
            hint=how_to_install("bulk"),
        )


def write_bulk_config(file: Path, ready: Any, folder: Path) -> None:
    """Write a configuration that delivers the folder's drive to localtwin's bulk API."""
    key_file = folder / "api_key"
    for each, text in (
        (key_file, ready.bulk_api_key),
        (
            file,
            _CONFIG.format(
                name=CONNECTION,
                state=folder / "state",
                url=ready.api_url,
                company=ready.bulk_company_guid,
                key_file=key_file,
                drive=folder / "drive",
            ),
        ),
    ):
        each.touch(mode=0o600)
        each.write_text(text, "utf-8")


def show_bulk(story: Story, ready: Any) -> None:
    """Show a first sync, an edit of two rows, a wrong row, and its correction."""
    from ..config import load

    story.chapter(1, "localtwin's bulk API is up on this machine")
    story.say("address", f"{ready.api_url}/api/v1/sync/pieces")
    story.chapter(2, f"an office exports what the factory makes: {story.drive}")
    _export(story, "projects.csv", ["Project", "Mill"])
    _export(story, "components.csv", ["Project;Component", "Mill;Gate"])
    rows = [f"Mill;Gate;G-{number};{number},5" for number in range(1, PIECES + 1)]
    _export(story, "pieces.csv", [_HEAD, *rows])
    config = load(story.config_file)
    story.chapter(3, "the first sync sends all of it, parents first")
    before = _sync(story, config, {})
    story.chapter(4, "somebody changes two lengths and exports everything again")
    rows[0], rows[1] = "Mill;Gate;G-1;99", "Mill;Gate;G-2;98"
    _export(story, "pieces.csv", [_HEAD, *rows])
    before = _sync(story, config, before)
    story.chapter(5, "a typing mistake: all other rows go in, and the wrong one is named")
    rows[2] = "Mill;Gate;G-3;long"
    rows[3] = "Mill;Gate;G-4;97"
    _export(story, "pieces.csv", [_HEAD, *rows])
    before = _sync(story, config, before, is_wrong=True)
    story.chapter(6, "the mistake is corrected")
    rows[2] = "Mill;Gate;G-3;96"
    _export(story, "pieces.csv", [_HEAD, *rows])
    _sync(story, config, before)
    story.say("go on", f"{this_command()} local --data {story.folder / 'localtwin'}")
    story.say("", f"{this_command()} run --config {story.config_file}   (in a second terminal)")


def _export(story: Story, name: str, lines: list[str]) -> None:
    (story.drive / name).write_text("\n".join(lines) + "\n", "utf-8")
    story.say("export", f"{name}: {count(len(lines) - 1, 'row')}")


def _sync(
    story: Story, config: Config, before: dict[str, LastDelivery], *, is_wrong: bool = False
) -> dict[str, LastDelivery]:
    """Run `twinsyncd sync`; print what it delivered, and return the last delivery of each file.

    Raises AppError when it ends otherwise than `is_wrong` says.
    """
    from ..runtime.bulk_deliveries import last_deliveries

    command = [sys.executable, "-m", "twinsyncd", "sync", "--config", str(story.config_file)]
    with (story.folder / "daemon.log").open("ab") as log:
        done = subprocess.run(command, stdout=log, stderr=log, check=False)  # noqa: S603 - ours
    found = last_deliveries(config, config.connection[0])
    now = {each.key.path: each for each in found}
    for path, each in now.items():
        if each == before.get(path):
            continue
        requests = count(each.requests, "request")
        counted = f"{each.updated:,} updated, {each.inserted:,} inserted, {requests}"
        story.say("delivered", f"[green]{path}: {counted}[/]")
        for row in each.rejected_rows:
            story.say("rejected", f"[yellow]{path}: {row}[/]")
    rows = sum(each.rows for each in now.values())
    good = sum(each.acknowledged for each in now.values())
    story.say("status", f"{good:,} of {count(rows, 'record')} on the drive are in the service")
    if (done.returncode != 0) is not is_wrong or (good < rows) is not is_wrong:
        hint = f"the log is in {story.folder / 'daemon.log'}"
        raise AppError("the demo did not go as it should", hint=hint)
    return now
