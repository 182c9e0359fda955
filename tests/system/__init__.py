"""The real command line against a real localtwin, each a process of its own."""
