"""HTTP side of the bulk Synchronization API, an API of its own below /api/v1."""
