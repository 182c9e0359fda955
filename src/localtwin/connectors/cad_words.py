"""Words in DWG objects that cadkit can't take apart: leaders, tables, tolerances, labels.

From AutoCAD 2007 on, an object ends with its texts in UTF-16, which begin at any bit. Letters of
Latin alphabets one after the other are no chance: four of them occur once in 10^10 places.
Source: Open Design Specification for .dwg files 5.4, 2.8, string stream, read 2026-11.
"""

import re
from typing import NamedTuple

RAW_BYTES_MAX = 1 << 20  # a larger object is a picture or a solid
WORDS_MAX = 200  # of one object

_RUN = re.compile(r"[\t\n\r\x20-\x7e\xc0-\xff]{4,}")
# Names that programs give fonts and data of their own.
_TECHNICAL = re.compile(r".*\.(?:shx|ttf|ttc|otf)|ACAD_.*|AcDb.*", re.IGNORECASE)
_WORD_SHARE = 1 / 3  # of letters and digits
_PLAIN_SHARE = 2 / 3  # of English letters, digits and signs; texts of other bits have fewer


class _Run(NamedTuple):
    letters: int
    begin: int  # in bits
    end: int
    text: str


def words_in(raw: bytes) -> list[str]:
    """Return the texts in an object, each once, in the order that they have in it."""
    if len(raw) > RAW_BYTES_MAX:
        return []
    kept: list[_Run] = []
    taken = bytearray(len(raw) + 1)
    for run in sorted(_runs(raw), reverse=True):
        # The same bits read one place further seem to be letters, too, but stranger ones.
        place = slice(run.begin // 8 + 1, run.end // 8)
        if not any(taken[place]):
            taken[place] = b"\1" * (place.stop - place.start)
            kept.append(run)
    texts = (each.text.strip() for each in sorted(kept, key=lambda run: run.begin))
    return [text for text in dict.fromkeys(texts) if _is_said(text)][:WORDS_MAX]


def _is_said(text: str) -> bool:
    """Return whether a person may have written a text."""
    letters = sum(map(str.isalnum, text))
    return letters > _WORD_SHARE * len(text) and not _TECHNICAL.fullmatch(text)


def _runs(raw: bytes) -> list[_Run]:
    bits, size = int.from_bytes(raw, "big"), len(raw)
    mask = (1 << (8 * size)) - 1
    found = []
    for shift in range(8):
        shifted = ((bits << shift) & mask).to_bytes(size, "big")
        for odd in (0, 1):
            for match in _RUN.finditer(shifted[odd:].decode("utf-16-le", "replace")):
                begin = (2 * match.start() + odd) * 8 + shift
                plain = sum(letter.isascii() for letter in match[0])
                if plain >= _PLAIN_SHARE * len(match[0]):
                    end = begin + 16 * len(match[0])
                    letters = sum(map(str.isalnum, filter(str.isascii, match[0])))
                    found.append(_Run(letters, begin, end, match[0]))
    return found
