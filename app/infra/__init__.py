"""Two rooms by mandate: `websocket` drives the house, the rest is driven by it."""
