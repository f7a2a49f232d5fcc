"""Rules of the model adapters, without I/O."""
