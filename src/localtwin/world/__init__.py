"""The platform's rules, independent of HTTP."""
