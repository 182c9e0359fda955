"""How connectors use several cores: what they find is the same, whatever becomes of the copies."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from localtwin.connectors.ifc import IfcConnector
from localtwin.connectors.ifc_objects import COPIES_MIN
from localtwin.connectors.ifc_scan import StrayStatement, scan
from localtwin.connectors.parallel import Aside, cores, in_copies, in_threads
from localtwin.connectors.source import ConnectorError, SourceElement, SourceItem

KEYS = range(1, 48)
HERE = os.getpid()

needs_fork = pytest.mark.skipif(sys.platform != "linux", reason="copies are made by fork")

HEAD = "ISO-10303-21;\nHEADER;\nFILE_SCHEMA(('IFC4'));\nENDSEC;\nDATA;\n"
TAIL = "ENDSEC;\nEND-ISO-10303-21;\n"


@needs_fork
@pytest.mark.parametrize("count", [1, 2, 3, 60])
def test_copies_find_what_one_process_finds(count: int) -> None:
    """The order of what is found must not depend on who was quicker."""
    found = list(in_copies(lambda key: (key, "x" * key), KEYS, count, block=4))

    assert found == [(key, "x" * key) for key in KEYS]


@needs_fork
def test_what_a_lost_copy_did_not_find_is_found_here() -> None:
    """A machine without memory kills the copy; that must cost time alone."""

    def lost_halfway(key: int) -> int:
        if key == 20 and os.getpid() != HERE:
            os.kill(os.getpid(), signal.SIGKILL)
        return key * key

    assert list(in_copies(lost_halfway, KEYS, 2, block=4)) == [key * key for key in KEYS]


@contextmanager
def no_more_files() -> Iterator[None]:
    """Let this process open no other file or pipe."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@needs_fork
def test_work_is_done_here_where_no_copy_can_be_made() -> None:
    """A busy server refuses processes and pipes; the file is still read."""
    with no_more_files():
        found = list(in_copies(lambda _: os.getpid() == HERE, KEYS, 2, block=4))
        aside = Aside(lambda: 1, 2).result()

    assert found == [True] * len(KEYS)
    assert aside is None


@needs_fork
def test_what_work_raises_in_a_copy_is_raised_here() -> None:
    """The report names the line that is wrong, so the error must be the same."""

    def refused(key: int) -> int:
        if key == 30:
            raise ValueError("key 30")
        return key

    found = in_copies(refused, KEYS, 2, block=4)

    assert [next(found) for _ in range(28)] == list(KEYS[:28])
    with pytest.raises(ValueError, match="key 30"):
        list(found)


@needs_fork
def test_no_copy_outlives_a_reader_that_stops() -> None:
    """A file that is refused halfway must not leave processes behind."""
    copies = set(in_copies(lambda _: os.getpid(), KEYS, 2, block=30))

    found = in_copies(lambda _: os.getpid(), KEYS, 2, block=30)
    still = next(found)
    found.close()

    assert len(copies) == 2
    assert HERE not in copies
    with pytest.raises(ProcessLookupError):
        os.kill(still, 0)


@needs_fork
@pytest.mark.parametrize(("count", "expected"), [(1, True), (2, False)])
def test_one_piece_of_work_is_done_aside(count: int, *, expected: bool) -> None:
    """What is needed late can be found by a copy while this process reads on."""
    aside = Aside(lambda: os.getpid() == HERE, count)

    assert aside.result() is expected
    assert aside.result() is expected


@needs_fork
def test_work_aside_that_is_lost_has_no_result() -> None:
    """Who asks has to do without."""
    aside = Aside(lambda: os.kill(os.getpid(), signal.SIGKILL), 2)

    assert aside.result() is None


def test_threads_raise_what_comes_first_in_order() -> None:
    """The error of a damaged file must not depend on which thread was quicker."""

    def jobs() -> Iterator[tuple[int]]:
        yield from ((key,) for key in (4, 2, 0, 5))
        raise LookupError

    found = in_threads(lambda key: 8 // key, jobs(), 3)

    assert [next(found), next(found)] == [2, 4]
    with pytest.raises(ZeroDivisionError):
        next(found)
    with pytest.raises(LookupError):
        list(in_threads(lambda key: key, iter_and_fail(), 2))


def iter_and_fail() -> Iterator[tuple[int]]:
    yield (1,)
    raise LookupError


@pytest.mark.parametrize("threads", [2, 3])
def test_a_scan_in_threads_finds_the_same(threads: int) -> None:
    """Digests of the same file must be equal on every machine."""
    lines = (f"#{n}=IFCKIND{n % 7}('a{n}',#{n + 1},({n}.5,{n}),'\\S\\x');" for n in range(1, 300))
    data = "\n".join(lines).encode()

    one, several = (scan(data, piece_bytes=500, threads=count) for count in (1, threads))

    for name in one.__slots__:
        expected, found = getattr(one, name), getattr(several, name)
        assert (
            expected == found if isinstance(expected, bytes | list) else (expected == found).all()
        )


def test_a_scan_in_threads_refuses_the_first_wrong_statement() -> None:
    """The error names the first line to look at."""
    data = b"#1=A(1);" * 50 + b"first;" + b"#1=A(1);" * 50 + b"second;#1='"

    with pytest.raises(StrayStatement, match="first"):
        scan(data, piece_bytes=100, threads=2)


@pytest.fixture
def one_core() -> Iterator[None]:
    """Let this process work on one core only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    yield
    os.sched_setaffinity(0, before)


def model(file: Path, *, wrong: str = "") -> Path:
    """Write a model that is large enough for copies; `wrong` is an argument of a late object."""
    walls = (
        f"#{at}=IFCWALL('{at:022d}',$,'Wall {at}',$,$,$,$,{wrong if at == 9000 else '$'},$);\n"
        f"#{at + 1}=IFCPROPERTYSINGLEVALUE('Length',$,IFCLENGTHMEASURE({at}.25),$);\n"
        f"#{at + 2}=IFCPROPERTYSET('{at + 2:022d}',$,'Set',$,(#{at + 1}));\n"
        f"#{at + 3}=IFCRELDEFINESBYPROPERTIES('{at + 3:022d}',$,$,$,(#{at}),#{at + 2});\n"
        for at in range(10, 10 * (COPIES_MIN + 2), 10)
    )
    file.write_text(HEAD + "".join(walls) + TAIL, encoding="ascii")
    return file


def said(item: SourceItem) -> object:
    return (item, item.checksum()) if isinstance(item, SourceElement) else item


@needs_fork
def test_a_large_model_says_the_same_on_one_core(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """An iModel must not depend on the machine that filled it."""
    file = model(tmp_path / "model.ifc")
    connectors = IfcConnector(), IfcConnector()

    here = list(map(said, connectors[0].read(file)))
    request.getfixturevalue("one_core")
    alone = list(map(said, connectors[1].read(file)))

    assert cores() == 1
    assert len(alone) == COPIES_MIN + 1
    assert here == alone
    assert connectors[0].memory() == connectors[1].memory()


def test_a_wrong_value_in_a_large_model_is_named(tmp_path: Path) -> None:
    """Whoever reads the line, the file is refused, and the report quotes the line."""
    with pytest.raises(ConnectorError, match="%%"):
        list(IfcConnector().read(model(tmp_path / "model.ifc", wrong="%%")))
