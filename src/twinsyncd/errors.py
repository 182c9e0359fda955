"""Every error that twinsyncd raises on purpose.

AppError
├── ConfigError      the configuration cannot be used; nothing was started
├── DiskError        a drive or a file cannot be read
│   ├── FileMoved    a file changed while it was being read; it will settle again
│   └── ShareSilent  a drive does not answer; what is there is unknown
├── JournalError     the memory cannot be opened or written
│   ├── JournalGone  its file was deleted or replaced while it was open
│   └── LeaseLost    another machine serves an iModel of this one
└── CloudError       the platform did not do what was asked (carries a Failure)
"""

from __future__ import annotations

import importlib.util
import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .core.model import Failure


class AppError(Exception):
    """The root; `hint` says what the operator can do about it."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        """Keep the message and the hint apart; the text is built when it is shown."""
        super().__init__(message)
        self.hint = hint

    @property
    def with_hint(self) -> str:
        """The message and, if there is one, the hint."""
        return f"{self}; {self.hint}" if self.hint else str(self)


def how_to_install(extra: str, *, is_windows: bool = os.name == "nt") -> str:
    """Return how to add a part to this program's own environment, as it can be typed.

    From where the program itself came: an index of packages may know none of this name.
    """
    has_pip = importlib.util.find_spec("pip") is not None
    if is_windows and not has_pip:  # the bundle
        return f'build the bundle again with -Extras "windows,keyring,{extra}"'
    quoted = _quoted_for_windows if is_windows else shlex.quote
    python = quoted(sys.executable)
    pip = f"{python} -m pip install" if has_pip else f"uv pip install --python {python}"
    path, editable = _installed_from()
    if path is not None:
        if not path.exists():
            return f"install it with: {pip} {quoted(f'.[{extra}]')}   (in the unpacked release)"
        wanted = quoted(f"{path}[{extra}]")
        return f"install it with: {pip} {'-e ' if editable else ''}{wanted}"
    return f"install it with: {pip} {quoted(f'twinsyncd[{extra}]')}"


def _quoted_for_windows(word: str) -> str:
    return f'"{word}"'


def _installed_from() -> tuple[Path | None, bool]:
    """Return the folder or file that this program was installed from, and whether it is in use.

    None: from an index of packages. Source: PEP 610, "Recording the Direct URL Origin".
    """
    # Rarely needed, and an import of a twentieth of a second for every command.
    from importlib import metadata  # noqa: PLC0415
    from json import loads  # noqa: PLC0415
    from urllib.parse import urlsplit  # noqa: PLC0415
    from urllib.request import url2pathname  # noqa: PLC0415

    try:
        text = metadata.distribution("twinsyncd").read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        return None, False
    found = loads(text) if text else {}
    url = urlsplit(str(found.get("url", "")))
    if url.scheme != "file":
        return None, False
    return Path(url2pathname(url.path)), bool(found.get("dir_info", {}).get("editable"))


@dataclass(frozen=True, slots=True)
class ConfigMistake:
    """One thing wrong with a configuration file. `line` counts from 1; 0: the whole file."""

    file: str
    line: int
    key: str
    message: str
    fix: str

    def __str__(self) -> str:
        """Read as `file:line: key: message. Fix: ...`."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        key = f"{self.key}: " if self.key else ""
        return f"{place}: {key}{self.message}\n    fix: {self.fix}"


class ConfigError(AppError):
    """The configuration cannot be used; carries every mistake at once."""

    def __init__(self, mistakes: Sequence[ConfigMistake]) -> None:
        """Join the mistakes, one paragraph each."""
        super().__init__("\n".join(str(mistake) for mistake in mistakes))
        self.mistakes = tuple(mistakes)


class DiskError(AppError):
    """A drive or a file cannot be read."""


class FileMoved(DiskError):
    """A file changed or vanished while it was being read; no fault of anyone's."""


class ShareSilent(DiskError):
    """A drive does not answer; whether the file exists, and what it holds, is unknown.

    `since_s`: wall clock [s] at which it answered last, as far as is known; 0: not known.
    """

    def __init__(
        self, message: str, *, hint: str = "", since_s: float = 0.0, in_part: bool = False
    ) -> None:
        """Keep what a person reads; `in_part`: one place hangs, and the drive answers."""
        super().__init__(message, hint=hint)
        self.since_s = since_s
        self.in_part = in_part


class JournalError(AppError):
    """The journal cannot be opened or written; `may_pass`: that may end by itself."""

    def __init__(self, message: str, *, hint: str = "", may_pass: bool = False) -> None:
        """Keep what a person reads, and whether waiting is of use."""
        super().__init__(message, hint=hint)
        self.may_pass = may_pass


class JournalDamaged(JournalError):
    """The journal's content is damaged; it is set aside, and another one takes its place."""


class JournalGone(JournalError):
    """The journal's file was deleted or replaced while it was open; it has to be opened anew."""


class LeaseLost(JournalError):
    """Another machine serves an iModel that was this one's; nothing more is begun for it here."""


class CloudError(AppError):
    """The platform did not do what was asked.

    `operation` names the call in words, `status` is the HTTP status (0: no answer,
    or a web page of the network between).
    """

    def __init__(
        self, operation: str, failure: Failure, *, status: int = 0, code: str = ""
    ) -> None:
        """Keep the failure for the machine and the rest for people."""
        super().__init__(f"{operation}: {failure.message}")
        self.operation = operation
        self.failure = failure
        self.status = status
        self.code = code


def unusable_folder(folder: Path, exc: OSError) -> JournalError:
    """Return the error for a state folder in which a file cannot be made, read or locked."""
    return JournalError(
        f"the state folder {folder} cannot be used: {exc.strerror}",
        hint="give the daemon's account write access to it, or correct state_folder",
        may_pass=True,
    )
