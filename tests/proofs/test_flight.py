"""Single flight in small: `make flight` is the same race with 10,000 callers."""

from __future__ import annotations

from pathlib import Path

from benchmarks.proofs.flight import count_starts, race
from connectgenai.wire.request import GenerationRequest
from connectgenai.wire.store import AnswerStore
from local.provision import provision
from tests.aws import Aws


def test_a_crowd_that_asks_the_same_few_questions_costs_one_generation_each(aws: Aws, tmp_path: Path) -> None:
    prefix = f"{aws.table}-"
    made = provision(endpoint_url=aws.endpoint_url, table=aws.table, bucket=aws.bucket, queue_prefix=prefix)
    flight = race(made, home=tmp_path, questions=20, asks=600, processes=3, threads=8)
    assert (flight.asks, flight.refused) == (600, 0)
    assert (flight.sends, flight.sends_logged, flight.generations) == (20, 20, 20)
    assert (flight.tickets, flight.misses, flight.joined) == (20, 20, 580)


def test_a_message_for_a_question_that_nobody_asked_is_not_counted_as_a_generation(aws: Aws) -> None:
    store = AnswerStore(aws.dynamodb, table=aws.table)
    assert count_starts(store, [GenerationRequest(key="race:unknown", epoch=1)]) == 0
