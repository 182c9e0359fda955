"""The Storage API."""
