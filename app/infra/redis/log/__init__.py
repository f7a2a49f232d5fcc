"""The hot log of every conversation, in Redis."""
