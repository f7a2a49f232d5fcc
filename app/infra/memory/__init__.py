"""Adapters that live inside this process."""
