import json
from datetime import UTC, datetime

import pytest

from app.tools.current_time import make_current_time
from app.tools.places import Places
from app.tools.tool import ToolAnswer


class StoppedClock:
    """See `Clock`. It is always the same moment."""

    def now(self) -> datetime:
        return datetime(2026, 11, 21, 23, 30, tzinfo=UTC)


PLACES = Places(
    ("Africa/Dar_es_Salaam", "America/Argentina/Buenos_Aires", "America/New_York", "Asia/Bangkok")
)


async def told(**arguments: str) -> ToolAnswer:
    tool = make_current_time(StoppedClock(), lambda: PLACES)
    return await tool.answer(json.dumps(arguments))


async def test_without_a_place_it_is_utc() -> None:
    assert await told() == ToolAnswer("Saturday, 21 November 2026, 23:30 in UTC")


async def test_a_time_zone_has_its_own_date_and_offset() -> None:
    answer = await told(timezone="Asia/Kolkata")
    assert answer.text == "Sunday, 22 November 2026, 05:00 in Asia/Kolkata (UTC+05:30)"


@pytest.mark.parametrize(
    "place", ["nowhere", "../../etc/passwd", "/etc/passwd", "a\x00b", "Europe"]
)
async def test_a_place_nobody_knows_is_said_to_be_one(place: str) -> None:
    answer = await told(timezone=place)
    assert answer.error
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


async def test_the_places_are_read_once_and_only_when_a_city_is_asked_for() -> None:
    reads: list[str] = []

    def read() -> Places:
        reads.append("read")
        return PLACES

    tool = make_current_time(StoppedClock(), read)
    await tool.answer('{"timezone": "Asia/Bangkok"}')
    assert reads == []
    await tool.answer('{"timezone": "Bangkok"}')
    await tool.answer('{"timezone": "New York"}')
    assert reads == ["read"]


def test_this_machine_knows_places() -> None:
    assert Places.of_this_machine().zone_of("Reykjavik") == "Atlantic/Reykjavik"
