"""Reaches out to the web: public pages, and the addresses that the settings name."""
