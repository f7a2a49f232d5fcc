"""The house: front doors, turns, graph, agents, tools, knowledge; `infra` is the cellar."""
