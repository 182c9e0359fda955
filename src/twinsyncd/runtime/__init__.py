"""The shell around the core: it gathers facts, commits decisions, carries out commands."""
