"""Decides which files of a source folder are matched, and which folders can hold one.

Every path is relative POSIX. Matching ignores case, as the drives of an office do, and compares
names in Unicode form NFC, since the same name may be stored decomposed.

Order of the rules: a folder that is litter or excluded removes everything below it; then `exclude`
removes files; then litter by name; then `references` and `include` select. Litter is what programs
write beside the files of people; an `include` or `references` pattern that names such a file
(`**/*.bak`) selects it nevertheless, see `litter_but`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal
from unicodedata import normalize

Kind = Literal["source", "reference"]

FOLDERS_KEPT: Final = 4096
"""Cached results per folder: a scan asks for the files of one folder after another."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern.

    `whole` matches paths. `leads` matches the folders that may hold a matching path (used for
    `include` and `references`), `tree` the folders left out with all they hold (for `exclude`).
    """

    text: str
    whole: re.Pattern[str]
    leads: re.Pattern[str]
    tree: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Litter:
    """One kind of file, or with a final slash of folder, that programs create for their own use."""

    text: str  # a glob for the name alone, as people know it
    expression: str  # the same as a regular expression
    what: str

    @property
    def is_folder(self) -> bool:
        """True if this is about folders."""
        return self.text.endswith("/")


def _ending(suffix: str, what: str) -> Litter:
    return Litter(f"*{suffix}", f".*{re.escape(suffix)}", what)


LITTER: Final[tuple[Litter, ...]] = (
    _ending(".tmp", "a temporary file"),
    _ending(".bak", "the backup of a drawing"),
    Litter("*.bk[0-9a-z]", r".*\.bk[0-9a-z]", "an older backup of a drawing"),
    Litter("atmp*", r"atmp[0-9a-f]+", "an AutoCAD temporary file"),
    _ending(".dwl", "AutoCAD's mark that a drawing is open"),
    _ending(".dwl2", "AutoCAD's mark that a drawing is open"),
    _ending(".sv$", "an AutoCAD autosave"),
    _ending(".ac$", "an AutoCAD temporary file"),
    _ending(".err", "an error report"),
    _ending(".log", "a log"),
    _ending(".slog", "Revit's log of who is saving to the central model"),
    _ending(".rws", "a Revit worksharing file"),
    _ending(".3dmbak", "a Rhino backup"),
    _ending(".rhl", "Rhino's mark that a model is open"),
    _ending(".skb", "a SketchUp backup"),
    Litter("AutoSave_*.skp", r"autosave_.*\.skp", "a SketchUp autosave"),
    Litter("*.[0-9][0-9][0-9][0-9].rvt", r".*\.[0-9]{4}\.rvt", "a Revit backup"),
    Litter("*.[0-9][0-9][0-9][0-9].rfa", r".*\.[0-9]{4}\.rfa", "a Revit backup"),
    Litter("*.[0-9][0-9][0-9][0-9].rte", r".*\.[0-9]{4}\.rte", "a Revit backup"),
    Litter("~$*", r"~\$.*", "the mark that Office has a document open"),
    Litter("Thumbs.db", r"thumbs\.db", "a Windows thumbnail cache"),
    Litter("desktop.ini", r"desktop\.ini", "a Windows folder setting"),
    Litter(".*", r"\..*", "hidden, its name begins with a dot"),
    Litter("*_backup/", ".*_backup", "a Revit backup folder"),
    Litter("Revit_temp/", "revit_temp", "a Revit temporary folder"),
    Litter(".*/", r"\..*", "hidden, its name begins with a dot"),
    Litter("@eaDir/", "@eadir", "an index that a NAS keeps"),
    Litter("#recycle/", "#recycle", "the recycle bin of a NAS"),
    Litter("$RECYCLE.BIN/", r"\$recycle\.bin", "the recycle bin of a drive"),
    Litter("System Volume Information/", "system volume information", "kept by Windows"),
    Litter("RECYCLER/", "recycler", "the recycle bin of a drive"),
    Litter("RECYCLED/", "recycled", "the recycle bin of a drive"),
    Litter("Network Trash Folder/", "network trash folder", "the recycle bin of a Mac"),
    Litter("~snapshot/", "~snapshot", "the snapshots of a NAS"),
    Litter("#snapshot/", "#snapshot", "the snapshots of a NAS"),
    Litter("@Snapshot/", "@snapshot", "the snapshots of a NAS"),
    Litter("@sharesnap/", "@sharesnap", "the snapshots of a NAS"),
    Litter("@Recently-Snapshot/", "@recently-snapshot", "the snapshots of a NAS"),
    Litter("~latest/", "~latest", "the newest snapshot of a NAS"),
    Litter("@Recycle/", "@recycle", "the recycle bin of a NAS"),
    Litter("@tmp/", "@tmp", "temporary files of a NAS"),
    Litter("DfsrPrivate/", "dfsrprivate", "kept by Windows' DFS replication"),
    Litter("lost+found/", r"lost\+found", "what a file-system check recovered"),
)
"""Names that vendors or their users document as never being a design file."""


def litter_but(wanted: Iterable[str]) -> tuple[Litter, ...]:
    """Return LITTER less the kinds that these globs name.

    A glob names a kind if one of its parts, read as a name, is of that kind: `**/*.bak` and
    `**/*.{dwg,bak}` name `*.bak`, `**/*` and `**/*.d*` do not.
    """
    globs = tuple(wanted)
    return tuple(kind for kind in LITTER if not any(_names(glob, kind) for glob in globs))


@dataclass(frozen=True, slots=True)
class Matcher:
    """Decides which files of one source folder matter; safe to use from several threads.

    `readable`: True for names that a connector is known for, which a source file must have.
    None if the configuration names the connector: then the patterns alone decide.
    """

    include: tuple[Pattern, ...]
    references: tuple[Pattern, ...] = ()
    exclude: tuple[Pattern, ...] = ()
    readable: Callable[[str], bool] | None = None
    litter: tuple[Litter, ...] = field(default=LITTER, repr=False)
    endings: tuple[str, ...] = ()  # of every name that can match, in lower case; empty: any
    _usual: tuple[str, ...] = field(init=False, repr=False, compare=False)  # as mostly written
    _litter_file: re.Pattern[str] = field(init=False, repr=False, compare=False)
    _litter_folder: re.Pattern[str] = field(init=False, repr=False, compare=False)
    _closed: Callable[[str], bool] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Join the kinds of litter to one expression each for files and folders."""
        files = [kind for kind in self.litter if not kind.is_folder]
        folders = [kind for kind in self.litter if kind.is_folder]
        usual = (*self.endings, *(ending.upper() for ending in self.endings))
        object.__setattr__(self, "_usual", usual)
        object.__setattr__(self, "_litter_file", _any_of(files))
        object.__setattr__(self, "_litter_folder", _any_of(folders))
        object.__setattr__(self, "_closed", lru_cache(FOLDERS_KEPT)(self._is_closed))

    def kind(self, path: str) -> Kind | None:
        """Return what the file is to its connection; None: it does not matter."""
        path = _composed(path)
        folder, _, name = path.rpartition("/")
        kind = self._wanted_as(path, name)
        if kind is None or self._closed(folder) or self._litter_file.fullmatch(name):
            return None
        return None if _first(self.exclude, path) else kind

    def file(self, path: str) -> bool:
        """True if the file matters, as a source file or as a reference."""
        return self.kind(path) is not None

    def name(self, name: str) -> bool:
        """False only if no file of this name matters, whatever folder it is in."""
        if not self.endings or name.endswith(self._usual) or name.lower().endswith(self.endings):
            return True
        return not (name.isascii() and name.isprintable())  # compared by other rules than `lower`

    def folder(self, path: str) -> bool:
        """True if a file that matters can be anywhere below this folder; "" is the source's own."""
        path = _composed(path)
        globs = (*self.include, *self.references)
        return any(glob.leads.match(path) for glob in globs) and not self._closed(path)

    def explain(self, path: str) -> str:
        """Return in words why the file matters or does not, naming the pattern that decided."""
        path = _composed(path)
        folder, _, name = path.rpartition("/")
        reason = self._why_closed(folder) or self._why_refused(path, name)
        if reason:
            return f"ignored: {reason}"
        if glob := _first(self.references, path):
            return f'reference: matched by "{glob.text}"'
        if glob := _first(self.include, path):
            return self._as_wanted(glob, name)
        return "ignored: no include or references pattern matches it"

    def _wanted_as(self, path: str, name: str) -> Kind | None:
        if _first(self.references, path):
            return "reference"
        if self._has_connector(name) and _first(self.include, path):
            return "source"
        return None

    def _has_connector(self, name: str) -> bool:
        return self.readable is None or self.readable(name)

    def _is_closed(self, folder: str) -> bool:
        """True if the folder, or one that holds it, is litter or excluded."""
        if not folder:
            return any(glob.tree.match("") for glob in self.exclude)
        above, _, name = folder.rpartition("/")
        return (
            self._closed(above)
            or self._litter_folder.fullmatch(name) is not None
            or any(glob.tree.match(folder) for glob in self.exclude)
        )

    def _why_closed(self, folder: str) -> str:
        names = folder.split("/") if folder else []
        for depth, name in enumerate(["", *names]):
            part = "/".join(names[:depth])
            for kind in self.litter:
                if name and kind.is_folder and _is_of(kind, name):
                    return f'the folder "{part}" is {kind.what} (built in)'
            for glob in self.exclude:
                if glob.tree.match(part):
                    return f'the folder "{part or "."}" is excluded by "{glob.text}"'
        return ""

    def _why_refused(self, path: str, name: str) -> str:
        if glob := _first(self.exclude, path):
            return f'excluded by "{glob.text}"'
        for kind in self.litter:
            if not kind.is_folder and _is_of(kind, name):
                return f'"{kind.text}" is {kind.what} (built in; an include of that name takes it)'
        return ""

    def _as_wanted(self, glob: Pattern, name: str) -> str:
        if not self._has_connector(name):
            return f'ignored: "{glob.text}" matches it, but no connector is known for such a file'
        return f'source file: matched by "{glob.text}"'


def _first(globs: Iterable[Pattern], path: str) -> Pattern | None:
    """Return the first that means the path; a loop, since a generator would cost a third more."""
    for glob in globs:
        if glob.whole.match(path):
            return glob
    return None


def _composed(path: str) -> str:
    return path if path.isascii() else normalize("NFC", path)


def _any_of(kinds: Iterable[Litter]) -> re.Pattern[str]:
    joined = "|".join(kind.expression for kind in kinds) or r"(?!)"
    return re.compile(joined, re.IGNORECASE | re.DOTALL)


def _is_of(kind: Litter, name: str) -> bool:
    return re.fullmatch(kind.expression, name, re.IGNORECASE | re.DOTALL) is not None


def _names(glob: str, kind: Litter) -> bool:
    *folders, name = glob.split("/")
    for part in folders if kind.is_folder else (name,):
        options = [part, *(f"x.{option}" for option in re.split("[{},]", part)[1:])]
        if kind.text.rstrip("/") == part or any(_is_of(kind, option) for option in options):
            return True
    return False
