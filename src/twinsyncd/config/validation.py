"""Checks across keys: a readable secret, a name used twice, a file claimed twice."""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Hashable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Final, NamedTuple

from ..errors import ConfigMistake
from .folders import COMPARE_S, find_unreachable, is_silent, within
from .schema import Config, Connection, Source
from .secret_file import is_open
from .toml_lines import KeyPath

NAMES_MAX: Final = 100_000
"""Names looked at in one source while searching for a clash; a start must not take minutes."""

LocatesMistakes = Callable[[KeyPath, str, str], ConfigMistake]


class Place(NamedTuple):
    """One configured source with its place in the file."""

    path: tuple[str | int, ...]
    connection: Connection
    source: Source


def contradictions(
    config: Config,
    locate: LocatesMistakes,
    known: Callable[[Config], Container[str]],
    *,
    folders: bool = True,
) -> list[ConfigMistake]:
    """Return a mistake for everything in the file that contradicts another part of it, or a drive.

    `known` sources may be away, and any may be on a share that does not answer: it is offline.
    Without `folders` none is touched. Checks that need such a folder are left out.
    """
    found = [*_open_secrets(config, locate), *_same_names(config, locate)]
    places = list(_places(config))
    found += _own_files_watched(config, places, locate)
    if not folders:
        return found
    away = find_unreachable(place.source.folder for place in places)
    here = [place for place in places if place.source.folder not in away]
    offline = known(config) if away else ()
    unknown = [
        locate((*place.path, "folder"), *away[place.source.folder])
        for place in places
        if place.source.folder in away
        and not is_silent(away[place.source.folder])
        and place.connection.key_of(place.source) not in offline
    ]

    def compare() -> list[ConfigMistake]:
        return [*_same_storage(here, locate), *_claimed_twice(here, locate)]

    nothing: list[ConfigMistake] = []
    return [*unknown, *found, *within(compare, COMPARE_S, nothing)]


def _places(config: Config) -> Iterator[Place]:
    for number, connection in enumerate(config.connection):
        for index, source in enumerate(connection.source):
            yield Place(("connection", number, "source", index), connection, source)


def _open_secrets(config: Config, locate: LocatesMistakes) -> Iterator[ConfigMistake]:
    """Return mistakes for secrets in a configuration file that any account here could read."""
    file = Path(locate((), "", "").file)
    token = config.page.token if config.page else None
    for path, secret in (
        (("auth", "client_secret"), config.auth.client_secret),
        (("page", "token"), token),
        (("notify", "urls"), config.notify and config.notify.urls),
        (("notify", "escalate_urls"), config.notify and config.notify.escalate_urls),
        (("notify", "ping_url"), config.notify and config.notify.ping_url),
    ):
        if not secret or not is_open(file):
            continue  # to find the line of a key takes as long as reading the file ten times
        inline = locate(path, "", "")
        if inline.line:
            other = "the environment" if path[-1] in ("escalate_urls", "ping_url") else ""
            fix = f"run: chmod 600 {inline.file}   (or use {other or f'{path[-1]}_file'})"
            yield locate(path, "every account here can read this secret", fix)


def _own_files_watched(
    config: Config, places: list[Place], locate: LocatesMistakes
) -> Iterator[ConfigMistake]:
    """Return mistakes for folders that the program writes to and that lie in a source.

    It would notice its own writing, and might upload it. Compared as written: no share is touched.
    """
    own: list[tuple[tuple[str | int, ...], Path]] = []
    if config.daemon.state_folder is not None:
        own.append((("daemon", "state_folder"), config.daemon.state_folder))
    for number, connection in enumerate(config.connection):
        if (served := connection.objects.served_folder) is not None:
            own.append((("connection", number, "objects", "served_folder"), served))
    for key, folder in own:
        for place in places:
            way = _below(place.source.folder, folder)
            if way is None or (way and not place.source.matcher().folder(way)):
                continue
            line = locate((*place.path, "folder"), "", "").line
            message = f"{folder} lies in the source of line {line}, which is watched"
            fix = "choose a folder outside of all sources"
            if way:
                fix += f', or add "{way}/**" to exclude of that source'
            yield locate(key, message, fix)


# ---- names ----------------------------------------------------------------


def _same_names(config: Config, locate: LocatesMistakes) -> Iterator[ConfigMistake]:
    first: dict[str, int] = {}
    for number, connection in enumerate(config.connection):
        other = first.setdefault(connection.name.casefold(), number)
        if other != number:
            line = locate(("connection", other, "name"), "", "").line
            message = f'the connection of line {line} is called "{connection.name}" as well'
            yield locate(
                ("connection", number, "name"), message, "give every connection its own name"
            )


