"""The ground floor: words, events, errors, settings, and what we need from outside."""
