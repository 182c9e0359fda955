"""How bad a world is: one chance per kind of trouble, each drawn from the seed."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Chances:
    """All zero: a world without trouble, for scripts."""

    crash: float = 0.0  # at each boundary between commit and commands
    clock_jump: float = 0.0  # of the wall clock, at work and around a restart
    hint_lost: float = 0.0
    hint_late: float = 0.0  # by minutes, so it overtakes nothing and is overtaken
    overflow: float = 0.0  # the watcher says that it missed something
    scan_slow: float = 0.0  # the parts of a scan arrive late
    lost_before: float = 0.0  # a request, before it had its effect
    lost_after: float = 0.0  # the answer, after the effect
    late: float = 0.0  # the effect happens long after the time-out
    throttled: float = 0.0
    unauthorised: float = 0.0
    expired: float = 0.0  # the upload URL is no longer good when the bytes are read
    clashed: float = 0.0
    foreign: float = 0.0  # somebody else starts a run
    run_fails: float = 0.0
    run_endless: float = 0.0
    run_most_s: float = 60.0
    silent: float = 0.0  # a partial run says nothing about a file
    outage: float = 0.0
    moving: float = 0.0  # renames, also of the case only
    dance: float = 0.0  # a save as AutoCAD does it: beside, away, into place
    masses: float = 0.0  # many files deleted at once
    asked: float = 0.0  # a person presses a button
    storage_deleted: float = 0.0
    disconnected: float = 0.0  # somebody deletes the connection
    renamed: float = 0.0  # somebody gives the connection another name
    bad: float = 0.0  # a file that fails in every run
    lazy: bool = False  # the drive shows size and time of an open file only once it is closed
    watched: bool = False  # hints are relied on: scans are hours apart, nothing is lost unsaid
    away: bool = False  # the drive stays away long after all else is calm
    annex: bool = False  # a second iModel with many files
    purging: bool = False  # many more files there, cleared out step by step, with a person's word

    @classmethod
    def draw(cls, rnd: Random) -> Chances:
        def some(*choices: float) -> float:
            return rnd.choice((0.0, *choices))

        lazy, watched, purging = (rnd.random() < share for share in (0.2, 0.2, 0.1))
        reliable = lazy or watched
        return cls(
            crash=some(0.002, 0.02),
            clock_jump=some(0.0, 0.3),
            hint_lost=0.0 if reliable else some(0.3, 1.0),
            hint_late=0.0 if lazy else some(0.2),
            overflow=0.0 if lazy else some(0.0, 0.2),
            scan_slow=some(0.2),
            lost_before=some(0.1, 0.3),
            lost_after=some(0.1, 0.3),
            late=some(0.1),
            throttled=some(0.0, 0.1),
            unauthorised=some(0.0, 0.005),
            expired=some(0.1),
            clashed=some(0.05),
            foreign=some(0.1, 0.5),
            run_fails=some(0.2, 0.4),
            run_endless=some(0.0, 0.0, 0.06),
            silent=some(0.3),
            outage=some(0.0, 0.2),
            moving=some(0.3, 0.9),
            dance=some(0.5),
            masses=some(0.3),
            asked=some(0.0, 0.3),
            storage_deleted=some(0.0, 0.3),
            disconnected=some(0.0, 0.0, 0.2),
            renamed=some(0.0, 0.3),
            bad=some(0.0, 0.2),
            lazy=lazy,
            watched=watched,
            away=rnd.random() < 0.2,
            annex=rnd.random() < 0.3 or purging,
            purging=purging,
        )
