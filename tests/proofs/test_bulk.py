"""Bulk invalidation in small; `make bulk` withdraws 100,000 answers."""

from __future__ import annotations

from benchmarks.proofs.bulk import try_bulk
from tests.aws import Aws


def test_one_write_withdraws_a_thousand_answers_at_callers_next_poll_and_ask_but_for_a_pinned_one(aws: Aws) -> None:
    found = try_bulk(aws.endpoint_url, table=aws.table, answers=1_000, callers=40, sample=40)
    assert (found.heard_before, found.heard_by_their_next_polls, found.heard_by_new_asks) == (40, 0, 0)
    assert found.pinned_heard == 1
    assert found.one_write.writes == 1
    assert found.one_write.units <= 3  # the item, and its places in the index of changes
    assert found.extrapolated.units >= 1_000
