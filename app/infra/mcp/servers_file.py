"""Reads the operator's file of MCP servers: `{"mcpServers": {"name": {...}}}`."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from app.infra.mcp.configured_server import EVERY, Address, ConfiguredServer, Program
from core.errors import SettingsError
from core.principal import OPERATOR, USER
from core.tools import Effect

SETTING: Final = "MCP_SERVERS"
LONGEST_SECONDS: Final = 3600.0

# `${NAME}`, or `${NAME:-what stands for it where it is not set}`.
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_EXPANDED: Final = ("command", "args", "env", "cwd", "url", "headers")

T = TypeVar("T")


def _by_tool(value: object) -> object:
    return value if isinstance(value, dict) else {EVERY: value}


def _known_role(value: str) -> str:
    if value not in (USER, OPERATOR):
        raise ValueError(f"must be {USER} or {OPERATOR}")
    return value


# One value for every tool, or one by tool.
ByTool = Annotated[dict[str, T], BeforeValidator(_by_tool)]
Seconds = Annotated[float, Field(gt=0, le=LONGEST_SECONDS)]
_Role = Annotated[str, AfterValidator(_known_role)]
Text = Annotated[str, StringConstraints(min_length=1)]


class _Server(BaseModel):
    """A server as the file has it; what it does not know is refused, so that no rule is lost."""

    model_config = ConfigDict(extra="forbid", strict=True)

    # The customary part.
    type: Literal["stdio", "http", "streamable-http", "streamable_http"] | None = None
    command: Text | None = None
    args: tuple[str, ...] = ()
    env: dict[str, str] = {}
    cwd: Text | None = None
    url: Text | None = None
    headers: dict[str, str] = {}
    disabled: bool = False
    description: str = ""
    # Ours.
    trust_annotations: bool = False
    effects: ByTool[Effect] = {}
    approval: ByTool[bool] = {}
    roles: ByTool[list[_Role]] = {}
    deadline_seconds: ByTool[Seconds] = {}
    tools: frozenset[str] | None = None

    @field_validator("url")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        parts = urlsplit(value or "http://unset")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be an address such as https://mcp.example.org/mcp")
        return value

    @field_validator("headers")
    @classmethod
    def _are_headers(cls, value: dict[str, str]) -> dict[str, str]:
        for name, text in value.items():
            if not (name + text).isascii() or not (name + text).isprintable():
                raise ValueError(f"{name}: a header is printable ASCII, without line breaks")
        return value

    @model_validator(mode="after")
    def _has_place(self) -> Self:
        if (self.command is None) == (self.url is None):
            raise ValueError("needs either a command or a url")
        if self.url is not None and self.type == "stdio":
            raise ValueError("is of type stdio, which has a command and no url")
        if self.command is not None and self.type not in (None, "stdio"):
            raise ValueError(f"is of type {self.type}, which has a url and no command")
        return self

    def configured(self, name: str) -> ConfiguredServer:
        """Return it in the words of this house."""
        place: Program | Address
        if self.url is not None:
            place = Address(self.url, self.headers)
        else:
            place = Program(self.command or "", self.args, self.env, self.cwd)
        return ConfiguredServer(
            name=name,
            place=place,
            trusts_hints=self.trust_annotations,
            effects=self.effects,
            approvals=self.approval,
            roles={tool: frozenset(roles) for tool, roles in self.roles.items()},
            deadlines=self.deadline_seconds,
            allowed=self.tools,
        )


class _File(BaseModel):
    """The file; what other programs keep beside `mcpServers` is theirs."""

    mcpServers: dict[str, _Server]


def read_servers(file: Path, environment: Mapping[str, str]) -> tuple[ConfiguredServer, ...]:
    """Return the servers that are not disabled, in the file's order.

    environment: where `${NAME}` in a value of `command`, `args`, `env`, `cwd`, `url` or `headers`
    is taken from. Raises `SettingsError` naming the place; it shows no value.
    """
    content = _with_environment(_content(file), environment)
    try:
        found = _File.model_validate_json(json.dumps(content))
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False, include_context=False)[0]
        message = fault["msg"].removeprefix("Value error, ")
        raise SettingsError(_sentence(fault["loc"], message)) from None
    return tuple(
        server.configured(name) for name, server in found.mcpServers.items() if not server.disabled
    )


def _content(file: Path) -> JsonValue:
    try:
        content: JsonValue = json.loads(file.read_text("utf-8"))
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise SettingsError(f"{SETTING}: {file} can't be read ({reason}).") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise SettingsError(f"{SETTING}: {file} is no JSON: {error.msg} in {place}.") from None
    except (ValueError, RecursionError):
        raise SettingsError(f"{SETTING}: {file} is no JSON.") from None
    return content


def _with_environment(content: JsonValue, environment: Mapping[str, str]) -> JsonValue:
    servers = content.get("mcpServers") if isinstance(content, dict) else None
    if not isinstance(content, dict) or not isinstance(servers, dict):
        return content
    return {**content, "mcpServers": {n: _server(n, s, environment) for n, s in servers.items()}}


def _server(name: str, server: JsonValue, environment: Mapping[str, str]) -> JsonValue:
    if not isinstance(server, dict) or server.get("disabled") is True:
        return server
    return {
        key: _expanded(value, environment, ("mcpServers", name, key)) if key in _EXPANDED else value
        for key, value in server.items()
    }


def _expanded(
    value: JsonValue, environment: Mapping[str, str], place: tuple[int | str, ...]
) -> JsonValue:
    def variable(match: re.Match[str]) -> str:
        name, default = match.groups()
        found = environment.get(name, default)
        if found is None:
            message = f"the environment variable {name} is not set"
            raise SettingsError(_sentence(place, message))
        return str(found)

    if isinstance(value, str):
        return _VARIABLE.sub(variable, value)
    if isinstance(value, list):
        return [_expanded(one, environment, (*place, n)) for n, one in enumerate(value)]
    if isinstance(value, dict):
        return {key: _expanded(one, environment, (*place, key)) for key, one in value.items()}
    return value


def _sentence(place: tuple[int | str, ...], message: str) -> str:
    where = ".".join(map(str, place))
    return f"{SETTING}: {where}: {message}." if where else f"{SETTING}: {message}."
