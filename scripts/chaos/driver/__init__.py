"""Clients of the WebSocket, written from the protocol, that write down every frame."""
