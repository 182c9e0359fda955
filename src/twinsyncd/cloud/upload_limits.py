"""How large a request to the blob host may be: what is documented, and what was found out.

Source: Azure Blob Storage REST, "Put Block" and "Put Blob", remarks on size by version.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlsplit

MEBIBYTE: Final = 1024 * 1024

BLOCK_BYTES: Final = 4 * MEBIBYTE
"""Bounds memory per request; large enough that its cost vanishes, small enough to repeat."""

BLOCK_LEAST_BYTES: Final = 64 * 1024  # a proxy that refuses even this lets no file through
BLOCKS_MAX: Final = 50_000  # of one committed blob; beyond 195 GiB the blocks grow
RENEW_S: Final = 50 * 60.0  # upload URLs of the platform are valid for one hour
REWRITE_MAX_BYTES: Final = 64 * MEBIBYTE  # the longest content that is read back into memory
_SIGNED_PUTS: Final = (
    ("2019-12-12", 5000 * MEBIBYTE),
    ("2016-05-31", 256 * MEBIBYTE),
    ("", 64 * MEBIBYTE),
)
_SIGNED_BLOCKS: Final = (
    ("2019-12-12", 4000 * MEBIBYTE),
    ("2016-05-31", 100 * MEBIBYTE),
    ("", 4 * MEBIBYTE),
)


@dataclass(slots=True)
class Limits:
    """What the host and this machine can take; shared by all uploads.

    `block_bytes`: the largest block that the host accepts, as far as is known. `lists_blocks`: it
    may be asked which blocks it holds; not where that is known to be of no use. `renew_s`: how old
    an upload URL gets before it is renewed [s]; infinite: only one that is refused is.
    """

    block_bytes: float = math.inf
    blocks_max: int = BLOCKS_MAX
    rewrite_max_bytes: int = REWRITE_MAX_BYTES
    lists_blocks: bool = True
    renew_s: float = math.inf

    def refused(self, size_bytes: int) -> bool:
        """Lower the limit below a size that was refused; False if it is the least already."""
        if size_bytes <= BLOCK_LEAST_BYTES:
            return False
        lower = max(size_bytes // 2, BLOCK_LEAST_BYTES)
        self.block_bytes = min(self.block_bytes, lower)
        return True


def block_bytes(size_bytes: int) -> int:
    """Return the block size for a content: a whole number of MiB, so that the count suffices."""
    return max(BLOCK_BYTES, math.ceil(size_bytes / BLOCKS_MAX / MEBIBYTE) * MEBIBYTE)


def signed_block_bytes(url: str) -> int:
    """Return the largest block that the URL's signed version allows."""
    return _signed(_SIGNED_BLOCKS, url)


def signed_put_bytes(url: str) -> int:
    """Return the longest content in one request that the URL's signed version allows."""
    return _signed(_SIGNED_PUTS, url)


def _signed(limits: Sequence[tuple[str, int]], url: str) -> int:
    version = parse_qs(urlsplit(url).query).get("sv", [""])[0]
    return next(most for since, most in limits if version >= since)
