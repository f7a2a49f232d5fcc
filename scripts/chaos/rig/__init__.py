"""The nodes, stores and proxies that a run of the suite starts for itself."""
