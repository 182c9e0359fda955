"""The iTwin Platform in one process on the user's own machine."""
