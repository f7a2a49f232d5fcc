"""The one frozen object that says how this server is set up."""

from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from core.errors import SettingsError
from core.loopback import is_loopback

KIB = 1024
MIB = 1024 * KIB


class Settings(BaseSettings):
    """Every field is an environment variable of the same name in capitals; `.env` is read too."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    # Where it listens and what it keeps.
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    data_dir: Path = Path("data")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = ()

    # Many nodes.
    database_url: SecretStr = SecretStr("")
    database_pool: int = Field(10, ge=2, le=200)
    websocket_manager_type: Literal["memory", "redis"] = "memory"
    redis_url: SecretStr = SecretStr("")
    redis_cluster: bool = False
    node_name: str = Field("", max_length=64, pattern=r"^[A-Za-z0-9._-]*$")
    lease_seconds: float = Field(4.0, ge=1, le=600)
    lease_beat_seconds: float = Field(1.0, gt=0, le=60)
    scan_seconds: float = Field(0.5, gt=0, le=60)
    index_url: str = ""

    # The model.
    model: str = ""
    model_provider: str = "openai"
    openai_base_url: str = ""
    openai_api_key: SecretStr = SecretStr("")
    ollama_url: str = "http://127.0.0.1:11434"
    model_connect_seconds: float = Field(5.0, gt=0, le=120)
    model_first_token_seconds: float = Field(20.0, gt=0, le=600)
    model_idle_seconds: float = Field(15.0, gt=0, le=600)
    model_total_seconds: float = Field(120.0, gt=0, le=3600)
    history_messages: int = Field(20, ge=0, le=200)

    # Documents and search.
    upload_max_bytes: int = Field(50 * MIB, ge=1 * KIB, le=2048 * MIB)
    read_timeout_seconds: float = Field(60.0, gt=0, le=3600)
    compute_workers: int = Field(1, ge=1, le=64)
    embedding_model_path: Path | None = None
    passage_token_budget: int = Field(2048, ge=128, le=100_000)
    passage_limit: int = Field(6, ge=1, le=50)
    qdrant_url: str = ""
    qdrant_api_key: SecretStr = SecretStr("")

    # Runs.
    run_slots: int = Field(1024, ge=1, le=100_000)
    run_queue: int = Field(1024, ge=0, le=100_000)
    conversation_queue: int = Field(5, ge=0, le=100)
    run_attempts: int = Field(3, ge=1, le=10)
    run_timeout_seconds: float = Field(300.0, gt=0, le=86_400)

    # Tools.
    tools_dir: Path | None = None
    mcp_servers: Path | None = None
    tool_rounds: int = Field(8, ge=0, le=100)
    ask_seconds: float = Field(86_400.0, ge=10, le=2_592_000)
    fetch_allowed_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    webhooks: SecretStr = SecretStr("")
    sql_tool_url: SecretStr = SecretStr("")
    breaker_failures: int = Field(5, ge=1, le=1000)
    breaker_open_seconds: float = Field(30.0, gt=0, le=3600)

    # Budgets. None: no end.
    run_tool_calls: int | None = Field(50, ge=0)
    run_model_calls: int | None = Field(20, ge=1)
    run_tokens: int | None = Field(None, ge=1)
    run_money: float | None = Field(None, gt=0)
    run_seconds: float | None = Field(None, gt=0)
    user_day_tool_calls: int | None = Field(None, ge=0)
    user_day_model_calls: int | None = Field(None, ge=1)
    user_day_tokens: int | None = Field(None, ge=1)
    user_day_money: float | None = Field(None, gt=0)
    user_day_seconds: float | None = Field(None, gt=0)
    tenant_day_tool_calls: int | None = Field(None, ge=0)
    tenant_day_model_calls: int | None = Field(None, ge=1)
    tenant_day_tokens: int | None = Field(None, ge=1)
    tenant_day_money: float | None = Field(None, gt=0)
    tenant_day_seconds: float | None = Field(None, gt=0)
    model_input_price: float = Field(0.0, ge=0)
    model_output_price: float = Field(0.0, ge=0)

    # The socket.
    frame_max_bytes: int = Field(64 * KIB, ge=1 * KIB, le=1 * MIB)
    outbox_max_bytes: int = Field(256 * KIB, ge=16 * KIB, le=64 * MIB)
    send_timeout_seconds: float = Field(5.0, gt=0, le=120)
    hello_timeout_seconds: float = Field(5.0, gt=0, le=120)
    beat_seconds: float = Field(2.0, gt=0, le=60)
    subscription_limit: int = Field(64, ge=1, le=10_000)
    log_max_bytes: int = Field(2 * MIB, ge=64 * KIB, le=1024 * MIB)
    log_total_bytes: int = Field(256 * MIB, ge=1 * MIB, le=65_536 * MIB)
    drain_seconds: float = Field(5.0, ge=0, le=600)

    @field_validator("allowed_origins", "fetch_allowed_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("host")
    @classmethod
    def _only_loopback(cls, value: str) -> str:
        # Nobody is asked who they are in open development mode, so nobody else may reach it.
        if not is_loopback(value):
            raise ValueError(
                "must be a loopback address (127.0.0.1, ::1, localhost) while there is no sign-in"
            )
        return value

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.websocket_manager_type == "redis" and not self.redis_url.get_secret_value():
            raise ValueError("REDIS_URL is needed while WEBSOCKET_MANAGER_TYPE=redis")
        if self.lease_beat_seconds * 2 > self.lease_seconds:
            raise ValueError("LEASE_SECONDS must be at least twice LEASE_BEAT_SECONDS")
        return self

    @cached_property
    def shares_log(self) -> bool:
        """Whether events and connections are kept outside this process."""
        return self.websocket_manager_type == "redis"

    @cached_property
    def has_fleet(self) -> bool:
        """Whether other processes may serve the same conversations."""
        return self.shares_log and bool(self.database_url.get_secret_value())

    @cached_property
    def database_path(self) -> Path:
        """Where conversations, runs, documents and jobs are."""
        return self.data_dir / "colloquy.sqlite"

    @cached_property
    def checkpoint_path(self) -> Path:
        """Where the graph's checkpoints are; apart, so that the two writers never wait."""
        return self.data_dir / "checkpoints.sqlite"


def load_settings() -> Settings:
    """Read the environment and `.env`.

    Raises `SettingsError` naming every setting that is out of range, with what it allows.
    """
    try:
        return Settings()
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False)
        lines = [_sentence(".".join(map(str, fault["loc"])), fault["msg"]) for fault in faults]
        raise SettingsError("\n".join(lines)) from None


def _sentence(place: str, message: str) -> str:
    # What concerns several settings together names them itself.
    return f"{place.upper()}: {message}" if place else message.removeprefix("Value error, ")
