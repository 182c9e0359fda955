"""HTTP: one module per API of the platform, on top of the world's rules."""
