"""The pure machine: facts in, rows and commands out; no clock, file, socket or logger."""
