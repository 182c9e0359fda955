"""Delivers files by URL, from the office's own object store, through a manifest connection."""
