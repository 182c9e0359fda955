# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""New files are compared with known ones by few questions to the journal."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from core_script import CAD, A, Script, is_idle, scanned, storage_id, stored, storing

from twinsyncd.core import commands, facts
from twinsyncd.core.model import FileKey, FileRow, Fingerprint

NEW = tuple(FileKey(CAD, f"sheet {number:02}.dgn") for number in range(40))


def test_many_new_files_are_looked_up_with_one_question() -> None:
    """A first sync of thousands would spend more time on questions than on uploads."""
    script = is_idle(uploads_max=len(NEW))
    found = tuple((key.path, Fingerprint(10, 1, number + 1, 1)) for number, key in enumerate(NEW))
    script.meanwhile(facts.HintsLost(CAD, "overflow")).meanwhile(after_s=2)
    script.meanwhile(facts.FilesFound(CAD, found), scanned(len(NEW)))
    script.meanwhile(after_s=5).meanwhile(facts.Looked(CAD, found))
    asked = _count_questions(script)
    stores: set[FileKey] = set()
    rounds = 0

    while hashes := [each for each in script.open if isinstance(each, commands.Hash)]:
        rounds += 1
        script.meanwhile(*(facts.Hashed(e.key, e.fingerprint, e.key.path) for e in hashes))
        stores |= {each.key for each in script.said if isinstance(each, commands.Store)}

    assert stores == set(NEW)
    assert rounds < len(NEW)
    assert asked == ["content", "file id"] * rounds


def test_an_id_that_the_service_made_just_now_is_looked_up_nowhere() -> None:
    """It can be no other file's, and a first sync gets thousands of them."""
    script = storing()
    asked: list[str] = []

    def having(sources: Iterable[str], storage_ids: Collection[str]) -> list[FileRow]:
        asked.extend(storage_ids)
        return []

    script.journal.having = having  # type: ignore[method-assign]

    script.hears(facts.Reserved(A, storage_id(A), is_new=True)).says()
    script.remembers(A, storage_id=storage_id(A))
    script.hears(stored(A, 1))

    assert asked == []


def _count_questions(script: Script) -> list[str]:
    asked: list[str] = []
    journal = script.journal
    with_content, with_file_id = journal.with_content, journal.with_file_id

    def of_content(sources: Iterable[str], digests: Collection[str]) -> list[FileRow]:
        asked.append("content")
        return with_content(sources, digests)

    def of_file_id(sources: Iterable[str], file_ids: Collection[int]) -> list[FileRow]:
        asked.append("file id")
        return with_file_id(sources, file_ids)

    journal.with_content = of_content  # type: ignore[method-assign]
    journal.with_file_id = of_file_id  # type: ignore[method-assign]
    return asked
