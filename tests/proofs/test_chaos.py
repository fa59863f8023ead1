"""A short chaos on real workers; and that its judge would see what must never happen."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import pytest

from benchmarks.chaos import workers
from benchmarks.chaos.callers import Board, Call, Heard, hear
from benchmarks.chaos.judge import Withdrawal, count_windows, find_lost, find_stale, find_wrong
from benchmarks.chaos.meddlers import choose_case, make_lossy, trouble
from benchmarks.chaos.plan import FAULTS, QUICK, Plan
from benchmarks.chaos.product import requests, run_product
from benchmarks.chaos.report import is_kept, is_rough, sum_up
from benchmarks.chaos.script import Authors, Spoken, read_sentences
from benchmarks.chaos.workers import Crew

RUN_1, RUN_2 = ("run", 1), ("run", 2)
BEGUN = {RUN_1: ("abc", 10.0), RUN_2: ("abc", 20.0)}


def text(*parts: int, run: int = 1, case: str = "abc", of: int = 3) -> str:
    return " ".join(f"Case {case}, run {run}, part {part} of {of}." for part in parts)


def call(*replies: tuple[str, str], began: float = 30.0) -> Call:
    heard = [Heard(began + n, began + n + 0.1, status, said, "busy") for n, (status, said) in enumerate(replies)]
    return Call("abc", heard)


def test_a_short_chaos_loses_nobody_and_says_nothing_stale_or_wrong() -> None:
    figures, found = sum_up(QUICK, run_product(QUICK))
    assert (found.lost, found.stale, found.wrong) == ([], [], [])
    assert figures["answered"] + figures["handed_over"] == 120
    assert figures["answered"] > 60
    assert is_kept(figures)
    assert figures["kills"]
    assert figures["faults"]
    assert figures["withdrawals"]


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
        [("202", text(1)), ("200", text(1, 2, 3))],  # a text in the place of a prompt
        [("500", text(1))],  # a text in the place of an apology
    ],
)
def test_the_judge_finds_wrong_texts(replies: list[tuple[str, str]]) -> None:
    assert find_wrong(call(*replies)) != []


def test_the_judge_finds_a_text_that_was_withdrawn_before_the_reply_began() -> None:
    assert find_stale(GOOD, [Withdrawal("abc", 12.0, 13.0)], BEGUN) != []
    edit = Withdrawal("abc", 12.0, 13.0, by=RUN_1)
    assert find_stale(GOOD, [edit], BEGUN) == []  # an edit does not withdraw its own text


@pytest.mark.parametrize(
    "broken",
    [
        Call("abc"),
        call(("202", "")),
        call(("400", "What?")),
        call(("500", "")),  # handed over without a word
        Call("abc", [Heard(1.0, 2.0, "500", "Sorry.", "")]),  # handed over, and nobody knows why
        Call("abc", GOOD.replies, error="boom"),
    ],
)
def test_the_judge_finds_lost_callers(broken: Call) -> None:
    assert find_lost(broken)


@pytest.mark.parametrize("status", ["408", "429", "500"])
def test_a_caller_who_is_handed_over_with_words_and_a_reason_is_not_lost(status: str) -> None:
    assert find_lost(call(("202", ""), (status, "Sorry, a colleague will help."))) == ""


def test_what_is_heard_is_what_is_played() -> None:
    reply = {"text": "not this", "ssml": "<speak>Questions &amp; answers</speak>"}
    assert hear({**reply, "play": "ssml"}) == "Questions & answers"
    assert hear({**reply, "play": "audio"}) == ""
    with pytest.raises(ParseError):
        hear({"play": "ssml", "ssml": "<speak>Questions & answers</speak>"})


def test_the_judge_counts_generations_between_withdrawals() -> None:
    asked = [("abc", 1.0), ("abc", 2.0), ("abc", 9.0), ("xyz", 3.0)]
    windows = count_windows(asked, {"abc": [Withdrawal("abc", 5.0, 6.0)]})
    assert windows == {("abc", 0): 2, ("abc", 1): 1, ("xyz", 0): 1}


def test_requests_that_were_made_to_fail_are_not_generations() -> None:
    asked = {"operation": "converse-stream", "question": "What about case abc?", "started_ms": 1_000}
    log = [{**asked, "fault": ""}, {**asked, "fault": "throttle"}, {**asked, "operation": "converse", "fault": ""}]
    assert requests(log) == [("abc", 1.0)]
    assert requests(log, with_faulty=True) == [("abc", 1.0)] * 2


KEPT = {"lost": 0, "stale": 0, "wrong": 0, "extra_generations": 6, "bound": 6, "most_per_question": 3}
ROUGH = {
    "kills": 1,
    "stops": 1,
    "lost_sends": 1,
    "doubled_sends": 1,
    "withdrawals": 1,
    "faults": 15,
    "model_requests": 100,
}


@pytest.mark.parametrize(
    "broken", [{"lost": 1}, {"stale": 1}, {"wrong": 1}, {"extra_generations": 7}, {"most_per_question": 4}]
)
def test_each_broken_promise_fails_the_proof(broken: dict[str, int]) -> None:
    assert is_kept(KEPT)
    assert not is_kept({**KEPT, **broken})


@pytest.mark.parametrize("name", ROUGH)
def test_a_chaos_in_which_something_did_not_go_wrong_proves_nothing(name: str) -> None:
    assert is_rough(ROUGH)
    assert not is_rough({**ROUGH, name: 1_000 if name == "model_requests" else 0})


# -- the trouble


@pytest.fixture
def sleepers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Crew]:
    """Two processes that do nothing, in the workers' places; nobody takes the place of one that is killed."""
    monkeypatch.setattr(workers, "STOP_SECONDS", 0.5)
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    started = [subprocess.Popen(command, start_new_session=True) for _ in range(2)]
    crew = Crew(["unused"], {}, tmp_path, 2, _running=list(started))
    monkeypatch.setattr(Crew, "_start", lambda crew: crew._running[0])
    yield crew
    for process in started:
        process.kill()
        process.wait()


