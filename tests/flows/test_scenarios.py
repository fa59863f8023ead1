"""Every call in tests/flows/scenarios is heard as it must be, and together they take every branch of our flows."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from connectgenai.wire.store import AnswerStore
from flows.coverage import Coverage
from flows.language import parse_flow
from flows.linter import lint
from flows.rehearsal import Rehearsed, make_rehearsed_flow, rehearse_all
from flows.scenarios import ScenarioFile, read_scenarios
from local.memory_dynamodb import MemoryDynamoDB

FOLDER = Path(__file__).parent / "scenarios"
NAMES = ("poll", "native", "queue", "module")
# The flow's longest silence on a generation of 20 s, in seconds; in a queue music plays
LONGEST_SILENCE = {"poll": 2.5, "native": 1.0, "queue": 1.0, "module": 2.5}
# Real seconds for one call, on a machine that is busy with other things; benchmarks/flows.py has the true figure
GENEROUS_SECONDS = 2.0


@cache
def read(name: str) -> ScenarioFile:
    return read_scenarios((FOLDER / f"{name}.yaml").read_text())


@cache
def rehearse_file(name: str) -> tuple[dict[str, Rehearsed], Coverage]:
    file = read(name)
    done, coverage = rehearse_all(file, make_rehearsed_flow(file), make_store=make_store)
    return {one.scenario.name: one for one in done}, coverage


def make_store() -> AnswerStore:
    return AnswerStore(MemoryDynamoDB(), table="answers")


def list_scenarios() -> list[tuple[str, str]]:
    return [(name, scenario.name) for name in NAMES for scenario in read(name).scenarios]


def test_there_are_no_other_files_of_scenarios() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(NAMES)


@pytest.mark.parametrize(("name", "scenario"), list_scenarios())
def test_a_call_is_heard_as_it_must_be(name: str, scenario: str) -> None:
    done = rehearse_file(name)[0][scenario]
    assert done.faults == (), "\n".join(done.transcript.describe())
    assert done.real_seconds < GENEROUS_SECONDS


@pytest.mark.parametrize("name", NAMES)
def test_every_branch_is_taken(name: str) -> None:
    coverage = rehearse_file(name)[1]
    assert coverage.missed == (), coverage.describe()
    assert len(coverage.branches) > 40


@pytest.mark.parametrize("name", NAMES)
def test_no_call_is_stuck_or_leads_nowhere(name: str) -> None:
    assert [s for s, one in rehearse_file(name)[0].items() if not one.transcript.is_proper] == []


@pytest.mark.parametrize("name", NAMES)
def test_both_voice_and_chat_are_rehearsed(name: str) -> None:
    assert {scenario.channel for scenario in read(name).scenarios} == {"VOICE", "CHAT"}


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_after_20_seconds_is_waited_for_without_long_silence(name: str) -> None:
    found = rehearse_file(name)[0]["a new question is answered as soon as its first words are there"].transcript
    assert found.longest_silence <= LONGEST_SILENCE[name]


@pytest.mark.parametrize("name", NAMES)
def test_the_rehearsed_flow_has_no_finding(name: str) -> None:
    flow = make_rehearsed_flow(read(name))
    assert lint(parse_flow(flow.to_json().encode())) == []
