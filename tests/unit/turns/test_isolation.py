"""When a node steps aside, and when it is a member again: the rule, without a clock."""

import asyncio
from dataclasses import dataclass

import pytest

from app.turns import isolation as isolation_module
from app.turns.isolation import (
    ALONE_SECONDS,
    BACK_SECONDS,
    LASTING_SECONDS,
    POLL_SECONDS,
    SILENT_SECONDS,
    Isolation,
)
from core.ports.neighbours import LogSight


@dataclass
class Scene:
    """What a node sees, and what others do; `after` lets time go by."""

    silent_seconds: float = 0.0
    steady_seconds: float = 600.0
    others_see: bool = False
    now: float = 100.0

    def __post_init__(self) -> None:
        self.isolation = Isolation(self, self)

    def sight(self) -> LogSight:
        return LogSight(self.silent_seconds, self.steady_seconds)

    def tell(self, look: object) -> None:
        pass

    def see_log(self) -> bool:
        return self.others_see

    def after(self, seconds: float) -> bool:
        """Return whether the node is cut off when so much time has gone by."""
        is_cut_off = self.isolation.look(self.now)
        for _ in range(round(seconds / POLL_SECONDS)):
            self.now += POLL_SECONDS
            is_cut_off = self.isolation.look(self.now)
        return is_cut_off

    def lose(self) -> None:
        """Be cut off alone."""
        self.silent_seconds, self.steady_seconds, self.others_see = SILENT_SECONDS, 0.0, True
        assert self.after(SILENT_SECONDS)

    def find(self, steady_seconds: float) -> bool:
        """Be answered again for so long; return whether the node is still cut off."""
        self.silent_seconds, self.steady_seconds, self.others_see = 0.0, steady_seconds, False
        return self.after(POLL_SECONDS)


def test_a_node_that_is_answered_is_a_member() -> None:
    assert not Scene(others_see=True).after(60)


def test_a_log_that_is_silent_for_all_cuts_nobody_off() -> None:
    assert not Scene(silent_seconds=60, steady_seconds=0).after(60)


def test_a_log_that_is_silent_for_one_node_alone_cuts_it_off() -> None:
    scene = Scene(silent_seconds=SILENT_SECONDS, others_see=True)
    assert scene.after(SILENT_SECONDS)
    assert scene.isolation.count == 1


def test_a_short_silence_cuts_nobody_off() -> None:
    scene = Scene(silent_seconds=SILENT_SECONDS - 0.1, others_see=True)
    assert not scene.after(60)


def test_a_silence_in_which_the_loop_stood_still_does_not_count() -> None:
    scene = Scene(others_see=True)
    scene.after(10)

    scene.now += 30
    scene.silent_seconds = 30

    assert not scene.after(SILENT_SECONDS - POLL_SECONDS)
    assert scene.after(POLL_SECONDS)


def test_a_node_is_a_member_again_once_it_is_answered_steadily() -> None:
    scene = Scene()
    scene.lose()

    assert scene.find(BACK_SECONDS - 0.1)
    assert not scene.find(BACK_SECONDS)


def test_what_others_see_no_more_cuts_nobody_off() -> None:
    scene = Scene()
    scene.lose()

    scene.others_see = False

    assert scene.after(ALONE_SECONDS)
    assert not scene.after(2 * POLL_SECONDS)


def test_who_is_cut_off_again_and_again_has_to_be_answered_for_longer() -> None:
    scene = Scene()
    scene.lose()
    assert not scene.find(BACK_SECONDS)

    scene.lose()
    assert scene.find(BACK_SECONDS)
    assert not scene.find(2 * BACK_SECONDS)

    scene.after(LASTING_SECONDS)
    scene.lose()
    assert not scene.find(BACK_SECONDS)


async def test_it_says_once_that_the_node_steps_aside_and_once_that_it_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(isolation_module, "POLL_SECONDS", 0.001)
    monkeypatch.setattr(isolation_module, "SILENT_SECONDS", 0.01)
    heard: list[str] = []
    changed = asyncio.Event()

    async def step_aside() -> None:
        heard.append("aside")
        changed.set()

    def step_in() -> None:
        heard.append("in")
        changed.set()

    scene = Scene(silent_seconds=1.0, others_see=True)
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        task = group.create_task(scene.isolation.run(step_aside, step_in))
        await changed.wait()
        changed.clear()
        scene.silent_seconds = 0.0
        await changed.wait()
        task.cancel()
    assert heard == ["aside", "in"]
