from app.agents.extractive import ExtractiveWriter
from app.agents.factory import build_agents
from app.agents.turn import Agent
from app.agents.writer import Writer
from core.ports.chat_model import ChatModel
from tests.unit.agents.fakes import FakeLibrary
from tests.unit.agents.test_writer import Model


def agents(model: ChatModel | None) -> dict[str, Agent]:
    return build_agents(FakeLibrary(), model, {}, passage_limit=6, passage_token_budget=1000)


def test_every_agent_is_there_under_its_name() -> None:
    built = agents(None)
    assert list(built) == ["coordinator", "retrieval", "tools", "writer"]
    assert all(agent.name == name for name, agent in built.items())


def test_the_writer_is_the_models_where_there_is_one() -> None:
    assert isinstance(agents(Model("Hi"))["writer"], Writer)
    assert isinstance(agents(None)["writer"], ExtractiveWriter)
