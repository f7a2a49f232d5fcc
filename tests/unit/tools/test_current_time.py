"""The tool that tells the time of day."""

import json

import pytest

from app.tools.builtin import current_time as module
from app.tools.builtin.current_time import current_time
from app.tools.builtin.places import Places
from app.tools.calls import Answered
from core.tools import Outcome
from tests.support.tool_house import call, tool_house

PLACES = Places(
    ("Africa/Dar_es_Salaam", "America/Argentina/Buenos_Aires", "America/New_York", "Asia/Bangkok")
)


@pytest.fixture(autouse=True)
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Count how often the places are read; they are few here."""
    counted: list[str] = []

    def read() -> Places:
        counted.append("read")
        return PLACES

    monkeypatch.setattr(Places, "of_this_machine", read)
    module._known_places.cache_clear()
    return counted


async def told(**arguments: str) -> Answered:
    house = await tool_house(current_time)
    return await house.answer(call("current_time", 1, json.dumps(arguments)))


async def test_without_a_place_it_is_utc() -> None:
    assert (await told()).text == "Saturday, 21 November 2026, 23:30 in UTC"


async def test_a_time_zone_has_its_own_date_and_offset() -> None:
    answer = await told(timezone="Asia/Kolkata")
    assert answer.text == "Sunday, 22 November 2026, 05:00 in Asia/Kolkata (UTC+05:30)"


@pytest.mark.parametrize(
    "place", ["nowhere", "../../etc/passwd", "/etc/passwd", "a\x00b", "Europe"]
)
async def test_a_place_nobody_knows_is_said_to_be_one(place: str) -> None:
    answer = await told(timezone=place)
    assert answer.outcome is Outcome.INVALID
    assert "No time zone is known for" in answer.text


@pytest.mark.parametrize(
    ("place", "zone"),
    [
        ("bangkok", "Asia/Bangkok"),
        ("New York", "America/New_York"),
        ("Bangkok, Thailand", "Asia/Bangkok"),
        ("buenos aires", "America/Argentina/Buenos_Aires"),
        ("the Netherlands", "Europe/Amsterdam"),
        ("San Francisco", "America/Los_Angeles"),
        ("München", "Europe/Berlin"),
        ("北京", "Asia/Shanghai"),
        ("กรุงเทพ", "Asia/Bangkok"),
        ("eastern time", "America/New_York"),
        ("Atlantis", None),
    ],
)
def test_places_are_known_by_what_people_call_them(place: str, zone: str | None) -> None:
    assert PLACES.zone_of(place) == zone


async def test_a_city_does_as_well_as_a_time_zone() -> None:
    answer = await told(timezone="Dar es Salaam")
    assert answer.text == "Sunday, 22 November 2026, 02:30 in Africa/Dar_es_Salaam (UTC+03:00)"


async def test_the_places_are_read_once_and_only_when_a_city_is_asked_for(
    reads: list[str],
) -> None:
    await told(timezone="Asia/Bangkok")
    assert reads == []
    await told(timezone="Bangkok")
    await told(timezone="New York")
    assert reads == ["read"]


def test_this_machine_knows_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert Places.of_this_machine().zone_of("Reykjavik") == "Atlantic/Reykjavik"
