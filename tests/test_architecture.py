"""The plan of the house, enforced: who imports whom, what the core may reach, sizes, names."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator
from functools import cache
from pathlib import Path

import pytest

SRC = Path(__file__).parents[1] / "src"
FILES = sorted(SRC.rglob("*.py"))

MODULE_LINES_MAX = 300
FUNCTION_LINES_MAX = 60

CORE, ERRORS, REDACT = "twinsyncd.core", "twinsyncd.errors", "twinsyncd.redact"
VALUES = (
    "twinsyncd.core.model",
    "twinsyncd.core.results",
    "twinsyncd.core.facts",
    "twinsyncd.core.commands",
)
VIEWS = "twinsyncd.journal.views"
PROTOCOLS = (
    "twinsyncd.targets.protocol",
    "twinsyncd.disk.protocols",
    "twinsyncd.journal.protocols",
)
TASKS = tuple(
    f"twinsyncd.runtime.{task}"
    for task in (
        "service",
        "sync_once",
        "dry_run",
        "forgetting",
        "setup_check",
        "new_setup",
        "service_install",
        "windows_install",
        "sign_in",
        "verify",
        "verification",
        "bulk_approval",
        "bulk_check",
        "bulk_deliveries",
        "bulk_verification",
        "connection_report",
        "file_holder",
        "reference_closure",
    )
)
"""What a command of the command line does as a whole; above the wiring, below the words."""
WORDS = tuple(
    f"twinsyncd.runtime.{module}"
    for module in (
        "machine_lines",
        "reference_words",
        "cloud_words",
        "open_files",
        "report",
        "report_lines",
        "source_reports",
        "missing_files",
        "formatting",
        "conditions",
        "currency",
        "file_doubts",
        "file_state",
        "event_words",
        "headline",
        "bulk_records",
        "status_document",
        "status_model",
    )
)
"""What people read, made in one place: for commands, the page and notifications."""
SHELL = ("twinsyncd.runtime", "twinsyncd.config", "twinsyncd.logs")

MAY_IMPORT: dict[str, tuple[str, ...]] = {
    CORE: (CORE,),
    ERRORS: (CORE,),
    "twinsyncd.redact": (),
    "twinsyncd.logs": (REDACT,),
    "twinsyncd.notify": ("twinsyncd.journal", *WORDS, VIEWS, CORE, ERRORS, REDACT),
    "twinsyncd.config": (
        CORE,
        ERRORS,
        "twinsyncd.connectors",
        "twinsyncd.bulk_entities",
        "twinsyncd.shipped",
    ),
    "twinsyncd.shipped": (),
    "twinsyncd.manual": ("twinsyncd.config",),
    "twinsyncd.bulk_entities": (),
    "twinsyncd.journal": (
        "twinsyncd.core.deliveries",
        "twinsyncd.core.model",
        "twinsyncd.core.new_folder",
        "twinsyncd.core.progress",
        "twinsyncd.core.results",
        "twinsyncd.core.decision",
        "twinsyncd.core.commands",
        "twinsyncd.core.events",
        "twinsyncd.core.waits",
        "twinsyncd.core.authorization",
        "twinsyncd.core.references",
        ERRORS,
    ),
    "twinsyncd.disk": (
        *VALUES,
        "twinsyncd.core.alike_names",
        "twinsyncd.core.content",
        "twinsyncd.core.references",
        ERRORS,
    ),
    "twinsyncd.cloud": (
        *VALUES,
        "twinsyncd.core.content",
        "twinsyncd.core.progress",
        ERRORS,
        REDACT,
    ),
    "twinsyncd.targets": ("twinsyncd.cloud", CORE, ERRORS, REDACT),
    "twinsyncd.targets.bulk": ("twinsyncd.cloud", "twinsyncd.bulk_entities", CORE, ERRORS),
    "twinsyncd.connectors": (),
    "twinsyncd.targets.protocol": (CORE,),
    "twinsyncd.runtime": (*PROTOCOLS, CORE, ERRORS),
    "twinsyncd.runtime.wiring": ("twinsyncd",),
    "twinsyncd.runtime.cloud_wiring": ("twinsyncd",),
    "twinsyncd.runtime.bulk_wiring": ("twinsyncd",),
    "twinsyncd.runtime.smb_wiring": ("twinsyncd",),
    "twinsyncd.runtime.state": (
        "twinsyncd.config",
        "twinsyncd.runtime.trouble",
        "twinsyncd.runtime.held_file",
        "twinsyncd.runtime.machine_lock",
        "twinsyncd.runtime.formatting",
        VIEWS,
        "twinsyncd.journal.daemon_rows",
        "twinsyncd.journal.folder_view",
        "twinsyncd.journal.location",
        "twinsyncd.journal.path_completion",
        "twinsyncd.journal.history",
        CORE,
        ERRORS,
    ),
    "twinsyncd.runtime.overall_state": (
        "twinsyncd.config",
        "twinsyncd.journal.figures",
        "twinsyncd.runtime.machine_lock",
        "twinsyncd.runtime.state",
        *WORDS,
        VIEWS,
    ),
    "twinsyncd.runtime.trouble": ("twinsyncd.runtime.held_file",),
    "twinsyncd.runtime.machine_lock": ("twinsyncd.config", ERRORS),
    "twinsyncd.runtime.service_account": ("twinsyncd.config", ERRORS),
    "twinsyncd.runtime.service_steps": (ERRORS,),
    "twinsyncd.runtime.pywin32_service": (ERRORS, REDACT),
    "twinsyncd.runtime.patience": ("twinsyncd.runtime.trouble", CORE, ERRORS),
    "twinsyncd.runtime.lease_keeper": ("twinsyncd", "twinsyncd.journal.leases", CORE, ERRORS),
    "twinsyncd.runtime.shared_work": (
        "twinsyncd.config",
        "twinsyncd.journal.writer",
        "twinsyncd.runtime.lease_keeper",
        CORE,
        ERRORS,
    ),
    "twinsyncd.runtime.addressees": ("twinsyncd.config", CORE),
    "twinsyncd.runtime.journal_opening": (
        "twinsyncd.config",
        "twinsyncd.journal",
        "twinsyncd.runtime",
        CORE,
        ERRORS,
    ),
    "twinsyncd.runtime.patient_journal": (
        "twinsyncd.journal",
        "twinsyncd.runtime.journal_place",
        "twinsyncd.runtime.patience",
        CORE,
        ERRORS,
    ),
    "twinsyncd.runtime.journal_place": ("twinsyncd.journal", ERRORS),
    "twinsyncd.runtime.reference_reader": (
        "twinsyncd.disk",
        "twinsyncd.journal.drawing_references",
        "twinsyncd.runtime.share_threads",
        CORE,
        ERRORS,
    ),
    "twinsyncd.runtime.reference_words": (
        "twinsyncd.runtime.formatting",
        "twinsyncd.journal.drawing_references",
        CORE,
    ),
    "twinsyncd.runtime.cloud_words": (
        "twinsyncd.runtime.formatting",
        "twinsyncd.journal.differences",
        CORE,
    ),
    "twinsyncd.runtime.source_reports": (
        "twinsyncd.runtime.formatting",
        "twinsyncd.disk.drive_words",
        VIEWS,
        CORE,
    ),
    "twinsyncd.runtime.missing_files": ("twinsyncd.runtime.formatting", VIEWS, CORE),
    "twinsyncd.runtime.report_lines": (
        "twinsyncd.runtime.formatting",
        "twinsyncd.runtime.trouble",
        "twinsyncd.journal.failed_comparisons",
        "twinsyncd.journal.late_stores",
        "twinsyncd.journal.outlets",
        "twinsyncd.journal.root_waits",
        VIEWS,
        CORE,
    ),
    "twinsyncd.runtime.formatting": (),
    "twinsyncd.runtime.machine_lines": (
        "twinsyncd.runtime.formatting",
        "twinsyncd.runtime.report_lines",
        "twinsyncd.journal.daemon_rows",
        CORE,
    ),
    **dict.fromkeys(
        (
            "twinsyncd.runtime.bulk_records",
            "twinsyncd.runtime.conditions",
            "twinsyncd.runtime.currency",
            "twinsyncd.runtime.file_doubts",
        ),
        (*WORDS, VIEWS, CORE),
    ),
    "twinsyncd.runtime.event_words": (CORE,),
    "twinsyncd.runtime.headline": WORDS,
    "twinsyncd.runtime.status_model": (),
    "twinsyncd.runtime.file_state": (
        "twinsyncd.runtime.formatting",
        "twinsyncd.runtime.open_files",
        CORE,
    ),
    "twinsyncd.runtime.status_document": (
        "twinsyncd.journal.figures",
        *WORDS,
        VIEWS,
        CORE,
        REDACT,
    ),
    "twinsyncd.runtime.page_data": (
        "twinsyncd.config",
        "twinsyncd.journal",
        "twinsyncd.runtime.state",
        "twinsyncd.runtime.addressees",
        "twinsyncd.runtime.clock",
        "twinsyncd.runtime.person_requests",
        *WORDS,
        CORE,
        ERRORS,
    ),
    "twinsyncd.runtime.page_wiring": (
        "twinsyncd.config",
        "twinsyncd.web",
        "twinsyncd.journal.outlets",
        "twinsyncd.journal.requests",
        "twinsyncd.runtime.clock",
        "twinsyncd.runtime.page_data",
        "twinsyncd.runtime.notify_wiring",
        "twinsyncd.notify.notifier",
        CORE,
        ERRORS,
    ),
    "twinsyncd.runtime.notify_wiring": ("twinsyncd.config", "twinsyncd.notify", ERRORS),
    "twinsyncd.runtime.open_files": ("twinsyncd.runtime.formatting", VIEWS, CORE),
    "twinsyncd.runtime.report": (
        "twinsyncd.journal.damage",
        "twinsyncd.journal.differences",
        "twinsyncd.journal.drawing_references",
        "twinsyncd.config",
        "twinsyncd.runtime.formatting",
        "twinsyncd.runtime.machine_lines",
        "twinsyncd.runtime.open_files",
        "twinsyncd.runtime.report_lines",
        "twinsyncd.runtime.source_reports",
        "twinsyncd.runtime.missing_files",
        "twinsyncd.runtime.trouble",
        "twinsyncd.journal.root_waits",
        VIEWS,
        CORE,
        ERRORS,
    ),
    **dict.fromkeys(TASKS, ("twinsyncd",)),
    "twinsyncd.web": (VIEWS, "twinsyncd.journal.figures", *WORDS, CORE, ERRORS, REDACT),
    "twinsyncd.cli": (
        *SHELL,
        VIEWS,
        "twinsyncd.journal.folder_view",
        CORE,
        ERRORS,
        REDACT,
        "twinsyncd.connectors",
        "twinsyncd.shipped",
        "twinsyncd.manual",
    ),
    "twinsyncd": (),
    "twinsyncd.__main__": ("twinsyncd.cli",),
    "localtwin": (),
}
"""A room, and what else it may import than itself; the longest name that fits a module counts."""

SERVER = ("localtwin.api", "localtwin.serve", "fastapi", "starlette", "uvicorn")
KEEPS_OUT: dict[str, tuple[str, ...]] = {
    "localtwin.world": SERVER,
    "localtwin.imodel": SERVER,
    "localtwin.connectors": SERVER,
}
"""A room of localtwin, and what it must not reach: its rules hold without a server."""

LOCAL_COMMANDS = ("demo", "local", "imodel", "imodel_files", "imodel_text")
"""The commands that work on localtwin and its iModels on this machine."""

ONLY_IN: dict[str, tuple[str, ...]] = {
    "localtwin": ("localtwin", *(f"twinsyncd.cli.{each}" for each in LOCAL_COMMANDS)),
    "twinsyncd.runtime.wiring": ("twinsyncd.cli", *TASKS),
    "twinsyncd.runtime.cloud_wiring": ("twinsyncd.runtime.wiring", *TASKS),
    "httpx": ("twinsyncd.cloud",),
    "watchdog": ("twinsyncd.disk",),
    "sqlalchemy": ("twinsyncd.journal", "localtwin"),
    "alembic": ("twinsyncd.journal", "localtwin"),
    "typer": ("twinsyncd.cli", "localtwin"),
    "rich": ("twinsyncd.cli", "twinsyncd.logs", "localtwin"),
    "starlette": ("twinsyncd.web", "localtwin"),
    "jinja2": ("twinsyncd.web",),
    "apprise": ("twinsyncd.notify",),
    "fastapi": ("localtwin",),
    "uvicorn": ("twinsyncd.web", "twinsyncd.runtime", "localtwin"),
    "obstore": ("twinsyncd.targets.manifest",),
    "pyarrow": ("twinsyncd.targets.bulk",),
    "python_calamine": ("twinsyncd.targets.bulk", "localtwin"),
    "tomlkit": ("twinsyncd.config", "twinsyncd.cli.config"),
    "prometheus_client": ("twinsyncd.web",),
    "pydantic": (
        "twinsyncd.config",
        "twinsyncd.cloud",
        "twinsyncd.runtime.status_model",
        "localtwin",
    ),
}
"""A module or library that is one room's trade, and who else may touch it."""

