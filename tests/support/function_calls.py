"""A few function-calling cases in the files of the Berkeley leaderboard's shape."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PLAY = {
    "name": "play",
    "description": "Plays a song.",
    "parameters": {
        "type": "dict",
        "properties": {"artist": {"type": "string"}, "minutes": {"type": "integer"}},
        "required": ["artist", "minutes"],
    },
}
AREA = {
    "name": "geo.area",
    "description": "Works out an area.",
    "parameters": {
        "type": "dict",
        "properties": {
            "base": {"type": "float"},
            "unit": {"type": "string"},
            "place": {
                "type": "dict",
                "properties": {
                    "city": {"type": "string"},
                    "tags": {"type": "array", "items": {"type": "string"}},
                },
            },
        },
        "required": ["base"],
    },
}
CASES: Mapping[str, tuple[Sequence[Any], Sequence[Any]]] = {
    "simple_python": (
        [AREA],
        [
            {
                "geo.area": {
                    "base": [10, 10.0],
                    "unit": ["", "m"],
                    "place": [{"city": ["Rome"], "tags": [["a"], ["b"]]}],
                }
            }
        ],
    ),
    "multiple": ([AREA, PLAY], [{"play": {"artist": ["Ann"], "minutes": [3]}}]),
    "parallel": (
        [PLAY],
        [
            {"play": {"artist": ["Ann"], "minutes": [3]}},
            {"play": {"artist": ["Bob"], "minutes": [4]}},
        ],
    ),
    "irrelevance": ([AREA], []),
}


def write_cases(folder: Path) -> None:
    """Write one case of each kind."""
    (folder / "possible_answer").mkdir()
    for kind, (functions, calls) in CASES.items():
        name, case_id = f"BFCL_v4_{kind}.json", f"{kind}_0"
        question = [[{"role": "user", "content": "?"}]]
        _write(folder / name, {"id": case_id, "question": question, "function": functions})
        if calls:
            answers = folder / "possible_answer" / name
            _write(answers, {"id": case_id, "ground_truth": calls})


def _write(file: Path, line: Mapping[str, Any]) -> None:
    file.write_text(json.dumps(line) + "\n", encoding="utf-8")
