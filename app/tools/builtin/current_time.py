"""The tool that tells the date and time of day in a place."""

from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field

from app.tools.builtin.places import Places
from app.tools.tool import Repairable, ToolArguments, ToolContext, tool
from core.principal import USER
from core.tools import Effect


class CurrentTimeArguments(ToolArguments):
    """Where the time is wanted."""

    timezone: str = Field(
        default="UTC",
        min_length=1,
        max_length=100,
        description="A time zone's IANA name, such as `Europe/Paris`, or a large city.",
    )


@tool(
    name="current_time",
    description="Tells today's date and the time of day in a time zone or a large city.",
    effect=Effect.READ,
    roles={USER},
    deadline_seconds=5.0,
    circuit=None,
)
def current_time(arguments: CurrentTimeArguments, context: ToolContext) -> str:
    """Return, for example, `Saturday, 21 November 2026, 15:20 in Europe/Paris (UTC+01:00)`.

    It reads files, so it is no coroutine.
    """
    return _told(context.services.clock.now().astimezone(_zone_of(arguments.timezone)))


def _zone_of(place: str) -> ZoneInfo:
    try:
        return ZoneInfo(place)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return _zone_of_city(place)


def _zone_of_city(city: str) -> ZoneInfo:
    name = _known_places().zone_of(city)
    if name is None:
        raise Repairable(
            f"No time zone is known for “{city}”. Try a large city, or a name like Europe/Paris."
        )
    return ZoneInfo(name)


@cache
def _known_places() -> Places:
    """Return the places there are, read when the first city is asked for."""
    return Places.of_this_machine()


def _told(moment: datetime) -> str:
    zone, offset = str(moment.tzinfo), f"{moment:%z}"
    place = zone if zone == "UTC" else f"{zone} (UTC{offset[:3]}:{offset[3:5]})"
    return f"{moment:%A}, {moment.day} {moment:%B %Y, %H:%M} in {place}"
