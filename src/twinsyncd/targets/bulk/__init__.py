"""Delivers the rows of export files to a bulk Synchronization API, only those that changed."""
