"""Every message of an error with what mends it, read from the code, so that none is missing.

A message is what is given to an error or a result with a fix beside it. What is filled in at run
time is shown as "…".
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple, TypeGuard

PLACES: Final[Mapping[str, tuple[int, int]]] = {
    "mistake": (0, 1),
    "locate": (1, 2),
    "ConfigMistake": (3, 4),
    "CheckResult": (2, 3),
    "AppError": (0, -1),
    "JournalError": (0, -1),
    "DiskError": (0, -1),
    "ShareSilent": (0, -1),
    "_mistake": (1, 2),
    "_whole_file": (1, 2),
}
"""Who takes a message and a fix, and which arguments they are; -1: the fix is named `hint`."""

_PACKAGE: Final = Path(__file__).parents[1]
_SHOWN: Final = "…"


class Message(NamedTuple):
    """What is said, and what mends it."""

    text: str
    fix: str
    module: str


def messages_table() -> str:
    """Return the messages as Markdown, in alphabetical order."""
    by_text: dict[str, str] = {}
    for message in sorted(messages()):
        by_text.setdefault(message.text, message.fix)
    return "".join(f"- `{_plain(text)}`\n  {_escaped(fix)}\n" for text, fix in by_text.items())


def _plain(text: str) -> str:
    return " ".join(text.replace("`", "'").split())


def _escaped(text: str) -> str:
    return re.sub(r"([*<\[])", r"\\\1", " ".join(text.split()))


@cache
def messages() -> tuple[Message, ...]:
    """Return every message that has a fix beside it in the code."""
    found: list[Message] = []
    for file in sorted(_PACKAGE.rglob("*.py")):
        module = ".".join(file.relative_to(_PACKAGE).with_suffix("").parts)
        found += _messages_of(ast.parse(file.read_text("utf-8")), module)
    return tuple(found)


def _messages_of(tree: ast.Module, module: str) -> Iterator[Message]:
    constants = {
        node.target.id: _text(node.value, {})
        for node in tree.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value
    }
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        calls = [node for node in ast.walk(function) if _is_said(node)]
        after = 0
        for call in sorted(calls, key=lambda node: node.lineno):
            assert isinstance(call, ast.Call)
            texts = _assigned(function, after, call.lineno)
            if message := _message(call, constants | texts, module):
                yield message
            after = call.end_lineno or call.lineno


def _is_said(node: ast.AST) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in PLACES


def _message(call: ast.Call, texts: Mapping[str, str], module: str) -> Message | None:
    assert isinstance(call.func, ast.Name)
    at, fix_at = PLACES[call.func.id]
    named = {each.arg: each.value for each in call.keywords}
    fix_node = named.get("hint", named.get("fix"))
    if fix_node is None and 0 <= fix_at < len(call.args):
        fix_node = call.args[fix_at]
    if at >= len(call.args) or fix_node is None:
        return None
    text, fix = _text(call.args[at], texts), _text(fix_node, texts)
    is_written = text.strip(f"{_SHOWN} ") and fix.strip(f"{_SHOWN} ")
    return Message(text, fix, module) if is_written else None


def _assigned(function: ast.FunctionDef, after: int, before: int) -> dict[str, str]:
    """Return the texts that local names stand for at the line `before`.

    What was assigned since the line `after`, that of the call before, goes first; if it was
    assigned several times since then, it was so in branches, and each may be said.
    """
    older: dict[str, str] = {}
    newer: dict[str, str] = {}
    for node in sorted(_assignments(function), key=lambda each: each.lineno):
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        text = _text(node.value, older | newer)
        if node.lineno >= before or not isinstance(target, ast.Name) or text == _SHOWN:
            continue
        texts = newer if node.lineno > after else older
        known = texts.get(target.id, "")
        if isinstance(node, ast.AugAssign):
            texts[target.id] = known + text
        else:
            texts[target.id] = f"{known} / {text}" if known and texts is newer else text
    return older | newer


def _assignments(function: ast.FunctionDef) -> Iterator[ast.Assign | ast.AugAssign]:
    for node in ast.walk(function):
        if isinstance(node, ast.Assign | ast.AugAssign):
            yield node


def _text(node: ast.expr, texts: Mapping[str, str]) -> str:
    """Return what the expression says, as far as it is written in the code."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(_text(value, texts) for value in values)
        case ast.FormattedValue(value=ast.Name(id=name)):
            return texts.get(name, _SHOWN)
        case ast.Name(id=name):
            return texts.get(name, _SHOWN)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _text(left, texts) + _text(right, texts)
        case ast.BoolOp(values=values):
            return _text(values[-1], texts)
        case ast.IfExp(body=body, orelse=other):
            either = (_text(body, texts), _text(other, texts))
            return _SHOWN if _SHOWN in either else " / ".join(either)
        case _:
            return _SHOWN