PURE = {"__future__", "abc", "bisect", "collections", "dataclasses", "enum", "functools", "heapq"}
PURE |= {
    "hashlib",
    "itertools",
    "math",
    "operator",
    "re",
    "string",
    "types",
    "typing",
    "unicodedata",
}
IMPURE_BUILTINS = {"print", "open", "input", "exec", "eval", "compile", "__import__", "breakpoint"}
IMPURE_METHODS = {"now", "today", "utcnow", "read_text", "write_text", "read_bytes", "write_bytes"}
EMPTY_WORDS = ("Manager", "Helper", "Util", "Utils", "Handler", "Service")


def name_of(file: Path) -> str:
    """Return the dotted name of a module under src."""
    return ".".join(file.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__")


def exists(module: str) -> bool:
    """True if it is a module or package of ours, and not a name inside one."""
    place = SRC.joinpath(*module.split("."))
    return place.is_dir() or place.with_suffix(".py").is_file()


@cache
def tree_of(file: Path) -> ast.Module:
    """Return a module's text as a syntax tree."""
    return ast.parse(file.read_text("utf-8"))


def room_of(module: str) -> str:
    """Return the package of ours that a module lies in, of two names at most."""
    return ".".join(module.split(".")[:2])


def complaints(room: str, wrong: Callable[[Path], Collection[str]]) -> dict[str, Collection[str]]:
    """Return by module what is wrong with those of a room; empty if nothing is."""
    files = {name_of(file): file for file in FILES if room_of(name_of(file)) == room}
    found = {name: wrong(file) for name, file in files.items()}
    assert found, f"nothing lies in {room}"
    return {name: each for name, each in found.items() if each}


def imported(tree: ast.Module, package: str) -> Iterator[str]:
    """Yield the dotted name of all that a module of `package` imports, wherever in its text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            home = parts[: len(parts) - node.level + 1] if node.level else []
            base = ".".join([*home, *([node.module] if node.module else [])])
            inner = [f"{base}.{alias.name}" for alias in node.names]
            yield from (name if exists(name) else base for name in inner)


def imports_of(file: Path) -> list[str]:
    """Return what a file of ours imports."""
    name = name_of(file)
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    return sorted(set(imported(tree_of(file), package)))


def within(module: str, rooms: tuple[str, ...]) -> bool:
    """True if the module is one of the rooms or lies in one."""
    return any(module == room or module.startswith(f"{room}.") for room in rooms)


def rule_for(module: str) -> str:
    """Return the longest key of MAY_IMPORT that holds for the module; "" if none does."""
    return max((room for room in MAY_IMPORT if within(module, (room,))), key=len, default="")


def offences(module: str, imports: list[str]) -> list[str]:
    """Return those imports that the plan does not grant the module."""
    room = rule_for(module)
    allowed = (*MAY_IMPORT[room], room) if room != "twinsyncd" else ()
    ours = [name for name in imports if within(name, ("twinsyncd", "localtwin"))]
    wrong = [name for name in ours if name != "twinsyncd" and not within(name, allowed)]
    granted = [name for name in wrong if within(name, ("localtwin",)) and may_touch(module, name)]
    trade = [name for name in imports if not may_touch(module, name)]
    closed = [out for room, out in KEEPS_OUT.items() if within(module, (room,))]
    barred = [name for out in closed for name in imports if within(name, out)]
    return sorted({*wrong, *trade, *barred} - set(granted))


def may_touch(module: str, name: str) -> bool:
    """True unless `name` is a trade of which the module is no part."""
    trades = {trade: users for trade, users in ONLY_IN.items() if within(name, (trade,))}
    return all(within(module, (trade, *users)) for trade, users in trades.items())


def functions(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield every function's name and its length in lines, without decorators."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def impure_calls(tree: ast.Module) -> list[str]:
    """Return the calls that reach the world by a name that needs no import, or tell the time."""
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    names = [call.attr for call in calls if isinstance(call, ast.Attribute)]
    builtin = [call.id for call in calls if isinstance(call, ast.Name)]
    reached = [name for name in names if name in IMPURE_METHODS]
    return reached + [name for name in builtin if name in IMPURE_BUILTINS]


every_room = pytest.mark.parametrize("room", sorted({room_of(name_of(file)) for file in FILES}))


@every_room
def test_every_module_imports_only_what_the_plan_grants_it(room: str) -> None:
    """One forbidden import is how a pure core and an honest witness are lost."""
    assert complaints(room, lambda file: offences(name_of(file), imports_of(file))) == {}


def test_every_module_has_a_place_in_the_plan() -> None:
    """A room nobody planned is a room nobody guards."""
    names = map(name_of, FILES)

    unplanned = [name for name in names if rule_for(name) in {"", "twinsyncd"}]

    assert unplanned == ["twinsyncd"]


def test_the_core_imports_only_pure_modules() -> None:
    """The core must be replayable, so it may not be able to reach the world."""

    def foreign(file: Path) -> set[str]:
        names = [name for name in imports_of(file) if not within(name, (CORE,))]
        return {name.split(".")[0] for name in names} - PURE

    assert complaints(CORE, foreign) == {}


def test_the_core_calls_nothing_that_reaches_the_world() -> None:
    """Time and files are arguments there; one print or one clock breaks every replay."""
    assert complaints(CORE, lambda file: impure_calls(tree_of(file))) == {}


@every_room
def test_every_module_says_its_duty_and_keeps_to_its_size(room: str) -> None:
    """What nobody can read in one sitting nobody mends at night."""

    def wrong(file: Path) -> list[str]:
        tree, lines = tree_of(file), len(file.read_text("utf-8").splitlines())
        long = [name for name, length in functions(tree) if length > FUNCTION_LINES_MAX]
        long += [f"{lines} lines"] if lines > MODULE_LINES_MAX else []
        return long if ast.get_docstring(tree) else ["no docstring", *long]

    assert complaints(room, wrong) == {}


@every_room
def test_every_class_is_named_for_what_it_is(room: str) -> None:
    """A class called Manager has no duty, so it gets them all."""

    def empty(file: Path) -> list[str]:
        classes = [node for node in ast.walk(tree_of(file)) if isinstance(node, ast.ClassDef)]
        return [node.name for node in classes if node.name.endswith(EMPTY_WORDS)]

    assert complaints(room, empty) == {}


@pytest.mark.parametrize(
    ("source", "package", "expected"),
    [
        ("import os.path", "twinsyncd.disk", ["os.path"]),
        ("from ..core import model, facts", "twinsyncd.disk", ["core.model", "core.facts"]),
        ("from ..core.model import FileKey", "twinsyncd.disk", ["core.model"]),
        ("from . import model", "twinsyncd.core", ["core.model"]),
        ("from .. import errors", "twinsyncd.core", ["errors"]),
        ("def late():\n    from ..errors import AppError", "twinsyncd.core", ["errors"]),
    ],
)
def test_imports_are_found_wherever_and_however_written(
    source: str, package: str, expected: list[str]
) -> None:
    """A rule that a relative or a late import slips past guards nothing."""
    ours = ["core", "errors"]
    full = [f"twinsyncd.{name}" if name.split(".")[0] in ours else name for name in expected]

    assert full == list(imported(ast.parse(source), package))


@pytest.mark.parametrize(
    ("module", "imports", "expected"),
    [
        ("twinsyncd.core.lane", ["twinsyncd.errors"], ["twinsyncd.errors"]),
        ("twinsyncd", ["twinsyncd.config"], ["twinsyncd.config"]),
        (
            "twinsyncd.connectors",
            ["twinsyncd.targets.protocol"],
            ["twinsyncd.targets.protocol"],
        ),
        ("twinsyncd.disk.scan", ["twinsyncd.core.lane"], ["twinsyncd.core.lane"]),
        ("twinsyncd.journal.writer", ["twinsyncd.core.facts"], ["twinsyncd.core.facts"]),
        ("twinsyncd.web.page", ["twinsyncd.journal.writer"], ["twinsyncd.journal.writer"]),
        ("twinsyncd.runtime.engine", ["twinsyncd.cloud.client"], ["twinsyncd.cloud.client"]),
        ("twinsyncd.runtime.workers", ["twinsyncd.targets.protocol"], []),
        ("twinsyncd.runtime.engine", ["twinsyncd.runtime.wiring"], ["twinsyncd.runtime.wiring"]),
        ("twinsyncd.runtime.wiring", ["twinsyncd.cloud.client"], []),
        ("twinsyncd.runtime.wiring", ["localtwin.serve"], ["localtwin.serve"]),
        ("twinsyncd.targets.storage", ["httpx"], ["httpx"]),
        ("twinsyncd.cli.demo", ["localtwin.serve"], []),
        ("twinsyncd.cli.run", ["localtwin.serve"], ["localtwin.serve"]),
        ("localtwin.api.access.ims", ["twinsyncd.cloud.wire"], ["twinsyncd.cloud.wire"]),
        ("localtwin.world.synchronization.runs", ["fastapi"], ["fastapi"]),
        ("localtwin.api.access.ims", ["fastapi", "localtwin.world.synchronization.runs"], []),
    ],
)
def test_the_plan_itself_forbids_and_grants(
    module: str, imports: list[str], expected: list[str]
) -> None:
    """Rooms that are not built yet are guarded from their first line."""
    assert expected == offences(module, imports)


def test_reaching_the_world_is_recognised() -> None:
    """The guard of the core must bite."""
    source = "print(1)\nopen('a')\ndatetime.now()\nre.compile('a')\nmodel.open()"

    assert sorted(impure_calls(ast.parse(source))) == ["now", "open", "print"]
