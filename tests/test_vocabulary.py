"""Retired words stay retired: one word for one thing, as the glossary has it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

SRC = Path(__file__).parents[1] / "src"
FILES = sorted(SRC.rglob("*.py"))

RETIRED = {
    "hands": "workers",
    "desk": "requests, heartbeat",
    "recent": "row_cache",
    "remembered": "reader",
    "usual": "waits",
    "pace": "lane_state",
    "step": "decision",
    "choosing": "default_globs",
    "lines": "toml_lines",
    "exchange": "calls",
    "words": "report, formatting",
    "told": "stored_headers, or what it is",
    "parts": "content_parts",
    "joiner": "content_assembly",
    "freezer": "frozen_inputs",
    "postman": "webhook_delivery",
    "promptly": "event_loop_calls",
    "line": "http_limits",
    "gate": "gateway",
    "disturbance": "fault_injection",
    "jobmain": "worker/main",
    "jobprocess": "worker/process",
    "restless": "unsettled",
    "rehearsal": "dry_run",
    "checkup": "setup_check",
}
"""A name that no module has any more, and where to look instead."""

CLASSES = {"Hands", "Pace", "Step", "Watched", "Listening", "Hinting", "Wanted", "Recent"}
CLASSES |= {"Remembered", "Memory", "Complaint", "Finding", "Gate", "Disturbance", "Postman"}
CLASSES |= {"Joiner", "Freezer", "Blame", "Mapping", "Told", "Hints"}
"""Names that no class has any more."""

VARIABLES = {"told", "heard", "restless", "at_rest", "master", "masters"}
"""Names that nothing has any more."""


def names_in(tree: ast.Module) -> Iterator[str]:
    """Yield every name that a module gives to something."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg


def test_no_module_has_a_retired_name() -> None:
    """A metaphor that comes back sends every newcomer to the wrong room."""
    assert {file.stem: RETIRED[file.stem] for file in FILES if file.stem in RETIRED} == {}


def test_nothing_in_a_module_has_a_retired_name() -> None:
    """Two words for one thing are two things to whoever reads them."""
    found: dict[str, set[str]] = {}
    for file in FILES:
        tree = ast.parse(file.read_text("utf-8"))
        classes = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
        if retired := (classes & CLASSES) | (set(names_in(tree)) & VARIABLES):
            found[str(file.relative_to(SRC))] = retired

    assert found == {}


def test_retired_names_are_found_wherever_they_are_given() -> None:
    """The guard must bite."""
    source = "def told(heard):\n    for master in heard:\n        restless = master"

    assert VARIABLES & set(names_in(ast.parse(source))) == {"told", "heard", "master", "restless"}
