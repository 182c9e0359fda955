"""The man page: every command with its arguments and options, from what `--help` shows.

Source: man-pages(7), groff_man(7), read 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from .. import __version__

_FILES: Final = (
    ("/etc/twinsyncd/twinsyncd.toml", "the configuration of the service"),
    ("/var/lib/twinsyncd", "the journal of the service"),
)


def man_page(root: Any) -> str:
    """Return the page as roff; `root` is the group of all commands, as Typer builds it."""
    lines = [
        f'.TH TWINSYNCD 1 "" "twinsyncd {__version__}" "User Commands"',
        ".SH NAME",
        "twinsyncd \\- keeps an iModel equal to a shared drive",
        ".SH SYNOPSIS",
        ".B twinsyncd",
        "\\fICOMMAND\\fR [\\fIOPTIONS\\fR]",
        ".SH DESCRIPTION",
        _plain(root.help or ""),
        "The manual is part of the program: \\fBtwinsyncd manual\\fR.",
        ".SH COMMANDS",
        *_commands("", root),
        ".SH EXIT STATUS",
        "0: done. 1: something is not synced, or failed. 2: the configuration or the arguments "
        "cannot be used; nothing was started.",
        ".SH FILES",
    ]
    for file, what in _FILES:
        lines += [".TP", f"\\fI{_plain(file)}\\fR", what]
    return "\n".join(lines) + "\n"


def _commands(above: str, group: Any) -> Iterator[str]:
    for name, command in sorted(group.commands.items()):
        if command.hidden:
            continue
        whole = f"{above} {name}".strip()
        if hasattr(command, "commands"):
            yield from _commands(whole, command)
            continue
        arguments = [each for each in command.params if each.param_type_name == "argument"]
        options = [each for each in command.params if each.param_type_name == "option"]
        names = (f"\\fI{each.name.upper()}\\fR" for each in arguments)
        shown = " ".join(
            name if each.required else f"[{name}]"
            for name, each in zip(names, arguments, strict=True)
        )
        yield f".SS \\fBtwinsyncd {whole}\\fR {shown}".rstrip()
        yield _plain(command.help or "")
        for option in options:
            yield from _option(option)


def _option(option: Any) -> Iterator[str]:
    if option.hidden:
        return
    names = ", ".join(f"\\fB{_plain(each)}\\fR" for each in (*option.opts, *option.secondary_opts))
    value = "" if option.is_flag else f" \\fI{option.name.upper()}\\fR"
    yield ".TP"
    yield f"{names}{value}"
    yield _plain(option.help or "")


def _plain(text: str) -> str:
    """Return the text so that roff shows it as it is."""
    joined = re.sub(r"\s+", " ", text).strip().replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{joined}" if joined.startswith((".", "'")) else joined
