"""Rules of the developers' tools, without I/O."""
