"""Reference files of a run: they lie beside the source file that refers to them.

Those of a manifest run are fetched, those of a file of Storage frozen with it.

They are not source files: no connector reads them by themselves.
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
    """A reference file as the caller names it; `name` has no folder in it.

    Without a `url` it is frozen with the source file and needs no fetching.
    """

    name: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference file of a task; `problem` says why it is missing."""

    task_id: str
    position: int
    name: str
    content: str
    url: str | None
    problem: str | None


def record(transaction: Transaction, task_id: str, folder: str, children: Sequence[Child]) -> None:
    """Record the references of a task; each will be in `folder`, under its own name."""
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


def delete_urls(transaction: Transaction, run_id: str) -> None:
    """Delete the URLs of the run's reference files; they are secrets."""
    of_run = select(tasks.c.id).where(tasks.c.run_id == run_id)
    of_tasks = references.c.task_id.in_(of_run)
    transaction.execute(update(references).where(of_tasks).values(url=None))
