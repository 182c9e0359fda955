"""Finds the iModel that a person names, and writes the files that commands produce."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ..errors import AppError, how_to_install

if TYPE_CHECKING:
    from localtwin.world.imodels.listing import ListedIModel


@contextmanager
def readable_errors() -> Iterator[None]:
    """Turn what localtwin and the disk raise into errors with a hint."""
    try:
        import apsw

        from localtwin.imodel.changeset import ConflictError
        from localtwin.imodel.database import NotAnIModelError
        from localtwin.imodel.history import HistoryError
    except ImportError as missing:
        raise AppError(
            f"localtwin is not installed completely ({missing})",
            hint=how_to_install("local"),
        ) from missing
    try:
        yield
    except (NotAnIModelError, HistoryError) as problem:
        raise AppError(str(problem)) from problem
    except ConflictError as problem:
        raise AppError(
            f"the history of the iModel is damaged: {problem}",
            hint="restore localtwin's data folder from a backup",
        ) from problem
    except FileExistsError as problem:
        raise AppError(
            f"{problem.filename2 or problem.filename} exists already",
            hint="name another file, or use --force where the command has it",
        ) from problem
    except BrokenPipeError as closed:  # the reader of the output, such as `head`, has ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit from closed
    except (OSError, apsw.Error) as problem:
        raise AppError(str(problem)) from problem


def listed(data: Path | None) -> list[ListedIModel]:
    """Return the iModels of localtwin's data folder. Raises AppError if it holds none."""
    from localtwin.world.imodels.listing import listed_imodels

    folder = data or _usual_folder()
    found = listed_imodels(folder)
    if not found:
        raise AppError(
            f"no iModels in {folder}",
            hint="name localtwin's data folder with --data, or the file of an iModel",
        )
    return found


def named_one(words: list[str] | None) -> str | None:
    """Return the iModel that is named, None if none is. Raises AppError for several."""
    if words and len(words) > 1:
        raise AppError(f"too many names: {', '.join(words)}", hint="put a name in quotes")
    return words[0] if words else None


def imodel_and_version(words: list[str]) -> tuple[str | None, int | None]:
    """Return what is named of both. Raises AppError for what is no version."""
    *named, last = words or [""]
    if last.isdecimal():
        return named_one(named), int(last)
    if named:
        raise AppError(f"{last} is no version", hint="list them: twinsyncd imodel show")
    return last or None, None


def imodel_file(named: str | None, data: Path | None) -> Path:
    """Return the file of the iModel `named`: a path, an id, or a name; None: the only one.

    Raises AppError.
    """
    if named is None:
        return _only_file(data)
    if Path(named).is_file():
        return Path(named)
    every = listed(data)
    found = [each for each in every if named.lower() in (each.id, each.name.lower())]
    if not found:
        names = ", ".join(each.name for each in every)
        raise AppError(f"no iModel called {named}", hint=f"there are: {names}")
    if len(found) > 1:
        ids = ", ".join(f"{each.id} (iTwin {each.itwin})" for each in found)
        raise AppError(f"several iModels are called {named}", hint=f"name one by its id: {ids}")
    if not found[0].file.is_file():
        raise AppError(f"{named} is empty: no run has written to it yet")
    return found[0].file


def _only_file(data: Path | None) -> Path:
    """Return the file of the only iModel to which a run has written. Raises AppError."""
    every = listed(data)
    found = [each.file for each in every if each.file.is_file()]
    if not found:
        raise AppError("no run has written to an iModel yet", hint="see: twinsyncd imodel list")
    if len(found) > 1:
        names = ", ".join(each.name for each in every if each.file.is_file())
        raise AppError("which iModel?", hint=f"name one of: {names}")
    return found[0]


@contextmanager
def new_file(target: Path, *, force: bool) -> Iterator[Path]:
    """Yield where to write; it becomes `target` at the end, wholly or not at all.

    Raises FileExistsError if there is a file and `force` is not given.
    """
    if target.exists() and not force:
        raise FileExistsError(17, "File exists", str(target))
    draft = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        yield draft
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def _usual_folder() -> Path:
    from .local import usual_folder

    return usual_folder()
