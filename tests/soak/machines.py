"""`python -m soak.machines`: two daemons share a journal; kill, freeze, cut off, and prove.

Each round saves some files while something happens to one of the two machines, to its way to the
database, or to the database itself; a frozen or cut-off machine stays so until its lease has ended
and the other one has taken over. At the end of each round both are let go, and everything must be
equal: the drive and Storage, with no two runs at once, and none for nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import secrets
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final

import psycopg

from localtwin.serve import Ready, Settings, serving
from postgres_host import PostgresHost, Relay, postgres_programs, running_postgres
from system.drawings import drawing
from twinsyncd.errors import JournalError
from twinsyncd.journal.location import Server
from twinsyncd.journal.views import Status, Views

from .platform import Platform
from .programs import Process

FILES: Final = 6
REST_S: Final = 180.0
LEASE_S: Final = 21.0  # a little longer than a lease
ACTS: Final = ("nothing", "kill", "freeze", "cut off", "server crash", "kill both")


@dataclass(slots=True)
class Machine:
    """One machine: its daemon, and its own way to the database."""

    name: str
    daemon: Process
    relay: Relay


@dataclass(slots=True)
class Soak:
    """Two machines of one office, under way."""

    drive: Path
    server: Server
    host: PostgresHost
    platform: Platform
    machines: list[Machine]
    chance: random.Random
    acts: Counter[str] = field(default_factory=Counter)
    saves: int = 0
    takeovers: int = 0
    longest_rest_s: float = 0.0
    violations: list[str] = field(default_factory=list)
    _contents: dict[str, bytes] = field(default_factory=dict)
    _round_saves: int = 0

    def round(self) -> None:
        """Save files while something happens, then wait until all is equal and look."""
        act, machine = self.chance.choice(ACTS), self.chance.choice(self.machines)
        self.acts[act] += 1
        self._round_saves = 0
        runs_before = len(self.platform.runs())
        self._save()
        time.sleep(self.chance.uniform(0.0, 3.0))
        with self._during(act, machine):
            self._save()
        self._rest()
        self._prove(runs_before)

    @contextmanager
    def _during(self, act: str, machine: Machine) -> Iterator[None]:
        """Let it happen to the machine; what lasts ends with the context, after a lease."""
        match act:
            case "kill":
                machine.daemon.replace()
                yield
            case "kill both":
                for each in self.machines:
                    each.daemon.replace()
                yield
            case "freeze":
                machine.daemon.signal(signal.SIGSTOP)
                yield
                self._takeover(machine)
                machine.daemon.signal(signal.SIGCONT)
            case "cut off":
                machine.relay.lose()
                yield
                self._takeover(machine)
                machine.relay.carry()
            case "server crash":
                self.host.stop(signal.SIGQUIT)
                yield
                time.sleep(self.chance.uniform(0.0, 5.0))
                self.host.start()
            case _:
                yield

    def _takeover(self, machine: Machine) -> None:
        """Wait until the other machine serves what this one did."""
        time.sleep(LEASE_S + self.chance.uniform(0.0, 12.0))
        status = self._status()
        served = (
            {each.name: each.lanes for each in status.machines if each.is_alive} if status else {}
        )
        if any(name != machine.name and lanes for name, lanes in served.items()):
            self.takeovers += 1
        else:
            self.violations.append(f"nobody took over from {machine.name}: {served}")

    def _save(self) -> None:
        for _ in range(self.chance.randint(1, 3)):
            name, content = f"plan {self.chance.randrange(FILES)}.dxf", drawing(self.saves)
            self.saves += 1
            self._round_saves += 1
            draft = self.drive.with_name("draft")
            draft.write_bytes(content)
            draft.replace(self.drive / name)
            self._contents[name] = content

    def _rest(self) -> None:
        began_s, last_s = time.monotonic(), time.time()
        while not self._is_at_rest(last_s):
            if time.monotonic() > began_s + REST_S:
                self.violations.append(f"no rest: {self._status()}")
                return
            for each in self.machines:
                if each.daemon.revive():
                    self.violations.append(f"{each.name} ended by itself: {each.daemon.died}")
            time.sleep(0.25)
        self.longest_rest_s = max(self.longest_rest_s, time.monotonic() - began_s)

    def _is_at_rest(self, changed_s: float) -> bool:
        status = self._status()
        if status is None or status.daemon is None or status.open_total:
            return False
        synced = sum(each.synced for each in status.counts)
        served = any(each.is_alive and each.lanes for each in status.machines)
        is_idle = status.daemon.is_idle and status.daemon.beat_s > changed_s + 1.0
        return served and is_idle and synced == len(self._contents)

    def _status(self) -> Status | None:
        try:
            views = Views(self.server)
        except JournalError:
            return None
        try:
            return views.status()
        except JournalError:
            return None
        finally:
            views.close()

    def _prove(self, runs_before: int) -> None:
        """Compare the drive with Storage and with the journal, and look at the runs."""
        expected = {name: _digest(content) for name, content in self._contents.items()}
        stored = {
            each.path.rpartition("/")[2]: _digest(self.platform.content(each.item))
            for each in self.platform.files()
        }
        if stored != expected:
            self.violations.append(f"Storage holds {stored}, the drive {expected}")
        with psycopg.connect(self.server.url) as opened:
            query = f'SELECT path, synced FROM "{self.server.schema}".files'  # noqa: S608 - ours
            synced: dict[str, str] = dict(opened.execute(query.encode()).fetchall())
        if synced != expected:
            self.violations.append(f"the journal says {synced}, the drive {expected}")
        runs = self.platform.runs()
        self.violations += [
            f"two runs at once: {one} and {two}"
            for one, two in pairwise(runs)
            if two.started_s < one.ended_s
        ]
        new = runs[runs_before:]
        if len(new) > self._round_saves:
            self.violations.append(f"{len(new)} runs for {self._round_saves} saves: {new}")
        self.violations += [f"a run of nothing new: {run}" for run in new if run.wrote_nothing]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@contextmanager
def open_soak(folder: Path, seed: int) -> Iterator[Soak]:
    """Yield a soak with everything running; ends every process that it started."""
    programs = postgres_programs()
    if programs is None:
        sys.exit("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    with serving(Settings(folder / "localtwin")) as ready:
        pass  # it makes what the configuration names
    drive = folder / "drive"
    drive.mkdir()
    with ExitStack() as stack:
        host = stack.enter_context(running_postgres(programs))
        port = ["--port", ready.api_url.rpartition(":")[2]]
        local = Process("localtwin", ["--data", str(ready.data), *port], folder / "localtwin.log")
        stack.enter_context(local)
        server, machines = host.new_server(), []
        for name in ("first", "second"):
            relay = Relay(host)
            stack.callback(relay.close)
            config = _config(folder, name, ready, replaced(server, relay.url))
            daemon = Process("twinsyncd", ["run", "-c", str(config)], folder / f"{name}.log")
            machines.append(Machine(name, stack.enter_context(daemon), relay))
        platform = stack.enter_context(Platform(ready))
        yield Soak(drive, server, host, platform, machines, random.Random(seed))  # noqa: S311


def replaced(server: Server, url: str) -> Server:
    """Return the same journal by another way."""
    return Server(url, server.schema)


def _config(folder: Path, name: str, ready: Ready, server: Server) -> Path:
    file = folder / f"{name}.toml"
    file.touch(mode=0o600)
    text = f"""[platform]
