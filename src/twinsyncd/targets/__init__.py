"""Delivers files to the platform: one package per kind of connection, all behind one Protocol."""

from .protocol import Content, Target

__all__ = ["Content", "Target"]
