"""The socket's rules without a network, and its shell without a server."""
