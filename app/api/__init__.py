"""The front door for HTTP."""
