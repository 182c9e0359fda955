"""Connectors: each reads one family of design files and yields what an iModel takes from it."""
