"""Rules of the breakers, without I/O."""
