from app.agents.extractive import ExtractiveWriter
from app.agents.factory import build_agents
from app.agents.spending import Prices
from app.agents.turn import Agent
from app.agents.writer import Writer
from core.ports.chat_model import ChatModel
from tests.support.tool_house import tool_house
from tests.unit.agents.fakes import FakeLibrary
from tests.unit.agents.test_writer import Model


async def agents(model: ChatModel | None) -> dict[str, Agent]:
    house = await tool_house()
    return build_agents(
        FakeLibrary(),
        model,
        house.executor,
        passage_limit=6,
        passage_token_budget=1000,
        tool_rounds=8,
        prices=Prices(),
    )


async def test_every_agent_is_there_under_its_name() -> None:
    built = await agents(None)
    assert list(built) == ["coordinator", "retrieval", "tools", "writer"]
    assert all(agent.name == name for name, agent in built.items())


async def test_the_writer_is_the_models_where_there_is_one() -> None:
    assert isinstance((await agents(Model("Hi")))["writer"], Writer)
    assert isinstance((await agents(None))["writer"], ExtractiveWriter)
