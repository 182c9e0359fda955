"""Notifications: silent until it matters, once when it begins, once when it ends."""
