"""The fault suite's own tests: what judges the server is judged first."""
