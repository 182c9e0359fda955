"""Names the blocks of an upload by their place and content, and reads which ones the host holds.

Named by their own bytes, blocks that an earlier upload left can only count as what they are, and a
late repetition of one changes nothing. The digest is BLAKE3: it costs a tenth of the SHA-256 that
the whole file needs anyway.
Source: Azure Blob Storage REST, "Put Block" (ids of one length, at most 64 bytes).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from blake3 import blake3

_DIGEST_CHARACTERS: Final = 32
_NAME: Final = re.compile(rb"([0-9a-f]{12})-[0-9a-f]{32}")
_ID_CHARACTERS: Final = 60  # base64 of the 45 bytes of every name


def block_id(offset: int, pieces: Iterable[bytes]) -> str:
    """Return the id of the block that starts at `offset` and consists of these pieces."""
    digest = blake3()
    for piece in pieces:
        digest.update(piece)
    name = f"{offset:012x}-{digest.hexdigest()[:_DIGEST_CHARACTERS]}"
    return base64.b64encode(name.encode("ascii")).decode("ascii")


@dataclass(frozen=True, slots=True)
class Held:
    """Blocks that the host holds of a blob: size by id, and the ids of its content in order.

    `is_known`: the host said so; without the right to ask, everything is empty. `etag` is that of
    the content; "" where the answer did not name it.
    """

    uncommitted: Mapping[str, int]
    committed: Mapping[str, int]
    is_known: bool = True
    etag: str = ""

    @property
    def has_foreign(self) -> bool:
        """Return whether another program left blocks, beside which the host takes none of ours."""
        return any(len(each) != _ID_CHARACTERS for each in self.uncommitted)

    def without_uncommitted(self) -> Held:
        """Return what is left once the uncommitted blocks are dropped."""
        return Held({}, self.committed, self.is_known)  # the content's ETag may be another now

    def sizes(self) -> Mapping[str, int]:
        """Return the size of each block that needs not be sent again."""
        return {**self.committed, **self.uncommitted}

    def first_block_bytes(self, total_bytes: int) -> int | None:
        """Return the block size of an earlier upload, from its first block; None: none known.

        Blocks can only be used again between the same ends.
        """
        sizes: Sequence[int] = [size for name, size in self.sizes().items() if _offset(name) == 0]
        return max((size for size in sizes if size < total_bytes), default=None)


NOTHING_HELD: Final = Held({}, {}, is_known=False)


def _offset(name: str) -> int | None:
    """Return where a block of ours starts; None: it is not ours."""
    try:
        found = _NAME.fullmatch(base64.b64decode(name, validate=True))
    except (binascii.Error, ValueError):
        return None
    return int(found[1], 16) if found else None
