"""The rig notices a process that ends of its own accord."""

import signal
import sys
from pathlib import Path

import pytest

from scripts.chaos.rig.process import RigProcess
from scripts.cluster.log_file import LogFile
from scripts.cluster.part import Part

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the fault suite needs Linux")


def process(tmp_path: Path, script: str) -> RigProcess:
    async def is_ready() -> bool:
        return True

    return RigProcess(Part("shell", ("sh", "-c", script), is_ready), LogFile(tmp_path / "log"))


async def test_an_end_that_nobody_asked_for_is_a_crash(tmp_path: Path) -> None:
    shell = process(tmp_path, "exit 3")
    await shell.start()
    assert await shell.ended(10) is not None
    await shell.start()
    assert shell.crashes == 1
    await shell.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_an_end_that_was_asked_for_is_none(tmp_path: Path, number: signal.Signals) -> None:
    shell = process(tmp_path, "exec sleep 60")
    await shell.start()
    shell.send(number)
    assert await shell.ended(10) is not None
    await shell.start()
    assert shell.crashes == 0
    await shell.stop()


async def test_a_node_that_dies_at_a_named_line_has_not_crashed(tmp_path: Path) -> None:
    shell = process(tmp_path, "kill -9 $$")
    await shell.start()
    assert await shell.ended(10) is not None
    await shell.start()
    assert shell.crashes == 0
    await shell.stop()
