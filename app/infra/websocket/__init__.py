"""The front door for sockets: a pure protocol core and its shell."""
