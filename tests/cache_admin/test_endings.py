from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from cache_admin.models import Call
from cache_admin.services import endings
from cache_admin.services.endings import close_silent_calls
from cache_admin.services.mirror import apply_items
from tests.cache_admin.conftest import NOW, NOW_MS
from tests.cache_admin.test_mirror import answer_item, call_item

RUN = "run-1-abcdef"
THREE_PARTS = {"token": RUN + "0123", "chunks": ("One.", "Two.", "Three."), "complete": True}


def ending(seconds: float, *, answer: dict[str, Any] | None = None, **call: Any) -> str:
    """What becomes of a call that was last seen so many seconds ago."""
    if answer is not None:
        apply_items([answer_item(1, **answer)])
    apply_items([call_item(1, run=RUN, **call)])
    close_silent_calls(now=NOW + timedelta(seconds=seconds))
    return Call.objects.get().outcome


@pytest.mark.django_db
class TestEndings:
    def test_who_waits_and_is_not_seen_for_30_seconds_has_hung_up(self) -> None:
        assert ending(31, outcome="waiting") == "abandoned"

    def test_who_was_seen_a_moment_ago_still_waits(self) -> None:
        assert ending(29, outcome="waiting") == "waiting"

    def test_a_hang_up_is_dated_by_the_last_sign_of_life(self) -> None:
        ending(100, outcome="waiting")
        assert Call.objects.get().ended_at == NOW

    def test_who_hung_up_among_the_parts_has_left(self) -> None:
        assert ending(60, answer=THREE_PARTS, outcome="listening", parts=2) == "left"

    def test_who_hung_up_after_the_last_part_has_been_answered(self) -> None:
        assert ending(60, answer=THREE_PARTS, outcome="listening", parts=3) == "answered"

    def test_who_waited_for_no_more_than_the_end_mark_has_been_answered(self) -> None:
        assert ending(60, answer=THREE_PARTS, outcome="waiting", parts=3) == "answered"

    def test_who_hung_up_between_parts_while_more_was_written_has_abandoned_the_call(self) -> None:
        writing = {**THREE_PARTS, "complete": False}
        assert ending(60, answer=writing, outcome="waiting", parts=3) == "abandoned"

    def test_who_heard_parts_of_another_text_has_not_heard_this_one(self) -> None:
        other = {**THREE_PARTS, "token": "another-run"}
        assert ending(1_000, answer=other, outcome="listening", parts=3) == "left"

    def test_a_caller_who_listens_to_a_long_part_is_not_given_up(self) -> None:
        long = {**THREE_PARTS, "chunks": ("One.", "w" * 1_500)}  # 100 s of speech
        assert ending(120, answer=long, outcome="listening", parts=2) == "listening"
        assert ending(131, outcome="listening", parts=2) == "answered"

    def test_without_the_text_a_part_is_taken_for_the_longest_possible(self) -> None:
        assert ending(200, outcome="listening", parts=1) == "listening"
        assert ending(220, outcome="listening", parts=1) == "left"

    @pytest.mark.parametrize("outcome", ["answered", "failed", "timed_out"])
    def test_an_ended_call_keeps_its_ending(self, outcome: str) -> None:
        assert ending(9_999, outcome=outcome) == outcome

    def test_a_later_poll_takes_the_conclusion_back(self) -> None:
        assert ending(45, outcome="waiting") == "abandoned"
        later = NOW_MS + 55_000  # native asynchronous mode holds for nearly a minute
        apply_items([call_item(2, outcome="waiting", last_seen_at=later)])
        call = Call.objects.get()
        assert (call.outcome, call.ended_at) == ("waiting", None)

    def test_a_poll_that_comes_while_the_call_is_judged_wins(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def judge_slowly(call: Call, answer: object, *, now: datetime) -> str:
            apply_items([call_item(2, run=RUN, outcome="waiting", last_seen_at=NOW_MS + 44_000)])
            return "abandoned"

        monkeypatch.setattr(endings, "find_ending", judge_slowly)
        assert ending(45, outcome="waiting") == "waiting"

    def test_the_same_version_again_does_not_bring_a_caller_back(self) -> None:
        ending(45, outcome="waiting")
        apply_items([call_item(1, outcome="waiting")])
        assert Call.objects.get().outcome == "abandoned"
