"""The worker process that reads source files and writes into iModels."""
