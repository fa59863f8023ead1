"""Calls beside a batch, in small: both are served."""

from __future__ import annotations

import pytest

from benchmarks import beside
from local.stack import Stack


def test_callers_are_answered_while_a_batch_runs(product: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "PACE", {**beside.PACE, "first_token_seconds": 0.2, "tokens_per_second": 400.0})
    monkeypatch.setattr(beside, "QUIET_SECONDS", 0.5)
    figures = beside.compare(product, lambda _: None, rows=40, calls=4, pairs=1)
    assert figures["live_p95_beside_batch"].samples == 4
    assert figures["batch_rows"].ours == 40
    assert figures["prewarmed_per_minute"].ours > 0


def test_each_question_of_the_batch_is_one_of_its_own() -> None:
    names = {beside.make_name(number, letters=5) for number in range(beside.ROWS)}
    assert len(names) == beside.ROWS
    assert all(name.isalpha() for name in names)
