"""The type of a value that names a file with secrets: checked where it is, and who may read it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, ValidationInfo

from .units import mistake
from .values import absolute

UNREAD_SECRETS: Final = "unread secrets"
"""In the context of a validation: secrets are not needed, so their files are not looked at."""

CREDENTIALS: Final = "credentials"
"""In the context of a validation: the folder of the secrets that systemd hands over."""


@dataclass(frozen=True)
class SecretMark:
    """Marks the type of a value as the file of a secret."""


def _checked(content: str, file: Path, info: ValidationInfo) -> Path:
    """Check a file that holds a secret; `content`: what is to be in it, for people.

    What systemd hands over under its name goes first.

    So one path serves the service, which cannot read the file, and `check` in a root shell.
    Source: systemd.exec(5), LoadCredential= and $CREDENTIALS_DIRECTORY, read 2026-11.
    """
    context = info.context or {}
    handed_over: str = context.get(CREDENTIALS, "")
    if handed_over and (Path(handed_over) / file.name).is_file():
        file = Path(handed_over) / file.name
    if context.get(UNREAD_SECRETS):
        return file
    try:
        secret = file.read_text("utf-8-sig").strip()
    except FileNotFoundError as exc:
        fix = f"create it with {content}"
        raise mistake(f"there is no file {file}", fix) from exc
    except UnicodeDecodeError as exc:
        raise mistake(f"{file} is not UTF-8 text", 'save it with encoding "UTF-8"') from exc
    except PermissionError as exc:
        fix = (
            "run this with sudo, as an installed service gets it from systemd; else let the "
            "account that twinsyncd runs as read it, and nobody else"
        )
        raise mistake(f"{file} cannot be read ({exc.strerror})", fix) from exc
    except OSError as exc:
        fix = "let the account that twinsyncd runs as read it, and nobody else"
        raise mistake(f"{file} cannot be read ({exc.strerror})", fix) from exc
    if not secret:
        raise mistake(f"{file} is empty", f"write {content} into it")
    if is_open(file):
        raise mistake(f"every account here can read {file}", f"run: chmod 600 {file}")
    return file


def is_open(file: Path) -> bool:
    """True if any account of this machine may read the file."""
    return os.name == "posix" and bool(file.stat().st_mode & 0o007)


SECRET: Final = SecretMark()

SecretFile = Annotated[
    Path,
    BeforeValidator(absolute),
    AfterValidator(partial(_checked, "the secret as its only text")),
    SECRET,
]
SignInFile = Annotated[
    Path,
    BeforeValidator(absolute),
    AfterValidator(
        partial(_checked, "the lines username=... and password=..., and if needed domain=...")
    ),
    SECRET,
]
"""The account of a file server."""

StoreKeysFile = Annotated[
    Path,
    BeforeValidator(absolute),
    AfterValidator(partial(_checked, 'the keys of the store, like secret_access_key = "..."')),
    SECRET,
]
AddressesFile = Annotated[
    Path,
    BeforeValidator(absolute),
    AfterValidator(partial(_checked, "one address a line, like mailto://...")),
    SECRET,
]
PrivateKeyFile = Annotated[
    Path,
    BeforeValidator(absolute),
    AfterValidator(partial(_checked, "the private key in PEM form")),
    SECRET,
]
