"""The only code that sends HTTP requests to the platform."""

from __future__ import annotations

import logging

# httpx logs whole URLs, signatures included, and httpcore logs headers, tokens included.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)