api_url = "{ready.api_url}"
issuer_url = "{ready.issuer_url}"

[auth]
client_id = "{ready.client_id}"
client_secret = "{ready.client_secret}"

[daemon]
state_folder = "{folder / name}"
journal = "{server.url}"
journal_schema = "{server.schema}"
machine = "{name}"
log_format = "json"

[[connection]]
name = "Soak"
itwin_id = "{ready.itwin_id}"
imodel_id = "{ready.imodel_id}"
settle = "0.3s"
batch_quiet = "0.5s"
poll = "1s"

  [[connection.source]]
  folder = "{folder / "drive"}"
"""
    file.write_text(text, "utf-8")
    return file


def main() -> int:
    """Return 0 when no promise was broken; else keep what there is."""
    parser = argparse.ArgumentParser(prog="soak.machines", description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="soak-machines-"))
    print(f"seed {given.seed}, {given.rounds} rounds, in {folder}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with open_soak(folder, given.seed) as soak:
        done = _rounds(soak, given.rounds, lambda text: print(text, flush=True))
        runs = len(soak.platform.runs())
    print(f"rounds {done}: {dict(soak.acts)}; {soak.saves} saves, {runs} runs")
    print(f"taken over {soak.takeovers} times; longest rest {soak.longest_rest_s:.0f} s")
    print(f"broken promises: {len(soak.violations)}")
    for each in soak.violations:
        print(f"  {each}")
    return 1 if soak.violations else 0


def _rounds(soak: Soak, rounds: int, report: Callable[[str], None]) -> int:
    for number in range(1, rounds + 1):
        soak.round()
        if soak.violations:
            return number
        if number % 10 == 0:
            report(f"round {number}: {dict(soak.acts)}")
    return rounds


if __name__ == "__main__":
    sys.exit(main())
