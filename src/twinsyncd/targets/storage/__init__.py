"""Delivers files through iTwin Storage and a storage connection of an iModel."""
