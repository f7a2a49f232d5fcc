"""Judges a history by the protocol's rules and the database; knows nothing of the server's code."""
