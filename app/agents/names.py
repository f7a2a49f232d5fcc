"""The names by which the plan, the graph and the wire know the agents."""

from typing import Final

COORDINATOR: Final = "coordinator"
RETRIEVAL: Final = "retrieval"
TOOLS: Final = "tools"
WRITER: Final = "writer"
