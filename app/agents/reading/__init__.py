"""Reads what a person asks for from plain words: rules in several languages, no model."""
