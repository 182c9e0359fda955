"""A local iModel: one SQLite file of elements, where each came from, and its changesets."""
