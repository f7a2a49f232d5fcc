"""Rules of the room of documents, without I/O."""
