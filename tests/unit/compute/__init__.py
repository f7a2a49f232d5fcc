"""Rules of the room of computing, without I/O."""
