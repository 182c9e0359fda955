"""A local iModel: an SQLite file of elements and their sources, with changesets."""
