"""What came of building the shapes of a file, by product, as far as it is known."""

import json
import os
import tempfile
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from localtwin.connectors.ifc_shape_models import Shape
from localtwin.connectors.source import Extent, Outline

TOTAL_S = 900.0  # for all shapes of a file, half of what the reading of a file may take
NOT_REACHED = f"could not be built within {TOTAL_S / 60:.0f} minutes, the limit for one file"

Built = tuple[Extent, Outline]


class Results:
    """Results by product, in a temporary file: there may be hundreds of thousands."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._open = set(keys)
        self._found: dict[str, int | str] = {}  # a place in the file, or why there is none
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 (`close` closes it)
        self._changed = threading.Condition()

    def add(self, answer: Mapping[str, Any]) -> None:
        """Keep an answer of the builder."""
        with self._changed:
            place = self._file.seek(0, os.SEEK_END)
            self._file.write(json.dumps(answer).encode() + b"\n")
            self._settle(str(answer["key"]), place)

    def fail(self, shapes: Sequence[Shape], reason: str) -> None:
        """Note why those of the shapes that have no result have none."""
        with self._changed:
            for key in (key for shape in shapes for key, _ in shape.items):
                if key in self._open:
                    self._settle(key, reason)

    def give_up(self) -> None:
        """Note that there will be no more results."""
        with self._changed:
            for key in list(self._open):
                self._settle(key, NOT_REACHED)

    def has(self, shape: Shape) -> bool:
        """Return whether every product of a shape has a result."""
        with self._changed:
            return all(key not in self._open for key, _ in shape.items)

    def of(self, key: str) -> Built | str:
        """Return a result, once it is there."""
        with self._changed:
            self._changed.wait_for(lambda: key not in self._open)
            found = self._found[key]
            if isinstance(found, str):
                return found
            self._file.seek(found)
            answer = json.loads(self._file.readline())
        outline = [[(x, y) for x, y in line] for line in answer["outline"]]
        return Extent(tuple(answer["low"]), tuple(answer["high"])), outline

    def close(self) -> None:
        """Drop all."""
        self._file.close()

    def _settle(self, key: str, found: int | str) -> None:
        self._open.discard(key)
        self._found[key] = found
        self._changed.notify_all()