def test_a_frozen_worker_is_not_killed_before_it_wakes_up(sleepers: Crew) -> None:
    freezing = threading.Thread(target=sleepers.stop_one, args=(threading.Event(),))
    before = list(sleepers._running)
    freezing.start()
    while sleepers._frozen < 0:
        time.sleep(0.01)
    frozen = before[sleepers._frozen]
    sleepers.kill_one()
    assert [process.poll() for process in before if process is not frozen] == [-signal.SIGKILL]
    freezing.join()
    assert (frozen.poll(), sleepers.done.stops) == (None, 1)


def test_a_freeze_that_outlasts_all_callers_does_not_count(sleepers: Crew) -> None:
    over = threading.Event()
    over.set()
    sleepers.stop_one(over)
    assert sleepers.done.stops == 0


def test_mostly_those_are_meddled_with_who_are_on_the_line() -> None:
    board, chance = Board(on_the_line=["now"], asked=["before"] * 99), random.Random(5)
    chosen = [choose_case(board, chance) for _ in range(100)]
    assert 50 < chosen.count("now") < 100
    assert choose_case(Board(), chance) == ""


class Broken:
    """A supervisor who fails in a way that nobody has thought of."""

    def withdraw(self, case: str) -> Withdrawal | None:
        """Fails."""
        raise ZeroDivisionError(case)

    edit = withdraw


def test_a_meddler_that_breaks_is_not_overlooked(sleepers: Crew) -> None:
    plan = Plan(kill_every=0, stop_every=0, meddle_every=0.01)
    with pytest.raises(ZeroDivisionError), trouble(plan, sleepers, Broken(), Board(asked=["abc"])):
        time.sleep(0.5)


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
