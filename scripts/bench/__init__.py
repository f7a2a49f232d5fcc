"""Measures what a token and a turn cost, beside two servers that do nothing but relay."""
