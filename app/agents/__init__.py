"""Agents: each answers one kind of question, one file each."""
