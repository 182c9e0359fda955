"""Keeps an iModel equal to a design office's shared drive, unattended and provably."""

__version__ = "0.1.0"
