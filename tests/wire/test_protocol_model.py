"""The game of protocol_model: it is won with all guards, and lost without any one of them."""

from __future__ import annotations

import logging

import pytest

from tests.wire.protocol_model import MUTANTS, play

ONE, SEVERAL = ("What is new?",), ("What is new?", "What is old?")


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="connectgenai")


@pytest.mark.parametrize("questions", [ONE, SEVERAL], ids=["one question", "several questions"])
def test_whatever_happens_nobody_is_lost_and_nothing_stale_or_wrong_is_heard(questions: tuple[str, ...]) -> None:
    play(examples=150, questions=questions)


@pytest.mark.parametrize("mutant", MUTANTS)
def test_without_any_one_guard_the_game_is_lost(mutant: str) -> None:
    with MUTANTS[mutant](), pytest.raises(AssertionError):
        play(examples=4_000, questions=ONE)
