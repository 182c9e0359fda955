"""Who calls: clients, tokens, people, and what they agreed to."""
