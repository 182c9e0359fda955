"""The only code that reads users' files: what is there, what it holds, and hints of change."""
