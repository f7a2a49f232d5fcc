"""The tool that tells the date and time of day in a place."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field

from app.tools.places import Places
from app.tools.tool import Tool, ToolArguments, ToolError, tool
from core.clock import Clock


class CurrentTimeArguments(ToolArguments):
    """Where the time is wanted."""

    timezone: str = Field(
        default="UTC",
        min_length=1,
        max_length=100,
        description="A time zone's IANA name, such as `Europe/Paris`, or a large city.",
    )


def make_current_time(
    clock: Clock, read_places: Callable[[], Places] = Places.of_this_machine
) -> Tool:
    """Return the tool; it reads the places there are when the first city is asked for, once."""
    known_places = cache(read_places)

    def zone_of(place: str) -> ZoneInfo:
        try:
            return ZoneInfo(place)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return _zone_of_city(place, known_places())

    @tool(
        name="current_time",
        description="Tells today's date and the time of day in a time zone or a large city.",
        arguments=CurrentTimeArguments,
        deadline_seconds=5.0,
    )
    async def current_time(arguments: CurrentTimeArguments) -> str:
        zone = await asyncio.to_thread(zone_of, arguments.timezone)
        return _told(clock.now().astimezone(zone))

    return current_time


def _zone_of_city(city: str, places: Places) -> ZoneInfo:
    name = places.zone_of(city)
    if name is None:
        raise ToolError(
            f"No time zone is known for “{city}”. Try a large city, or a name like Europe/Paris."
        )
    return ZoneInfo(name)


def _told(moment: datetime) -> str:
    """Return, for example, `Saturday, 21 November 2026, 15:20 in Europe/Paris (UTC+01:00)`."""
    zone, offset = str(moment.tzinfo), f"{moment:%z}"
    place = zone if zone == "UTC" else f"{zone} (UTC{offset[:3]}:{offset[3:5]})"
    return f"{moment:%A}, {moment.day} {moment:%B %Y, %H:%M} in {place}"
