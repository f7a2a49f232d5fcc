"""The one place where the agents there are get made."""

from app.agents.coordinator import Coordinator
from app.agents.extractive import ExtractiveWriter
from app.agents.library import Library
from app.agents.retrieval import Retrieval
from app.agents.spending import Prices
from app.agents.tools import Tools
from app.agents.turn import Agent
from app.agents.writer import Writer
from app.tools.executor import Executor
from core.ports.chat_model import ChatModel


def build_agents(
    library: Library,
    model: ChatModel | None,
    executor: Executor,
    *,
    passage_limit: int,
    passage_token_budget: int,
    tool_rounds: int,
    prices: Prices,
) -> dict[str, Agent]:
    """Return every agent by its name. To add one: write its file, and its line here.

    model: None where none is configured; the writer then only quotes.
    passage_limit: how many passages one search gives.
    passage_token_budget: how many tokens of passages the writer is shown.
    tool_rounds: how often a model may ask for tools before it has to answer.
    """
    agents: tuple[Agent, ...] = (
        Coordinator(library),
        Retrieval(library, passage_limit),
        Tools(executor),
        ExtractiveWriter(library, passage_token_budget)
        if model is None
        else Writer(
            library,
            model,
            passage_token_budget,
            executor,
            rounds=tool_rounds,
            prices=prices,
        ),
    )
    return {agent.name: agent for agent in agents}
