"""Parse, chunk and embed; stateless."""
