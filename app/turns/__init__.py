"""One user message to its last event."""
