"""Tools of real MCP servers: processes that talk on their standard input, and HTTP servers."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from subprocess import Popen

import pytest

from app.infra.mcp.configured_server import Address, ConfiguredServer, Program
from app.infra.mcp.tool_source import McpToolSource
from core.ports.tool_source import SourceTool, SourceToolError, SourceUnavailable
from core.tools import Effect, FilePart, ImagePart, TextPart
from tests.support.mcp_example import PIXEL
from tests.support.mcp_servers import (
    BRISK,
    SECONDS,
    address,
    configured,
    free_port,
    http_server,
    known,
    program,
    seen,
    source_of,
)

KINDS = ["stdio", "http", "http stateless", "http json", "http stateless json"]


@pytest.fixture
async def place(request: pytest.FixtureRequest) -> AsyncIterator[Program | Address]:
    """Where a running example server is."""
    kind, *options = str(request.param).split()
    if kind == "stdio":
        yield program()
    else:
        port = free_port()
        with http_server(port, *options):
            yield address(port)


every_kind = pytest.mark.parametrize("place", KINDS, indirect=True)
talkative = pytest.mark.parametrize("place", ["stdio", "http"], indirect=True)


async def text_of(source: McpToolSource, name: str, **arguments: object) -> str:
    """Return what a tool says."""
    parts = await source.call(await known(source, name), dict(arguments))  # type: ignore[arg-type]
    return "\n".join(part.text for part in parts if isinstance(part, TextPart))


def is_alive(pid: int) -> bool:
    """Whether a process is there and has not ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


async def pid_of(source: McpToolSource) -> int:
    """Return the id of the server's process."""
    return pid_in(await text_of(source, "process"))


def pid_in(text: str) -> int:
    """Return the process' id from what the tool says."""
    return int(json.loads(text)["pid"])


@every_kind
async def test_a_servers_tools_are_called(place: Program | Address) -> None:
    async with source_of(configured(place)) as source:
        assert await text_of(source, "echo", text="hello") == "hello"
        with pytest.raises(SourceToolError, match="out of paper"):
            await text_of(source, "fail", text="out of paper")
        assert await text_of(source, "echo", text="still there") == "still there"


@talkative
async def test_pictures_links_and_resources_become_parts(place: Program | Address) -> None:
    async with source_of(configured(place)) as source:
        picture = await source.call(await known(source, "picture"), {})
        several = await source.call(await known(source, "several"), {})

    assert picture == [ImagePart("image/png", PIXEL)]
    assert several == [
        TextPart("see"),
        FilePart("page", "application/octet-stream", "https://example.org/a"),
        TextPart("[A file: secret (application/octet-stream), file:///etc/passwd]"),
        TextPart("one note"),
    ]


@talkative
async def test_calls_run_side_by_side(place: Program | Address) -> None:
    async with source_of(configured(place)) as source:
        slow = await known(source, "slow")
        async with asyncio.timeout(SECONDS), asyncio.TaskGroup() as group:
            tasks = [group.create_task(source.call(slow, {"seconds": 1})) for _ in range(50)]
        assert all(task.result() == [TextPart("late")] for task in tasks)


@talkative
async def test_cancelling_reaches_the_server(place: Program | Address, tmp_path: Path) -> None:
    async with source_of(configured(place)) as source:
        hang = await known(source, "hang")
        async with asyncio.TaskGroup() as group:
            call = group.create_task(source.call(hang, {"folder": str(tmp_path)}))
            await seen((tmp_path / "began").exists)
            call.cancel()
        await seen((tmp_path / "cancelled").exists)

        assert await text_of(source, "echo", text="still there") == "still there"


@talkative
async def test_a_tool_that_comes_later_is_heard_of(place: Program | Address) -> None:
    async with source_of(configured(place)) as source:
        assert await text_of(source, "grow") == "done"
        assert await text_of(source, "grown") == "grown"


@every_kind
async def test_a_server_that_dies_in_a_call_may_have_done_it_and_comes_back(
    place: Program | Address, tmp_path: Path
) -> None:
    async with source_of(configured(place)) as source:
        die, slow = await known(source, "die"), await known(source, "slow")
        async with asyncio.timeout(SECONDS), asyncio.TaskGroup() as group:
            other = group.create_task(_failing(source, slow, seconds=600))
            await text_of(source, "echo", text="both are on their way")
            lost = await _failing(source, die, folder=str(tmp_path))
        assert (tmp_path / "done").exists()
        assert lost.may_have_happened
        assert other.result().may_have_happened

        assert source.tools()
        if isinstance(place, Program):
            await seen_again(source)
            return
        await gone(source)
        with http_server(int(place.url.split(":")[2].split("/")[0])):
            await seen_again(source)


async def gone(source: McpToolSource) -> None:
    """Wait until a call is refused because the server is away."""
    echo = await known(source, "echo")
    async with asyncio.timeout(SECONDS):
        while (await _failing(source, echo, text="nobody hears")).may_have_happened:
            pass
    with pytest.raises(SourceUnavailable, match="not there now"):
        await source.call(echo, {"text": "nobody hears"})


async def seen_again(source: McpToolSource) -> None:
    """Wait until a call works again."""
    echo = await known(source, "echo")
    async with asyncio.timeout(SECONDS):
        while True:
            try:
                assert await source.call(echo, {"text": "back"}) == [TextPart("back")]
                return
            except SourceUnavailable:
                await asyncio.sleep(0.05)


