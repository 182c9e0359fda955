"""The identity of rows and features: the value of a key column, or else all that they contain.

A row's position is never its identity, so inserting and sorting rows modifies none of them.
"""

import json
import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import TypeAlias

import numpy as np

from localtwin.connectors.source import Json

Record: TypeAlias = Mapping[str, Json]
Records: TypeAlias = Callable[[], Iterable[Record]]

DIGEST_BYTES = 16

# Names of key columns in lower case without blanks and signs, the best first.
_KEY_NAMES = (
    *("guid", "globalid", "uuid", "uniqueid", "id", "key", "elementid", "itemid", "persistentid"),
    *("handle", "tag", "tagnumber", "tagno", "tagid", "itemtag", "code", "assetid", "number"),
    *("itemnumber", "partnumber", "partno", "documentnumber", "drawingnumber", "linenumber"),
)
# Whole numbers in these often count the rows, and are given anew when one is inserted.
_COUNTING = {"number", "itemnumber", "code"}
_MARKED = re.compile(r"\(key\)\s*$", re.IGNORECASE)
_LABEL_NAMES = ("name", "label", "title", "description", "itemname", "service")
_PLAIN = re.compile(r"[^0-9a-zà-ÿ]")


@dataclass(frozen=True, slots=True)
class Key:
    """How records are told apart: by the values of `name`, where these are not repeated."""

    name: str | None
    repeated: frozenset[int] = frozenset()  # hashes of values that several records have

    def value(self, record: Record) -> str:
        """Return the record's key; "" if it has none of its own."""
        text = "" if self.name is None else key_text(record.get(self.name))
        return "" if not text or hash(text) in self.repeated else text

    def identifier(self, record: Record, *content: str) -> str:
        """Return what identifies the record: its key, or a digest of it and of `content`.

        A repeated key stays readable before the digest.
        """
        if own := self.value(record):
            return own
        text = "" if self.name is None else key_text(record.get(self.name))
        return f"{text or 'row'} {content_digest(record, *content)}"


def find_key(names: Sequence[str], records: Records, also: Sequence[str] = ()) -> Key:
    """Return the first column that is named as a key and tells at least half the records apart.

    Half is enough, so that a copied row does not change the identity of all the others. A name
    that ends in "(key)" goes first, those in `also` last. The records are read once for each
    candidate until one fits.
    """
    for name in _candidates(names, also):
        key = _key(name, records())
        if key is not None:
            return key
    return Key(None)


def label_of(record: Record, key: str) -> str:
    """Return the record's name as people say it; its key if it has none."""
    named = {_plain(name): name for name in sorted(record, reverse=True)}
    for wanted in _LABEL_NAMES:
        value = record.get(named.get(wanted, ""))
        if isinstance(value, str) and value:
            return value
    return key


def key_text(value: Json) -> str:
    """Return a value as an identifier; "" for what identifies nothing, such as a list."""
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def content_digest(record: Record, *content: str) -> str:
    """Return a digest that is the same for the same content in any order of columns."""
    text = json.dumps([record, *content], sort_keys=True, default=dict)
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).hexdigest()


def _candidates(names: Sequence[str], also: Sequence[str]) -> Iterator[str]:
    names = sorted(names)
    yield from (name for name in names if _MARKED.search(name))
    ranked = {_plain(name): name for name in reversed(names)}
    yield from (ranked[wanted] for wanted in (*_KEY_NAMES, *also) if wanted in ranked)


def _key(name: str, records: Iterable[Record]) -> Key | None:
    hashes = array("q")
    count = whole = 0
    for record in records:
        count += 1
        value = record.get(name)
        if text := key_text(value):
            hashes.append(hash(text))
            whole += isinstance(value, int)
    if not hashes or (_plain(name) in _COUNTING and 2 * whole > len(hashes)):
        return None
    values, counts = np.unique(np.frombuffer(hashes, dtype=np.int64), return_counts=True)
    if 2 * int((counts == 1).sum()) < count:
        return None
    return Key(name, frozenset(int(value) for value in values[counts > 1]))


@lru_cache(maxsize=10_000)
def _plain(name: str) -> str:
    return _PLAIN.sub("", name.lower())
