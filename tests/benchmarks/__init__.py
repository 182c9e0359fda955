"""Measurements, each against a target and against a peer or limit of the same run."""
