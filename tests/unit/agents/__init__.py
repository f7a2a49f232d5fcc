"""Tests of the agents: rules without I/O, agents with fakes through their constructors."""
