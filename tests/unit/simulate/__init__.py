"""The simulation of many nodes: its properties, and the page that tells its figures."""
