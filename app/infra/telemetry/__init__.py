"""Numbers for those who watch a node."""
