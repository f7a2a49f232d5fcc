"""`Settings`, `.env.example` and what a person is told when a setting is wrong."""

from pathlib import Path

import pytest
from annotated_types import Ge, Gt, Le
from dotenv import dotenv_values

from core.errors import SettingsError
from core.settings import Settings, load_settings

EXAMPLE = Path(__file__).parents[2] / ".env.example"
FIELDS = Settings.model_fields


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the machine's own settings out of the tests."""
    for name in FIELDS:
        monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def comments() -> dict[str, str]:
    """Return the comment above each key of `.env.example`."""
    found: dict[str, str] = {}
    above = ""
    for line in EXAMPLE.read_text().splitlines():
        if line.startswith("#"):
            above = line.removeprefix("#").strip()
        elif line:
            found[line.partition("=")[0]] = above
            above = ""
    return found


def bounds(name: str) -> list[str]:
    """Return the least and the greatest value that a setting allows, where it has such."""
    limits: list[str] = []
    for rule in FIELDS[name].metadata:
        match rule:
            case Ge(ge=limit) | Gt(gt=limit) | Le(le=limit):
                limits.append(str(limit))
    return limits


def test_the_example_names_every_setting_in_the_order_of_the_code() -> None:
    assert list(dotenv_values(EXAMPLE)) == [name.upper() for name in FIELDS]


def test_the_example_shows_the_defaults() -> None:
    shown = Settings(_env_file=EXAMPLE)
    assert shown == Settings(_env_file=None)


def test_every_default_but_the_empty_ones_is_written_out() -> None:
    blank = {key.lower() for key, value in dotenv_values(EXAMPLE).items() if not value}
    defaults = Settings(_env_file=None).model_dump(mode="json")
    assert blank == {name for name, value in defaults.items() if not value and value != 0}


@pytest.mark.parametrize("name", FIELDS)
def test_the_comment_of_a_setting_states_its_range(name: str) -> None:
    comment = comments()[name.upper()]
    words = comment.replace(",", " ").replace(";", " ").replace(".", " ").split()
    assert comment
    assert [bound for bound in bounds(name) if bound not in words] == []


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("PORT", "70000", "65535"),
        ("PORT", "eight", "integer"),
        ("LOG_LEVEL", "LOUD", "'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
        ("BEAT_SECONDS", "0", "greater than 0"),
        ("FRAME_MAX_BYTES", "10", "1024"),
        ("HOST", "0.0.0.0", "loopback"),
        ("HOST", "example.org", "loopback"),
    ],
)
def test_a_setting_out_of_range_is_named_with_what_it_allows(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, allowed: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"^{name}: ") as stopped:
        load_settings()
    assert allowed in str(stopped.value)


def test_all_wrong_settings_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "-1")
    monkeypatch.setenv("RUN_SLOTS", "0")
    with pytest.raises(SettingsError) as stopped:
        load_settings()
    assert [line.partition(":")[0] for line in str(stopped.value).splitlines()] == [
        "PORT",
        "RUN_SLOTS",
    ]


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("PORT=9001\nMODEL=from-file\n")
    monkeypatch.setenv("PORT", "9002")
    settings = load_settings()
    assert (settings.port, settings.model) == (9002, "from-file")


def test_an_empty_line_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "")
    assert load_settings().port == FIELDS["port"].default


def test_origins_are_split_at_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_ORIGINS", "https://a.example, https://b.example:8443 ,")
    assert load_settings().allowed_origins == ("https://a.example", "https://b.example:8443")


def test_a_key_is_not_shown_by_accident(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "canary-7f3a")
    assert "canary-7f3a" not in f"{load_settings()!r} {load_settings()}"
