"""Bad input in small; `make fuzz` does the same at length."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.proofs.fuzz_events import find_breach, fuzz_events
from benchmarks.proofs.fuzz_messages import fuzz_messages
from benchmarks.proofs.fuzz_uploads import fuzz_uploads, make_samples
from connectgenai.wire.flow import Reply
from local.provision import provision
from tests.aws import Aws


def test_no_event_makes_a_lambda_raise_or_break_its_contract_with_the_flow(aws: Aws, tmp_path: Path) -> None:
    prefix = f"{aws.table}-"
    made = provision(endpoint_url=aws.endpoint_url, table=aws.table, bucket=aws.bucket, queue_prefix=prefix)
    for name, tally in fuzz_events(made, tmp_path, examples=100).items():
        assert (name, tally.broken) == (name, [])
        assert tally.tried >= 100
        assert len(tally.outcomes) > 1, "all events came to the same end: they are not varied enough"


@pytest.mark.parametrize(
    "payload",
    [
        b"[]",
        b'{"statusCode": "200"}',
        json.dumps({**Reply(status="200").to_map(), "text": None}).encode(),
        json.dumps(Reply(status="418", text="Tea.").to_map()).encode(),
        json.dumps(Reply(status="500").to_map()).encode(),
        json.dumps(Reply(status="200", text="x" * 40_000).to_map()).encode(),
    ],
)
def test_a_reply_that_breaks_the_contract_would_be_found(payload: bytes) -> None:
    assert find_breach(payload)


def test_no_message_stops_a_worker_and_every_one_comes_to_an_end(aws: Aws, tmp_path: Path) -> None:
    tally = fuzz_messages(aws, tmp_path, examples=150)
    assert tally.broken == []
    assert tally.outcomes["worker deaths"] == 0
    assert tally.outcomes["dead letter"] > 100
    assert tally.outcomes["dropped (expired)"] == 0


def test_no_upload_is_more_than_refused() -> None:
    for kind, tally in fuzz_uploads(make_samples(), examples=60).items():
        assert (kind, tally.broken) == (kind, [])
        assert tally.outcomes["refused"], kind
