"""Sign-in: the token service and its pages."""
