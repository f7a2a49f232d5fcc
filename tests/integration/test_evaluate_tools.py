"""The evaluation of tool calls, on cases of its own and against broken executors."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from app.tools.calls import Answered, Call
from app.tools.executor import Executor
from core.tools import Ask
from scripts.evaluation import case_run
from scripts.evaluation.case_run import Tally, run_case
from scripts.evaluation.cases import read_cases
from scripts.evaluation.workbench import workbench
from tests.support.function_calls import write_cases


async def tallied(folder: Path) -> Tally:
    write_cases(folder)
    tally = Tally()
    async with workbench() as bench:
        for case in read_cases(folder):
            await run_case(bench, case, tally)
    return tally


async def test_every_case_runs_and_every_fault_is_refused(tmp_path: Path) -> None:
    tally = await tallied(tmp_path)

    assert tally.faults == []
    assert tally.all == {
        "schemas are offered": 4,
        "simple_python: calls run": 1,
        "multiple: calls run": 1,
        "parallel: calls run": 2,
        "parallel calls are made side by side": 1,
        "results are in order": 3,
        "refused: unknown tool": 4,
        "refused: extra": 4,
        "refused: missing": 7,
        "refused: wrong type": 8,
    }


async def test_an_executor_that_makes_one_call_after_the_other_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Executor.run

    async def one_by_one(self: Executor, calls: Sequence[Call], *more: object) -> object:
        return [one for call in calls for one in await whole(self, [call], *more)]  # type: ignore[arg-type]

    monkeypatch.setattr(Executor, "run", one_by_one)
    monkeypatch.setattr(case_run, "ALONE_SECONDS", 0.05)

    tally = await tallied(tmp_path)

    assert tally.right["parallel calls are made side by side"] == 0


async def test_an_executor_that_mixes_up_its_results_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Executor.run

    async def reversed_run(
        self: Executor, calls: Sequence[Call], *more: object
    ) -> list[Answered | Ask]:
        return (await whole(self, calls, *more))[::-1]  # type: ignore[arg-type]

    monkeypatch.setattr(Executor, "run", reversed_run)

    tally = await tallied(tmp_path)

    assert tally.right["results are in order"] == 2


async def test_an_executor_that_lets_wrong_arguments_through_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(case_run, "parser_of_schema", lambda schema: str)

    tally = await tallied(tmp_path)

    assert tally.right["refused: extra"] == 0
    assert tally.right["refused: wrong type"] == 0
    assert tally.right["refused: unknown tool"] == 4
