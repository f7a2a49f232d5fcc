"""Adapters that share state between nodes through Redis."""