# ---- one file, two claims -------------------------------------------------------------


def _same_storage(places: list[Place], locate: LocatesMistakes) -> Iterator[ConfigMistake]:
    """Return mistakes for two sources that would put different files into one folder in Storage."""
    for one, two in _pairs(places, _storage_of):
        if _meet(one.source, two.source) or _meet(two.source, one.source):
            line = locate((*one.path, "storage_folder"), "", "").line
            message = (
                f'its files would go to "{two.source.storage_folder}" in Storage, '
                f"as some of line {line} do"
            )
            fix = 'give one of them a storage_folder of its own, like storage_folder = "... 2"'
            yield locate((*two.path, "storage_folder"), message, fix)


def _storage_of(place: Place) -> tuple[str, str]:
    """Return what two places share if the folder of one in Storage is in that of the other."""
    return place.connection.itwin_id, place.source.storage_folder.casefold().partition("/")[0]


def _pairs(places: list[Place], of: Callable[[Place], Hashable]) -> Iterator[tuple[Place, Place]]:
    """Yield every two places that are alike; a thousand of them make half a million pairs."""
    alike: dict[Hashable, list[Place]] = {}
    for place in places:
        alike.setdefault(of(place), []).append(place)
    for group in alike.values():
        yield from combinations(group, 2)


def _meet(outer: Source, inner: Source) -> bool:
    """Return True if a folder that `outer` reads from is stored where `inner` is."""
    above, below = outer.storage_folder.casefold(), inner.storage_folder.casefold()
    if above == below:
        return True
    if not below.startswith(f"{above}/"):
        return False
    way = inner.storage_folder[len(above) + 1 :]
    own = outer.folder / way
    return own.is_dir() and not own.samefile(inner.folder) and outer.matcher().folder(way)


def _destination(place: Place) -> Hashable:
    """Return where a file may come from one source only.

    A workbook may have several kinds of records, each in a sheet of its own.
    """
    if place.connection.target != "bulk":
        return place.connection.imodel_id
    rows = place.source.rows
    return place.connection.name, rows.entity, rows.sheet


def _claimed_twice(places: list[Place], locate: LocatesMistakes) -> Iterator[ConfigMistake]:
    """Return mistakes for a file that two sources would bring into the same iModel.

    Source: Synchronization API, "Create storage connection": a file can be mapped to an iModel
    once. Folders inside one another are compared by the files that exist now.
    """
    for one, two in _pairs(places, _destination):
        if clash := _clash(one.source, two.source):
            line = locate((*one.path, "include"), "", "").line
            is_bulk = one.connection.target == "bulk"
            what = "be sent twice" if is_bulk else "enter the iModel twice"
            message = f"{clash} would {what}: the source of line {line} has it too"
            fix = "narrow include, or name it under exclude, in one of the two"
            yield locate((*two.path, "include"), message, fix)


def _clash(one: Source, two: Source) -> str:
    """Name the first file or pattern that both have as a source file; "" if there is none."""
    here, there = one.folder.resolve(), two.folder.resolve()
    shared = [glob for glob in one.wanted() if glob in two.wanted()]
    if shared and here == there and _left_out(one) == _left_out(two):
        return f'every "{shared[0]}" of {one.folder}'
    outer, inner, below = (one, two, _below(here, there))
    if below is None:
        outer, inner, below = (two, one, _below(there, here))
    if below is None:
        return ""
    outside, inside = outer.matcher(), inner.matcher()
    for path in _source_files(inner):
        whole = f"{below}/{path}" if below else path
        if inside.kind(path) == "source" == outside.kind(whole):
            return str(inner.folder / path)
    return ""


def _left_out(source: Source) -> set[str]:
    return {*source.references, *source.exclude}


def _below(outer: Path, inner: Path) -> str | None:
    """Return the way from a folder to one inside it, "" for itself; None if it is not inside."""
    if not inner.is_relative_to(outer):
        return None
    way = inner.relative_to(outer).as_posix()
    return "" if way == "." else way


def _source_files(source: Source) -> Iterator[str]:
    """Yield the source files that exist now, in order of names, from NAMES_MAX names at most."""
    chosen, names = source.matcher(), 0
    for folder, subfolders, files in os.walk(source.folder):
        way = _below(source.folder, Path(folder)) or ""
        subfolders[:] = sorted(
            name for name in subfolders if chosen.folder(f"{way}/{name}" if way else name)
        )
        for name in sorted(files):
            path = f"{way}/{name}" if way else name
            if chosen.kind(path) == "source":
                yield path
        names += len(subfolders) + len(files)
        if names > NAMES_MAX:
            return
