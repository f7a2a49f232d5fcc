"""Opens every part of the house, wires them, and closes them in reverse."""
