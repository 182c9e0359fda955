# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""Scans, looks and hashes of the virtual drive, with all that may come between."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from twinsyncd.core import commands, drive_facts, facts
from twinsyncd.core.model import BlindSpot, FileKey, Fingerprint

if TYPE_CHECKING:
    from .world import World

HASH_S = 3.0  # reading a file takes at most as long
SILENCE_S = 20.0  # so long a drive may be silent before it is given up
SLOW_S = 40.0  # how late the parts of a slow scan may be


class VirtualSight:
    """Carries out what disk does."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.ends_s: dict[str, float] = {}  # when the newest list of each source is through

    def begin(self, command: commands.DriveCommand) -> None:
        if self.world.now_s < self.world.drive.hung_until_s:
            self._give_up(command)
            return
        match command:
            case commands.Scan():
                self._soon(partial(self._scan, command))
            case commands.LookAt():
                self._soon(partial(self._look, command))
            case commands.Hash():
                self._soon(partial(self._hash, command))
            case commands.Rehash():
                self._soon(partial(self._rehash, command))

    def _give_up(self, command: commands.DriveCommand) -> None:
        """Answer as the daemon's own threads do when a drive has been silent for too long."""
        silent, since_s = "the drive does not answer", self.world.now.wall_s
        match command:
            case commands.Scan(source):
                answers: list[facts.Fact] = [
                    facts.ScanFailed(source, silent, silent_since_s=since_s)
                ]
            case commands.LookAt(source, paths):
                answers = [facts.LookFailed(FileKey(source, path), silent) for path in paths]
                answers.append(facts.Looked(source, ()))
            case commands.Hash(key):
                answers = [facts.HashMissed(key, silent)]
            case commands.Rehash(key):
                answers = [facts.Rehashed(key, None, "")]
        asked = drive_facts.source_of(answers[-1])
        self.world.answer(SILENCE_S / 2, facts.ShareSlow(asked, silent, since_s))
        for fact in answers:
            self.world.answer(SILENCE_S, fact)
        left_s = self.world.drive.hung_until_s - self.world.now_s
        self.world.answer(max(left_s, SILENCE_S), facts.ShareAnswers(asked))

    def still(self, key: FileKey, fingerprint: Fingerprint) -> bool:
        file = self.world.drive.see(key)
        return file is not None and file.fingerprint == fingerprint

    def _soon(self, action: Callable[[], None], most_s: float = 0.5) -> None:
        epoch = self.world.epoch
        self.world.later(
            self.world.rnd.uniform(0.01, most_s),
            lambda: action() if self.world.epoch == epoch else None,
        )

    # ---- scans ------------------------------------------------------------------------

    def _scan(self, command: commands.Scan) -> None:
        drive, source = self.world.drive, command.source
        known = self._known(source)
        there = {key for key in drive.files if key.source == source and drive.shows(key)}
        failed = self._refusal(command, missing_count=0 if there else len(known))
        if failed is not None:
            self.world.answer(0.0, failed)
            return
        listed = {key.path: drive.files[key].fingerprint for key in there if self._shows(key)}
        listed = dict(sorted(listed.items()))
        missing = tuple(p for p in known if p not in listed and self._shows(FileKey(source, p)))
        kind_of = self.world.office.kind_of
        found = tuple(
            (path, look)
            for path, look in listed.items()
            if known.get(path) != look and kind_of(FileKey(source, path)) is not None
        )
        broken = tuple(BlindSpot(folder, "EIO") for folder in sorted(drive.broken_folders))
        scanned = facts.Scanned(source, drive.identity, len(known), missing, broken)
        self._tell(source, found, scanned)

    def _known(self, source: str) -> dict[str, Fingerprint]:
        return {
            key.path: row.fingerprint
            for key, row in self.world.journal.files.items()
            if key.source == source and row.fingerprint is not None
        }

    def _refusal(self, command: commands.Scan, *, missing_count: int) -> facts.ScanFailed | None:
        drive = self.world.drive
        if drive.outage == "offline":
            return facts.ScanFailed(command.source, "offline")
        amiss = partial(facts.ScanFailed, command.source, needs_person=True, drive=drive.identity)
        if command.identity not in ("", drive.identity):
            return amiss("another drive")
        if missing_count and not command.approved:
            return amiss("empty where it was not", missing_count=missing_count)
        return None

    def _shows(self, key: FileKey) -> bool:
        return not self.world.drive.is_broken(key)

    def _tell(
        self,
        source: str,
        found: tuple[tuple[str, Fingerprint], ...],
        scanned: facts.Scanned,
    ) -> None:
        """Report in two parts and an end, in order, sometimes long after they were true."""
        world = self.world
        slow_s = world.rnd.uniform(0.0, SLOW_S) if world.chance(world.chances.scan_slow) else 0.0
        self.ends_s[source] = world.now_s + slow_s
        half = len(found) // 2
        for part, late_s in ((found[:half], slow_s / 3), (found[half:], slow_s / 2)):
            if part:
                world.answer(late_s, facts.FilesFound(source, part))
        world.answer(slow_s + 0.01, scanned)

    # ---- looks and hashes -------------------------------------------------------------

    def _look(self, command: commands.LookAt) -> None:
        drive = self.world.drive
        looks: list[tuple[str, Fingerprint | None]] = []
        for path in command.paths:
            key = FileKey(command.source, path)
            if drive.outage == "offline" or drive.is_broken(key):
                self.world.answer(0.0, facts.LookFailed(key, "EIO"))
                continue
            file = drive.see(key)
            looks.append((path, file.fingerprint if file else None))
        self.world.answer(0.0, facts.Looked(command.source, tuple(looks)))

    def _hash(self, command: commands.Hash) -> None:
        """Read for a while; what changes meanwhile without showing is read half and half."""
        drive = self.world.drive
        before = drive.see(command.key)
        fits = before is not None and before.fingerprint == command.fingerprint

        def close() -> None:
            after = drive.see(command.key)
            if not (fits and before and after and self.still(command.key, command.fingerprint)):
                missed = facts.HashMissed(command.key, "changed while it was read", moved=True)
                self.world.answer(0.0, missed)
                return
            content = before.content
            if content != after.content:
                content = f"{before.content}|{after.content}"
                drive.torn.add(content)
            self.world.answer(0.0, facts.Hashed(command.key, command.fingerprint, content))

        self._soon(close, HASH_S)

    def _rehash(self, command: commands.Rehash) -> None:
        file = self.world.drive.see(command.key)
        if file is None or file.fingerprint != command.fingerprint:
            self.world.answer(0.0, facts.Rehashed(command.key, None, ""))
            return
        self.world.answer(0.0, facts.Rehashed(command.key, file.fingerprint, file.content))
