"""The instances of a STEP file as arrays, a row for each."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from localtwin.connectors.ifc_hashes import Hashes, Places

_NO_PLACES: Places = np.zeros(0, np.int64)


@dataclass(slots=True)
class Statements:
    """The instances of a text, row by row in the order of the text.

    `text` is the text without blanks outside of its own texts. Arguments of a row are in it from
    `begins` to `ends`; `keywords` are places in `names`. `firsts` are hashes of first arguments,
    `own` of what the row says but for its references and real numbers. Those belong to a row with
    a factor, by which their own hash counts in it. `coded` rows have a text with escapes.
    """

    text: bytes
    names: list[str]
    ids: Places
    keywords: Places
    begins: Places
    ends: Places
    firsts: Hashes
    own: Hashes
    reference_rows: Places
    references: Places
    reference_factors: Hashes
    real_rows: Places
    reals: NDArray[np.float64]
    real_factors: Hashes
    coded: Places

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the statements of a text from those of its parts, each as if it were alone."""
        places: dict[str, int] = {}
        rows = at = 0
        for part in parts:
            codes = [places.setdefault(name, len(places)) for name in part.names]
            part.keywords = np.array(codes, np.int64)[part.keywords]
            part._shift(rows, at)
            rows, at = rows + len(part.ids), at + len(part.text)
        text = b"".join(part.text for part in parts)
        arrays = {}
        for name in (each.name for each in fields(cls) if each.name not in ("text", "names")):
            arrays[name] = np.concatenate([getattr(part, name) for part in parts])
            for part in parts:  # or all would be in memory twice
                setattr(part, name, _NO_PLACES)
        return cls(text=text, names=list(places), **arrays)

    def forget_details(self) -> None:
        """Free the memory of references and real numbers, once others know them."""
        self.reference_rows = self.references = self.real_rows = _NO_PLACES
        self.reference_factors = self.real_factors = np.zeros(0, np.uint64)
        self.reals = np.zeros(0, np.float64)

    def _shift(self, rows: int, at: int) -> None:
        self.reference_rows += rows
        self.real_rows += rows
        self.coded += rows
        self.begins += at
        self.ends += at
