"""A short chaos on real workers; and that its judge would see what must never happen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from benchmarks.chaos.callers import Call, Heard
from benchmarks.chaos.judge import Withdrawal, count_windows, find_lost, find_stale, find_wrong
from benchmarks.chaos.meddlers import make_lossy
from benchmarks.chaos.plan import FAULTS, QUICK
from benchmarks.chaos.product import run_product
from benchmarks.chaos.report import sum_up
from benchmarks.chaos.script import Authors, Spoken, read_sentences

RUN_1, RUN_2 = ("run", 1), ("run", 2)
BEGUN = {RUN_1: ("abc", 10.0), RUN_2: ("abc", 20.0)}


def text(*parts: int, run: int = 1, case: str = "abc", of: int = 3) -> str:
    return " ".join(f"Case {case}, run {run}, part {part} of {of}." for part in parts)


def call(*replies: tuple[str, str], began: float = 30.0) -> Call:
    heard = [Heard(began + n, began + n + 0.1, status, said, "") for n, (status, said) in enumerate(replies)]
    return Call("abc", heard)


def test_a_short_chaos_loses_nobody_and_says_nothing_stale_or_wrong() -> None:
    plan = replace(QUICK, questions=24)
    figures, found = sum_up(plan, run_product(plan))
    assert (found.lost, found.stale, found.wrong) == ([], [], [])
    assert figures["answered"] + figures["handed_over"] == 72
    assert figures["answered"] > 36
    assert figures["extra_generations"] <= max(figures["bound"], 1)
    assert figures["kills"] > 0


# -- the judge


GOOD = call(("202", ""), ("206", text(1)), ("206", text(2)), ("200", text(3)))


def test_a_good_call_is_found_good() -> None:
    withdrawn = [Withdrawal("abc", 5.0, 6.0), Withdrawal("abc", 31.5, 99.0)]
    assert find_lost(GOOD) == ""
    assert find_wrong(GOOD) == []
    assert find_stale(GOOD, withdrawn, BEGUN) == []


def test_a_text_that_begins_again_and_says_so_is_good() -> None:
    again = f"Sorry, let me start again. {text(1, run=2)}"
    assert find_wrong(call(("206", text(1)), ("206", again), ("206", text(2, 3, run=2)), ("200", ""))) == []


@pytest.mark.parametrize(
    "replies",
    [
        [("206", text(1, case="xyz")), ("200", text(2, 3, case="xyz"))],  # another question's
        [("206", text(1)), ("200", text(2))],  # cut off
        [("200", "")],  # an end without a beginning
        [("206", text(1)), ("206", text(3)), ("200", "")],  # a piece is missing
        [("206", text(1)), ("200", text(2, 3, run=2))],  # two texts in one
        [("206", text(1)), ("200", text(1, 2, 3, run=2))],  # another text, and nobody said so
        [("206", text(2)), ("200", text(3))],  # no beginning
        [("200", f"{text(1, 2, 3)} And more.")],  # words that nobody wrote
    ],
)
def test_the_judge_finds_wrong_texts(replies: list[tuple[str, str]]) -> None:
    assert find_wrong(call(*replies)) != []


def test_the_judge_finds_a_text_that_was_withdrawn_before_the_reply_began() -> None:
    assert find_stale(GOOD, [Withdrawal("abc", 12.0, 13.0)], BEGUN) != []
    edit = Withdrawal("abc", 12.0, 13.0, by=RUN_1)
    assert find_stale(GOOD, [edit], BEGUN) == []  # an edit does not withdraw its own text


@pytest.mark.parametrize("broken", [Call("abc"), call(("202", "")), Call("abc", GOOD.replies, error="boom")])
def test_the_judge_finds_lost_callers(broken: Call) -> None:
    assert find_lost(broken)


def test_the_judge_counts_generations_between_withdrawals() -> None:
    asked = [("abc", 1.0), ("abc", 2.0), ("abc", 9.0), ("xyz", 3.0)]
    windows = count_windows(asked, {"abc": [Withdrawal("abc", 5.0, 6.0)]})
    assert windows == {("abc", 0): 2, ("abc", 1): 1, ("xyz", 0): 1}


# -- the trouble


def test_texts_say_whose_they_are() -> None:
    written = Authors().write("run", "abc")
    spoken, rest = read_sentences(f"Sorry. {written}")
    assert rest == "Sorry."
    assert spoken[0] == Spoken("abc", ("run", 1), 1, 6)
    assert len(spoken) == 6


def test_sends_get_lost_and_doubled_now_and_then() -> None:
    sent: list[Any] = []
    counts: dict[str, int] = {}
    send = make_lossy(sent.append, counts, seed=7)
    for number in range(1_000):
        send(number)
    assert 20 < counts["lost"] < 100
    assert len(sent) == 1_000 - counts["lost"] + counts["doubled"]


def test_more_than_fifteen_of_a_hundred_model_requests_fail() -> None:
    assert sum(fault["rate"] for fault in FAULTS) >= 0.15
