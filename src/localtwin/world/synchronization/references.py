"""Reference files: what a source file of a manifest run draws on, fetched beside it.

They are no source files: a run brings in what the master makes of them.
Source: Synchronization API, "Create ManifestConnection run", property children.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection as Transaction
from sqlalchemy import insert, select, update

from localtwin.world.tables import references, tasks


@dataclass(frozen=True, slots=True)
class Child:
    """A reference file as the caller names it; `name` has no folder in it."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference file of a task; `problem` says why it is missing."""

    task_id: str
    position: int
    name: str
    content: str
    url: str | None
    problem: str | None


def remember(
    transaction: Transaction, task_id: str, folder: str, children: Sequence[Child]
) -> None:
    """Record what the task draws on; each will be in `folder`, under its own name."""
    rows = [
        {
            "task_id": task_id,
            "position": position,
            "name": child.name,
            "content": f"{folder}/{child.name}",
            "url": child.url,
        }
        for position, child in enumerate(children)
    ]
    if rows:
        transaction.execute(insert(references), rows)


def references_of(transaction: Transaction, run_ids: Sequence[str]) -> dict[str, list[Reference]]:
    """Return the reference files of the runs' tasks, by the ids of the tasks."""
    query = (
        select(references)
        .join(tasks, tasks.c.id == references.c.task_id)
        .where(tasks.c.run_id.in_(run_ids))
        .order_by(references.c.task_id, references.c.position)
    )
    found: dict[str, list[Reference]] = {}
    for row in transaction.execute(query):
        found.setdefault(row.task_id, []).append(Reference(**row._mapping))
    return found


def note_problems(transaction: Transaction, problems: Mapping[tuple[str, int], str]) -> None:
    """Record why reference files are missing, by task and position."""
    for (task_id, position), problem in problems.items():
        here = (references.c.task_id == task_id) & (references.c.position == position)
        transaction.execute(update(references).where(here).values(problem=problem))


def forget_urls(transaction: Transaction, run_id: str) -> None:
    """Forget where the run's reference files were."""
    of_run = select(tasks.c.id).where(tasks.c.run_id == run_id)
    drawn_on = references.c.task_id.in_(of_run)
    transaction.execute(update(references).where(drawn_on).values(url=None))
