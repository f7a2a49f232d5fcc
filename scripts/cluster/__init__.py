"""Runs a whole cluster on this machine: nodes, balancer, Redis, Postgres, index."""
