"""What all tests share."""

from __future__ import annotations

import gc

# A test run keeps thousands of tests and large libraries alive; looking through all of them for
# cycles takes longer than many tests do.
gc.set_threshold(20_000, 20, 50)
