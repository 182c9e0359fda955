"""The memory: what is seen, stored and synced, and the result of every run."""
