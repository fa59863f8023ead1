"""The game of protocol_model: it is won with all guards, and lost without any one of them; so is each guard's own story."""

from __future__ import annotations

import logging

import pytest

from tests.aws import Aws
from tests.wire.guard_scenarios import SCENARIOS, Scene
from tests.wire.protocol_model import DIRECTED_MUTANTS, MUTANTS, LaggingDynamoDB, LaggingEmulator, play

ONE, SEVERAL = ("What is new?",), ("What is new?", "What is old?")


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="connectgenai")


@pytest.mark.parametrize("is_shared", [False, True], ids=["each their own", "shared"])
@pytest.mark.parametrize("questions", [ONE, SEVERAL], ids=["one question", "several questions"])
def test_whatever_happens_nobody_is_lost_and_nothing_stale_or_wrong_is_heard(
    questions: tuple[str, ...], is_shared: bool
) -> None:
    play(examples=100, questions=questions, is_shared=is_shared)


def test_the_game_is_won_on_the_emulator_too(aws: Aws) -> None:
    play(examples=8, questions=SEVERAL, open_dynamodb=lambda: LaggingEmulator(aws.dynamodb, table=aws.table))


@pytest.mark.parametrize("mutant", MUTANTS)
def test_without_any_one_guard_the_game_is_lost(mutant: str) -> None:
    with MUTANTS[mutant](), pytest.raises(AssertionError):
        play(examples=4_000, questions=ONE, is_shared=mutant.startswith("approval"))


def test_every_guard_has_a_story_of_its_own() -> None:
    assert SCENARIOS.keys() == MUTANTS.keys() | DIRECTED_MUTANTS.keys()
    assert len(MUTANTS) >= 12


@pytest.mark.parametrize("guard", SCENARIOS)
def test_each_guards_story_ends_well_with_it_and_badly_without(guard: str) -> None:
    SCENARIOS[guard](Scene(LaggingDynamoDB()))
    with (MUTANTS | DIRECTED_MUTANTS)[guard](), pytest.raises(AssertionError):
        SCENARIOS[guard](Scene(LaggingDynamoDB()))


@pytest.mark.parametrize("guard", SCENARIOS)
def test_each_guards_story_ends_well_on_the_emulator(guard: str, aws: Aws) -> None:
    SCENARIOS[guard](Scene(LaggingEmulator(aws.dynamodb, table=aws.table)))
