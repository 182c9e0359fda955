"""`twinsyncd demo`: localtwin, a sample drive and the real daemon, step by step."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ..errors import AppError, JournalError
from ..runtime.formatting import count, duration, size
from .demo_bulk import check_bulk_is_installed, show_bulk, write_bulk_config
from .demo_folder import DemoFolder, files_below, make_room, usual_folder, write_config
from .local import localtwin_serve
from .this_command import this_command

if TYPE_CHECKING:
    from rich.console import Console

    from ..config import Config
    from ..journal.views import Status

TERMINALS: Final = ("one", "a second", "a third")
LOOK_S: Final = 0.1
PATIENCE_S: Final = 300.0  # a slow machine may take its time, a broken demo must end
REVIVE_S: Final = 60.0  # how long a killed daemon is left to whoever killed it


def demo(
    folder: DemoFolder = None,
    manifest: Annotated[
        bool,
        typer.Option("--manifest", help="By a manifest connection, from a folder that is served."),
    ] = False,
    bulk: Annotated[
        bool,
        typer.Option("--bulk", help="By a bulk connection: rows of a factory's export files."),
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Delete an earlier demo without asking.")
    ] = False,
) -> None:
    """Watch it work: a first sync of real design files, an edit, the changeset. Needs no cloud."""
    from rich.console import Console

    from .served import Served, served_folder

    serve = localtwin_serve()
    console = Console(highlight=False)
    if bulk and manifest:
        raise AppError("--bulk and --manifest are two demos", hint="give one of them")
    if bulk:
        check_bulk_is_installed()
    folder = (folder or usual_folder(manifest=manifest, bulk=bulk)).absolute()
    make_room(folder, may_delete=yes)
    started_s = time.monotonic()
    try:
        with ExitStack() as stack:
            ready = stack.enter_context(serve.serving(serve.Settings(folder / "localtwin")))
            file = folder / "twinsyncd.toml"
            if bulk:
                write_bulk_config(file, ready, folder)
                show_bulk(Story(console, folder, file, "the bulk API"), ready)
            else:
                served = Served()
                if manifest:
                    served = stack.enter_context(served_folder(folder / "served"))
                write_config(file, ready, folder, served.keys)
                place = "the folder that is served" if manifest else "iTwin Storage"
                _post_hint(Story(console, folder, file, place, served.command), ready)
    except serve.SetupError as problem:
        raise AppError(str(problem)) from problem
    console.print(f"\nThe demo took {duration(time.monotonic() - started_s)}.")


@dataclass(frozen=True, slots=True)
class Story:
    """What the chapters share."""

    console: Console
    folder: Path
    config_file: Path
    place: str  # where the files go
    serve: str = ""  # the command that serves them, where the platform fetches them

    @property
    def drive(self) -> Path:
        """Where the sample drive lies."""
        return self.folder / "drive"

    def say(self, topic: str, text: str) -> None:
        """Print one line of the story."""
        self.console.print(f"   [cyan]{topic:9}[/] {text}", soft_wrap=True)

    def chapter(self, number: int, text: str) -> None:
        """Print a heading."""
        self.console.print(f"\n[bold]{number}  {text}[/]", soft_wrap=True)


def _post_hint(story: Story, ready: Any) -> None:
    from localtwin.sample_drive import edit_sample, make_sample_drive

    from ..config import load

    story.chapter(1, "localtwin, the iTwin Platform on this machine, is up")
    story.say("address", ready.api_url)
    story.say("data", str(ready.data))
    make_sample_drive(story.drive)
    files = files_below(story.drive)
    formats = sorted({file.suffix.removeprefix(".").upper() for file in files})
    story.chapter(2, f"a shared drive with real {', '.join(formats)} files: {story.drive}")
    for file in files:
        story.say(size(file.stat().st_size).rjust(9), file.relative_to(story.drive).as_posix())
    config = load(story.config_file)
    with _daemon(story) as process:
        story.chapter(3, f"the daemon (process {process.pid}) makes the iModel equal to it")
        written = _report_sync(story, config, process, 1)
        edit = edit_sample(story.drive)
        story.chapter(4, f"somebody edits {edit.path}")
        story.say("edit", edit.sentence)
        _report_sync(story, config, process, 2, skip=written)
    _prove(story, config)


def _report_sync(
    story: Story, config: Config, daemon: DaemonSection, run: int, *, skip: int = 0
) -> int:
    """Wait for the given run's end and print what was seen, uploaded, run and written.

    Leaves out the first `skip` changesets; returns how many there are now.
    """
    from ..journal.views import total_counts
    from ..runtime.open_files import open_file
    from ..runtime.verify import changesets

    seen = _wait_for(story, config, daemon, lambda status: len(status.runs) >= run)
    record = seen.runs[0]
    story.say("seen", f"{count(record.files, 'changed file')}, settled on the drive")
    story.say("uploaded", f"{count(record.files, 'file')} to {story.place}, whole and verified")
    length = duration(record.ended_s - record.started_s)
    story.say("run", f"{record.connection}: {record.outcome.value} in {length}")
    written = changesets(config, config.connection[0].imodel_id)
    for changeset in written[skip:]:
        summary = changeset.description.rpartition(" - ")[2]
        story.say("written", f"[green]changeset {changeset.index}: {summary}[/]")
        if skip:
            folder = _imodel_folder(story, config)
            story.say("drawing", str(folder / "changesets" / f"{changeset.id}.svg"))
            story.say("", "its plan: inserted in green, updated in amber, deleted in red")
            story.say("details", f"{this_command()} imodel diff {folder / 'imodel.sqlite'}")
    total = total_counts(seen.counts)
    story.say("status", f"{total.synced} of {count(total.known, 'file')} synced")
    for each in map(open_file, seen.open_files):
        story.say("not yet", f"{each.path}: {each.state} {each.reason}")
    return len(written)


def _imodel_folder(story: Story, config: Config) -> Path:
    return story.folder / "localtwin" / "imodels" / config.connection[0].imodel_id


def _prove(story: Story, config: Config) -> None:
    """Compare the drive with Storage's digests, and its elements with those of the iModel."""
    from localtwin.imodel.report import SourceOrder
    from localtwin.imodel.verify import differences

    from ..runtime.verify import proven

    imodel = _imodel_folder(story, config)
    rows = list(proven(config))
    equal = [row for row in rows if row.digest == row.synced]
    wrong = [
        difference
        for row in rows
        for difference in differences(
            imodel / "imodel.sqlite",
            SourceOrder(row.storage_id, row.file.name, row.file, row.connector),
        )
    ]
    story.chapter(5, "proof: drive, journal and iModel compared once more")
    story.say(
        "digests", f"{len(equal)} of {count(len(rows), 'file')}: SHA-256 of the drive = synced"
    )
    story.say(
        "elements", f"{count(len(wrong), 'difference')} between the drive's files and the iModel"
    )
    command = this_command()
    programs = [
        *([story.serve] if story.serve else []),  # first: localtwin fetches the files from it
        f"{command} local --data {story.folder / 'localtwin'}",
        f"{command} run --config {story.config_file}",
    ]
    for place, program in enumerate(programs):
        story.say("" if place else "go on", f"{program}   (in {TERMINALS[place]} terminal)")
    if not story.serve:
        story.say("also", f"{command} demo --manifest   (the files stay in a place of your own)")
    if wrong or len(equal) < len(rows) or not rows:
        raise AppError("the demo did not end in sync")


