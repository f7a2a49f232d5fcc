"""What the README tells a stranger to type is what exists, and what CI runs."""

import re
from pathlib import Path
from typing import get_args

from app.infra.websocket.close_codes import CloseCode
from app.infra.websocket.frames import ClientFrame, ServerFrame
from core.events import CITATIONS, RUN_RESUMED

ROOT = Path(__file__).parents[2]
TARGET = re.compile(r"^(?P<name>[a-z]+):(?P<needs>[^#=\n]*)", re.MULTILINE)
LINK = re.compile(r"\[[^]]*\]\((?P<path>[^)#]+)[^)]*\)")


def read(name: str) -> str:
    """Return a file of the project."""
    return (ROOT / name).read_text(encoding="utf-8")


def targets() -> dict[str, set[str]]:
    """Return the Makefile's targets with those that each needs."""
    found = {
        match["name"]: set(match["needs"].split()) for match in TARGET.finditer(read("Makefile"))
    }
    return {name: needs & found.keys() for name, needs in found.items()}


def reached(names: set[str]) -> set[str]:
    """Return the targets that are made when these are."""
    known = targets()
    found = set(names)
    while missing := {need for name in found for need in known[name]} - found:
        found |= missing
    return found


def fenced(name: str) -> list[str]:
    """Return the shell commands of a document, as they would be typed."""
    blocks = re.findall(r"```sh\n(.*?)```", read(name), flags=re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line]


def made(text: str) -> set[str]:
    """Return the targets that a text says `make` of."""
    return set(re.findall(r"\bmake ([a-z]+)\b", text))


def made_by_ci() -> set[str]:
    """Return the targets that CI asks for, the smoke test's included."""
    run = read(".ci/run")
    lines = [line for line in run.splitlines() if re.match(r"\s*make ", line)]
    smoke = re.findall(r'"make", "([a-z]+)"', read("scripts/smoke.py"))
    assert "scripts.smoke" in run
    return made("\n".join(lines)) | set(smoke)


def test_a_stranger_types_make_and_nothing_else() -> None:
    assert fenced("README.md")
    assert [line for line in fenced("README.md") if not re.fullmatch(r"make [a-z]+", line)] == []


def test_every_target_that_the_documents_name_exists() -> None:
    for name in ("README.md", "CONTRIBUTING.md", ".pre-commit-config.yaml"):
        code = "\n".join(re.findall(r"`([^`\n]+)`", read(name)) + fenced(name))
        assert made(code if name.endswith(".md") else read(name)) <= targets().keys(), name


def test_the_commands_of_the_readme_are_those_that_ci_runs() -> None:
    told = made("\n".join(fenced("README.md")))
    asked = made_by_ci()
    assert asked <= told
    assert told <= reached(asked)


def test_both_ci_services_run_the_same_script() -> None:
    assert "- run: .ci/run\n" in read(".github/workflows/ci.yml")


def test_help_shows_every_target_that_the_documents_name() -> None:
    told = {name for document in ("README.md", "CONTRIBUTING.md") for name in made(read(document))}
    shown = set(re.findall(r"^([a-z]+):.*## ", read("Makefile"), flags=re.MULTILINE))
    assert told & targets().keys() <= shown


def test_the_documents_point_at_files_that_are_there() -> None:
    documents = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
    documents += [str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")]
    for name in documents:
        for link in LINK.finditer(read(name)):
            if "://" not in link["path"]:
                assert ((ROOT / name).parent / link["path"]).exists(), f"{name}: {link['path']}"


def test_the_readme_is_short_enough_to_be_read() -> None:
    assert len(read("README.md").splitlines()) <= 150


def test_a_decision_fits_on_a_page() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [path.name[:4] for path in decisions] == [
        f"{number:04}" for number in range(1, len(decisions) + 1)
    ]
    assert [path.name for path in decisions if len(path.read_text().splitlines()) > 40] == []


def test_the_protocol_page_names_every_frame_and_field() -> None:
    page = read("docs/protocol.md")
    missing = []
    for frame in (*get_args(get_args(ClientFrame)[0]), *get_args(get_args(ServerFrame)[0])):
        (kind,) = get_args(frame.model_fields["type"].annotation)
        names = [field.alias or name for name, field in frame.model_fields.items()]
        missing += [name for name in [kind, *names] if name != "type" and f"`{name}`" not in page]
    assert missing == []


def test_the_protocol_page_names_every_code_of_our_own() -> None:
    page = read("docs/protocol.md")
    told = {int(code) for code in re.findall(r"^\| (4\d{3}) \|", page, flags=re.MULTILINE)}
    assert told == {code.value for code in CloseCode if code >= 4000}
    assert all(f"`{name}`" in page for name in (CITATIONS, RUN_RESUMED))
