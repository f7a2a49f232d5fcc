"""The faults, one small object each."""
