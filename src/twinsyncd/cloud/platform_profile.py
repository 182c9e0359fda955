"""What is known of a platform beyond its documentation, found out by `check --probe`.

Kept as a small JSON file in the state folder. None means not known, and then the safest holds.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final

LAG_MAX_S: Final = 10.0  # how long a completed file is waited for in a listing
LAG_LEAST_S: Final = 0.25  # the time that the request itself may take
LAG_MARGIN: Final = 3.0  # one probe saw one lag; others may be longer
PROFILE: Final = "platform_profile.json"


@dataclass(frozen=True, slots=True)
class PlatformProfile:
    """Answers to what the documentation leaves open; times are seconds since the epoch.

    `lists_blocks`: an upload URL may list the blocks that were sent. `second_url_voids_first`: a
    further upload URL of a file ends the one before. `second_url_same_blob`: both write to one
    place. `reopens_unfinished`: a file that was never completed gets a further URL.
    `lists_unfinished`: such a file is in the listing of its folder. `listing_lag_s`: how long a
    completed file was missing in the listing; None also where it was missing to the end.
    `rate_headers`: names of the headers about the rate limit in an ordinary answer.
    The methods say what follows; a question without an answer never allows more.
    """

    api_url: str = ""
    probed_s: float = 0.0
    lists_blocks: bool | None = None
    second_url_voids_first: bool | None = None
    second_url_same_blob: bool | None = None
    reopens_unfinished: bool | None = None
    lists_unfinished: bool | None = None
    listing_lag_s: float | None = None
    rate_headers: tuple[str, ...] = ()

    def listing_wait_s(self) -> float:
        """Return how long after a change no listing is to be believed [s]; 0: at once."""
        if not self.probed_s:
            return 0.0
        if self.listing_lag_s is None:
            return LAG_MAX_S
        return LAG_MARGIN * self.listing_lag_s if self.listing_lag_s >= LAG_LEAST_S else 0.0

    def may_resume(self) -> bool:
        """Return whether to ask which blocks of an earlier upload are there.

        Without an answer it is asked: that costs one call, and harms nothing.
        """
        return self.lists_blocks is not False and self.second_url_same_blob is not False

    def may_stage(self) -> bool:
        """Return whether blocks sent over one upload URL can be committed over a later one."""
        return self.second_url_same_blob is True and self.lists_blocks is True

    def renews_early(self) -> bool:
        """Return whether a URL can be renewed before it ends, while blocks go out over it."""
        return self.second_url_same_blob is True and self.second_url_voids_first is False

    def renews_unfinished(self) -> bool:
        """Return whether a file that was never completed may get a further upload URL."""
        return self.reopens_unfinished is not False

    def finds_unfinished(self) -> bool:
        """Return whether a listing may show a file that was created but never completed."""
        return self.lists_unfinished is not False

    def write(self, folder: Path) -> Path:
        """Keep it in a folder, whole or not at all; return the file. Raises OSError."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = folder / PROFILE
        draft = file.with_suffix(".draft")
        draft.write_text(json.dumps(asdict(self), indent=2) + "\n", "utf-8")
        os.replace(draft, file)  # noqa: PTH105 - atomic on every system, unlike rename
        return file


def read_profile(folder: Path, api_url: str) -> PlatformProfile:
    """Return what is known of the platform at `api_url`: nothing if it was not probed."""
    try:
        values = json.loads((folder / PROFILE).read_text("utf-8"))
        known = {each.name for each in fields(PlatformProfile)}
        values = {name: value for name, value in values.items() if name in known}
        found = PlatformProfile(**{**values, "rate_headers": tuple(values["rate_headers"])})
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return PlatformProfile()
    return found if found.api_url == api_url else PlatformProfile()