async def _failing(
    source: McpToolSource, tool: SourceTool, **arguments: object
) -> SourceUnavailable:
    with pytest.raises(SourceUnavailable) as failed:
        await source.call(tool, dict(arguments))  # type: ignore[arg-type]
    return failed.value


@pytest.mark.parametrize("options", ["", "json"])
async def test_a_call_to_a_server_that_was_started_anew_just_works(options: str) -> None:
    port = free_port()
    # Nobody looks at the server between the calls.
    pace = replace(BRISK, look_seconds=600)
    async with source_of(configured(address(port)), pace=pace) as source:
        with http_server(port, *options.split()):
            assert await text_of(source, "echo", text="one") == "one"
        with http_server(port, *options.split()) as process:
            await reachable(port, process)
            assert await text_of(source, "echo", text="two") == "two"


async def reachable(port: int, process: Popen[bytes]) -> None:
    """Wait until somebody listens."""
    async with asyncio.timeout(SECONDS):
        while process.poll() is None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return


async def test_a_process_that_was_killed_while_idle_is_started_again_by_the_next_call() -> None:
    pace = replace(BRISK, look_seconds=600)
    async with source_of(configured(program()), pace=pace) as source:
        first = await pid_of(source)
        os.kill(first, signal.SIGKILL)
        await seen(lambda: not is_alive(first))
        # A call in the very moment, before its end of the pipe is seen to be closed, may be lost.
        await seen_again(source)
        assert await pid_of(source) != first


async def test_a_server_that_is_dead_at_the_start_is_found_later_and_holds_up_no_other() -> None:
    port = free_port()
    dead = configured(address(port), "dead")
    missing = configured(Program("/nowhere/at-all"), "missing")
    async with source_of(missing, dead, configured(program())) as source:
        assert await text_of(source, "echo", text="hello") == "hello"
        assert {tool.server for tool in source.tools()} == {"example"}
        with http_server(port):
            await known(source, "echo", server="dead")


async def test_a_server_that_is_busy_is_not_taken_for_dead() -> None:
    async with source_of(configured(program())) as source:
        first = await pid_of(source)
        assert await text_of(source, "block", seconds=1.5) == "free again"
        assert await pid_of(source) == first


async def test_a_program_has_path_home_and_what_the_file_names_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("USER", "TERM", "SHELL", "LOGNAME", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, "ours")
    async with source_of(configured(program(TOKEN="secret", TERM="theirs"))) as source:
        parts = await source.call(await known(source, "environment"), {})

    assert isinstance(parts[0], TextPart)
    said = json.loads(parts[0].text)
    # What the C library and Python themselves put there at the start of a program.
    assert said.keys() - {"LC_CTYPE", "PWD"} == {"PATH", "HOME", "TOKEN", "TERM"}
    assert said["TERM"] == "theirs"


async def test_processes_end_with_the_source() -> None:
    async with source_of(configured(program()), configured(program("deaf"), "deaf")) as source:
        pids = [await pid_of(source)]
        parts = await source.call(await known(source, "process", "deaf"), {})
        assert isinstance(parts[0], TextPart)
        pids.append(pid_in(parts[0].text))
    assert not any(map(is_alive, pids))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent")
async def test_a_program_that_hears_nothing_ends_with_a_server_that_is_killed() -> None:
    code = """
import asyncio, os, signal
from tests.support.mcp_servers import configured, known, program, source_of

async def main():
    async with source_of(configured(program("deaf"))) as source:
        parts = await source.call(await known(source, "process"), {})
        print("PID", parts[0].text.replace(chr(10), ""), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(SECONDS):
        await process.stdout.readuntil(b"PID")
        pid = pid_in((await process.stdout.readline()).decode())
        await process.wait()
    await seen(lambda: not is_alive(pid))


async def test_an_answer_that_is_too_long_fails_and_harms_no_other_call() -> None:
    port = free_port()
    with http_server(port, "json"):
        async with source_of(configured(address(port))) as source:
            flood = await known(source, "flood")
            failed = await _failing(source, flood, size=9_000_000)
            assert failed.may_have_happened
            assert await text_of(source, "echo", text="fine") == "fine"


async def test_what_a_server_says_of_effects_counts_only_where_it_is_trusted() -> None:
    trusted = configured(
        program(), "trusted", trusts_hints=True, allowed=frozenset({"echo", "note", "fail"})
    )
    doubted = configured(program(), "doubted", effects={"echo": Effect.READ})
    async with source_of(trusted, doubted) as source:
        await known(source, "echo", "trusted")
        await known(source, "echo", "doubted")
        tools = {tool.name: (tool.effect, tool.needs_approval) for tool in source.tools()}

    assert {name for name in tools if name.startswith("trusted")} == {
        "trusted_echo",
        "trusted_note",
        "trusted_fail",
    }
    assert tools["trusted_echo"] == (Effect.READ, False)
    assert tools["trusted_note"] == (Effect.IDEMPOTENT_WRITE, True)
    assert tools["trusted_fail"] == (Effect.WRITE, True)
    assert tools["doubted_echo"] == (Effect.READ, False)
    assert tools["doubted_note"] == (Effect.WRITE, True)


async def test_a_name_that_is_taken_gets_a_mark() -> None:
    server: ConfiguredServer = configured(program(), allowed=frozenset({"echo"}))
    async with source_of(server, taken=["example_echo"]) as source:
        tool = await known(source, "echo")
    assert tool.name.startswith("example_echo_")
