"""What all tests share."""

from __future__ import annotations

import gc

from hypothesis import settings

# A test run keeps thousands of tests and large libraries alive; looking through all of them for
# cycles takes longer than many tests do.
gc.set_threshold(20_000, 20, 50)

# Machines are noisy: how long one example takes proves nothing.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")
