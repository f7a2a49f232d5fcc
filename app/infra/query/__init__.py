"""Reads databases that others own, for tools."""
