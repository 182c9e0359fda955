"""Whether only attributes of objects changed in an IFC file, as its text proves.

An edit of a name leaves nearly all lines of a file as they were. To find that out takes a fifth of
what it takes to read them, so it is tried first.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

from localtwin.connectors.ifc_model import OBJECTS
from localtwin.connectors.ifc_schema import Schema
from localtwin.connectors.ifc_step import StepText

_DIGEST_BYTES = 16
_LINE_BYTES = 8

# The first line of an object, or of who saved when, which is no content.
_HEAD = re.compile(rb"\n#(\d++) *= *(?:(IFC\w++) *\('([^'\n]{22})'|IFCOWNERHISTORY *\()")
_TAIL = re.compile(rb"((?:[^';\n]|'[^'\n]*+')*+);[ \r]*(?=\n|$)")
_TEXT = re.compile(rb"'[^']*'")
_REFERENCE = re.compile(rb"#\d+")


@dataclass(frozen=True, slots=True)
class ModelText:
    """The lines of a model: digests of those of objects, by GlobalId, and one of all else.

    What an object refers to counts as all else. `numbers` are those of the objects.
    """

    rest: str
    numbers: Mapping[str, int]
    lines: Mapping[str, int]


def one_a_line(text: StepText) -> StepText:
    """Return a text with each instance on a line of its own, begun and ended by a newline.

    Only a text with a semicolon and a number sign in it may be broken by that.
    """
    data = text.data
    if text.is_broken:
        data = data.translate(None, b"\r\n").replace(b";#", b";\n#")
    return StepText(text.schema, b"\n" + data.strip() + b"\n")


def text_of(content: bytes, schema: Schema) -> ModelText | None:
    """Return the text of a model with one instance a line; None if an object's line is broken.

    Openings count as all else, as the elements that they are in depend on them.
    """
    digest = blake2b(schema.name.encode(), digest_size=_DIGEST_BYTES)
    numbers: dict[str, int] = {}
    lines: dict[str, int] = {}
    whole, at = memoryview(content), 0
    stands_alone = _StandsAlone(schema)
    for head in _HEAD.finditer(content):
        keyword = head[2]
        if not stands_alone[keyword]:
            continue
        tail = _TAIL.match(content, head.end())
        if tail is None:
            return None
        digest.update(whole[at : head.end()])
        at = tail.end()
        if keyword is not None:
            identifier = head[3].decode("utf-8", "replace")
            digest.update(b" ".join(_REFERENCE.findall(_TEXT.sub(b"", tail[1]))))
            numbers[identifier], lines[identifier] = int(head[1]), _hashed(tail[1])
    digest.update(whole[at:])
    return ModelText(digest.hexdigest(), numbers, lines)


class _StandsAlone(dict[bytes | None, bool]):
    """Whether lines of a keyword count by themselves; asked for each of a hundred thousand."""

    def __init__(self, schema: Schema) -> None:
        super().__init__({None: True})
        self._schema = schema

    def __missing__(self, keyword: bytes) -> bool:
        name = keyword.decode("ascii", "replace")
        is_object = self._schema.is_a(name, *OBJECTS)
        self[keyword] = is_object and not self._schema.is_a(name, "IFCFEATUREELEMENT")
        return self[keyword]


def _hashed(text: bytes) -> int:
    return int.from_bytes(blake2b(text, digest_size=_LINE_BYTES).digest(), "little")
