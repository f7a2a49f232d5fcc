"""A small simulation of many nodes: leases, log shards, reconnect storms and overload."""
