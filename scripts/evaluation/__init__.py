"""Measures what the server does against public sets of cases."""
