"""The operator's file of MCP servers."""

import json
from pathlib import Path

import pytest

from app.infra.mcp.configured_server import Address, Hints, Program
from app.infra.mcp.servers_file import read_servers
from core.errors import SettingsError
from core.tools import Effect

ENVIRONMENT = {"GITHUB_TOKEN": "s3cret", "HOST": "mcp.example.org"}

# As Claude Desktop, Claude Code and others have it.
CUSTOMARY = {
    "globalShortcut": "Ctrl+Space",
    "mcpServers": {
        "filesystem": {
            "command": "npx",
            "args": ["-y", "@modelcontextprotocol/server-filesystem", "/srv/files"],
        },
        "github": {
            "type": "stdio",
            "command": "docker",
            "args": ["run", "-i", "--rm", "-e", "TOKEN", "${IMAGE:-ghcr.io/github/mcp}"],
            "env": {"TOKEN": "${GITHUB_TOKEN}"},
            "cwd": "/srv",
        },
        "remote": {
            "type": "http",
            "url": "https://${HOST}/mcp",
            "headers": {"Authorization": "Bearer ${GITHUB_TOKEN}"},
        },
        "old": {"command": "${NOT_SET_ANYWHERE}", "disabled": True},
    },
}


def written(folder: Path, content: object) -> Path:
    """Return a file with this content."""
    file = folder / "mcp.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


def fault(folder: Path, content: object) -> str:
    """Return what the operator is told of a broken file."""
    with pytest.raises(SettingsError) as told:
        read_servers(written(folder, content), ENVIRONMENT)
    return str(told.value)


def one(**server: object) -> dict[str, object]:
    """Return a file with one server."""
    return {"mcpServers": {"files": {"command": "files", **server}}}


def test_the_customary_file_is_read(tmp_path: Path) -> None:
    files, github, remote = read_servers(written(tmp_path, CUSTOMARY), ENVIRONMENT)

    assert files.place == Program(
        "npx", ("-y", "@modelcontextprotocol/server-filesystem", "/srv/files")
    )
    assert github.place == Program(
        "docker",
        ("run", "-i", "--rm", "-e", "TOKEN", "ghcr.io/github/mcp"),
        {"TOKEN": "s3cret"},
        "/srv",
    )
    assert remote.place == Address(
        "https://mcp.example.org/mcp", {"Authorization": "Bearer s3cret"}
    )


def test_without_a_word_of_the_operator_the_strictest_is_taken(tmp_path: Path) -> None:
    files, *_ = read_servers(written(tmp_path, CUSTOMARY), ENVIRONMENT)
    harmless = Hints(is_read_only=True, is_idempotent=True)

    assert files.effect("read", harmless) is Effect.WRITE
    assert files.needs_approval("read", Effect.WRITE)
    assert files.roles_of("read") == {"user"}
    assert files.allows("anything")


def test_rules_are_given_for_every_tool_or_by_its_name(tmp_path: Path) -> None:
    rules = one(
        trust_annotations=True,
        effects={"list": "read", "put": "idempotent_write"},
        approval={"*": True, "put": False},
        roles={"*": ["operator"], "list": ["user", "operator"]},
        deadline_seconds=5,
        tools=["list", "put", "drop"],
    )
    (files,) = read_servers(written(tmp_path, rules), {})

    assert files.effect("list", Hints()) is Effect.READ
    assert files.effect("put", Hints(is_read_only=True)) is Effect.IDEMPOTENT_WRITE
    assert files.effect("drop", Hints(is_idempotent=True)) is Effect.IDEMPOTENT_WRITE
    assert files.needs_approval("list", Effect.READ)
    assert not files.needs_approval("put", Effect.IDEMPOTENT_WRITE)
    assert files.roles_of("put") == {"operator"}
    assert files.roles_of("list") == {"user", "operator"}
    assert files.deadline_seconds("anything") == 5
    assert not files.allows("other")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is no JSON: Expecting property name enclosed in double quotes in line 1, column 2"),
        ([], "should be an object"),
        ({"servers": {}}, "mcpServers: Field required"),
        ({"mcpServers": {"a": {}}}, "mcpServers.a: needs either a command or a url"),
        (one(url="http://x"), "mcpServers.files: needs either a command or a url"),
        (one(type="http"), "mcpServers.files: is of type http, which has a url and no command"),
        (one(type="sse"), "mcpServers.files.type: "),
        (one(args=["a", 1]), "mcpServers.files.args.1: Input should be a valid string"),
        (one(aproval=True), "mcpServers.files.aproval: Extra inputs are not permitted"),
        (one(effects={"list": "none"}), "mcpServers.files.effects.list: "),
        (one(approval="no"), "mcpServers.files.approval.*: "),
        (one(roles=["admin"]), "mcpServers.files.roles.*.0: must be user or operator"),
        (one(deadline_seconds={"list": 0}), "mcpServers.files.deadline_seconds.list: "),
        (
            one(env={"A": "x", "B": "${MISSING}"}),
            "mcpServers.files.env.B: the environment variable MISSING is not set",
        ),
        (
            {"mcpServers": {"a": {"url": "ftp://x"}}},
            "mcpServers.a.url: must be an address such as https://mcp.example.org/mcp",
        ),
        (
            {"mcpServers": {"a": {"url": "http://x", "headers": {"A": "b\n"}}}},
            "mcpServers.a.headers: A: a header is printable ASCII, without line breaks",
        ),
    ],
)
def test_a_broken_file_stops_the_start_with_its_place(
    tmp_path: Path, content: object, said: str
) -> None:
    told = fault(tmp_path, content)

    assert told.startswith("MCP_SERVERS: ")
    assert said in told
    assert "\n" not in told


def test_a_file_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"MCP_SERVERS: .* can't be read \(No such file"):
        read_servers(tmp_path / "none.json", {})


def test_no_secret_is_told(tmp_path: Path) -> None:
    servers = read_servers(written(tmp_path, CUSTOMARY), ENVIRONMENT)
    assert "s3cret" not in repr(servers)
    assert "s3cret" not in fault(tmp_path, one(env={"A": "${GITHUB_TOKEN}", "B": 1}))