# ---- the daemon, as a process of its own -------------------------------------------------


class DaemonSection:
    """`twinsyncd run` beside us; revived after a while if somebody kills it."""

    def __init__(self, story: Story) -> None:
        """Start it; its log goes to a file."""
        self._story = story
        self._log = (story.folder / "daemon.log").open("ab")
        self._process = self._start()
        self._died_s = 0.0

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def watch(self) -> None:
        """Notice a death: say so, leave the field to the user for a while, then revive it."""
        if self._process.poll() is None:
            return
        if not self._died_s:
            self._died_s = time.monotonic()
            self._story.say(
                "killed", f"the daemon ended ({self._process.returncode}); nothing is lost:"
            )
            self._story.say("", f"{this_command()} status --config {self._story.config_file}")
            self._story.say("", f"{this_command()} sync --config {self._story.config_file}")
            self._story.say("", f"or wait: it is started again in {duration(REVIVE_S)}")
        elif time.monotonic() - self._died_s > REVIVE_S:
            self.revive()

    def revive(self) -> None:
        """Start it again if it is dead, as a service manager would."""
        if self._process.poll() is not None:
            self._process = self._start()
            self._died_s = 0.0
            self._story.say("revived", f"the daemon is back (process {self.pid})")

    def stop(self) -> None:
        """End it politely."""
        self._process.terminate()
        self._process.wait(30)
        self._log.close()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "twinsyncd", "run", "--config"]
        return subprocess.Popen(  # noqa: S603 - our own program, our own file
            [*command, str(self._story.config_file)], stderr=self._log
        )


@contextmanager
def _daemon(story: Story) -> Iterator[DaemonSection]:
    daemon = DaemonSection(story)
    try:
        yield daemon
    finally:
        daemon.stop()


def _wait_for(
    story: Story, config: Config, daemon: DaemonSection, condition: Callable[[Status], bool]
) -> Status:
    """Look at the journal until the condition holds, whoever makes it hold."""
    from ..runtime.state import is_running

    end_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < end_s:
        daemon.watch()
        seen = _look(config)
        if seen is not None and condition(seen):
            if not is_running(config):
                daemon.revive()
            return seen
        time.sleep(LOOK_S)
    raise AppError(
        "the demo did not get on", hint=f"the daemon's log is in {story.folder / 'daemon.log'}"
    )


def _look(config: Config) -> Status | None:
    """Return what the journal says, or None while there is none."""
    from ..runtime.state import read_status

    try:
        return read_status(config)
    except JournalError:
        return None
