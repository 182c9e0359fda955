"""Clients, tokens, users, and what they authorised."""
