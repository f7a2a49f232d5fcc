"""This server as an MCP server: what other programs' agents may ask of it."""
