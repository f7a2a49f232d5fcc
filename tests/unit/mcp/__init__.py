"""The rules around MCP."""
