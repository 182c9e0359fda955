"""Digests of instances with all that they refer to, what is referred to first.

Level by level on arrays; a walk from instance to instance takes ten times as long.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from localtwin.connectors.ifc_hashes import Hashes, Places, mixed, sums_by_row

_MISSING = np.uint64(0x6D697373)
# How often all references are gone through at most, since shapes are seldom deeper in shapes.
_WORK_MAX = 20
_ROUNDS_IN_CIRCLES = 32  # references that an edit is seen through where there is no first or last


@dataclass(slots=True)
class Links:
    """The references of a file: row `rows[k]` refers to row `targets[k]`, by a factor.

    Rows ascend; a target that is missing is the row after the last. `own` is what each row says
    beside. `cut` rows count by `identities`, whatever they refer to.
    """

    own: Hashes
    rows: Places
    targets: Places
    factors: Hashes
    cut: NDArray[np.bool_]
    identities: Hashes

    def content(self, known: Hashes) -> Hashes:
        """Return what every row says, objects too, given the digests of what they refer to."""
        sums = sums_by_row(self.rows, mixed(known[self.targets]) * self.factors, len(self.own))
        return mixed(self.own + sums)


def closures(links: Links) -> Hashes:
    """Return the digest of each row; what it refers to comes first, level by level."""
    count = len(links.own)
    known: Hashes = np.append(links.identities, _MISSING)
    is_known = np.append(links.cut, True)
    wanted = ~links.cut[links.rows]
    rows, targets, factors = links.rows[wanted], links.targets[wanted], links.factors[wanted]
    left = np.flatnonzero(~links.cut)
    waits: NDArray[np.bool_] = np.zeros(count, np.bool_)
    work = _WORK_MAX * (len(rows) + count)
    while len(left) and work > 0:
        work -= len(rows) + len(left)
        waits[left] = False
        waits[rows[~is_known[targets]]] = True
        is_ready, is_left = ~waits[rows], waits[left]
        ready = left[~is_left]
        if not len(ready):
            break
        _settle(known, links.own, ready, (rows[is_ready], targets[is_ready], factors[is_ready]))
        is_known[ready] = True
        rows, targets, factors = rows[~is_ready], targets[~is_ready], factors[~is_ready]
        left = left[is_left]
    if len(left):
        _settle_deep(known, links.own, left, (rows, targets, factors))
    return known


def _settle_deep(
    known: Hashes, own: Hashes, left: Places, links: tuple[Places, Places, Hashes]
) -> None:
    """Set the digests of long chains in one walk, and of circles in a few rounds."""
    rows, targets, factors = links
    levels = np.full(len(known), -1, np.int64)
    for level, found in enumerate(_levels(left, rows, targets)):
        levels[found] = level
    order = np.argsort(levels[rows], kind="stable")
    rows, targets, factors = rows[order], targets[order], factors[order]
    begins = np.searchsorted(levels[rows], np.arange(-1, levels.max() + 2))
    chosen = left[np.argsort(levels[left], kind="stable")]
    firsts = np.searchsorted(levels[chosen], np.arange(-1, levels.max() + 2))
    for place in range(1, len(begins) - 1):
        part = slice(begins[place], begins[place + 1])
        links = rows[part], targets[part], factors[part]
        _settle(known, own, chosen[firsts[place] : firsts[place + 1]], links)
    circles, part = chosen[: firsts[1]], slice(0, begins[1])
    for _ in range(_ROUNDS_IN_CIRCLES if len(circles) else 0):
        _settle(known, own, circles, (rows[part], targets[part], factors[part]))


def _levels(left: Places, rows: Places, targets: Places) -> Iterator[list[int]]:
    """Yield rows that refer only to those before; rows in circles are in none."""
    waiting = dict.fromkeys(left.tolist(), 0)
    above: defaultdict[int, list[int]] = defaultdict(list)
    for row, target in zip(rows.tolist(), targets.tolist(), strict=True):
        if target in waiting:
            waiting[row] += 1
            above[target].append(row)
    level = [row for row, count in waiting.items() if not count]
    while level:
        yield level
        after = []
        for row in (each for done in level for each in above[done]):
            waiting[row] -= 1
            if not waiting[row]:
                after.append(row)
        level = after


def _settle(
    known: Hashes, own: Hashes, chosen: Places, links: tuple[Places, Places, Hashes]
) -> None:
    """Set the digests of the chosen rows; `links` are theirs alone."""
    rows, targets, factors = links
    values = mixed(known[targets]) * factors
    sums = own[chosen].copy()
    if len(rows):
        begins = np.flatnonzero(np.append(True, rows[1:] != rows[:-1]))
        sums[np.searchsorted(chosen, rows[begins])] += np.add.reduceat(values, begins)
    known[chosen] = mixed(sums)
