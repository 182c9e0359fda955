"""The memory: what is seen, stored and synced, and how every run went."""
