"""Connections, source files and runs."""
