"""Each family of figures in small: that it measures what it says, without the long waiting."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks import __main__ as command
from benchmarks import cold_starts, decisions, hits, sides, waiting, workers
from benchmarks.measure import Figure, time_ms
from benchmarks.network import DELAY_SECONDS, open_network
from benchmarks.paced_bedrock import open_paced_bedrock
from benchmarks.processes import find_children, pss_mb, run_for_cpu_ms
from benchmarks.sides import many_connections
from benchmarks.words import LISTEN_SECONDS, listen
from local.emulator import Emulator
from local.provision import Provisioned
from local.stack import Stack
from tests.aws import Aws


def test_an_unknown_family_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks", "waitng"])
    with pytest.raises(SystemExit):
        command.main()
    assert "unknown: waitng; there are waiting, words" in capsys.readouterr().err


def test_a_part_of_the_families_keeps_the_figures_of_the_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Any
) -> None:
    kept, page = {"old": Figure(1, 2, "s", 1)}, tmp_path / "page.md"
    saved: list[Any] = []
    monkeypatch.setattr(sys, "argv", ["benchmarks", "hits"])
    monkeypatch.setattr(hits, "measure", lambda say: {"new": Figure(3, 4, "s", 1)})
    monkeypatch.setattr(command, "load_figures", lambda: kept)
    monkeypatch.setattr(command, "save_figures", saved.append)
    monkeypatch.setattr(command, "write_page", lambda figures: page.write_text(str(len(figures))))
    assert command.main() == 0
    assert [list(figures) for figures in saved] == [["old", "new"]]
    assert "new" in capsys.readouterr().out


# -- decisions


def test_what_a_supervisor_decides_is_heard(product: Stack) -> None:
    figures = decisions.time_decisions(product, lambda _: None, rounds=1)
    assert figures.keys() == {"edit_heard", "invalidation_heard", "incident_heard_waiting", "incident_over"}
    assert all(figure.ours < decisions.PATIENCE_SECONDS for figure in figures.values())


# -- waiting


def test_moments_are_spread_over_the_whole_range() -> None:
    moments = waiting.choose_moments(10, seed=1)
    assert sorted(int((m - 5) / 2) for m in moments) == list(range(10))
    assert moments != sorted(moments)
    assert moments == waiting.choose_moments(10, seed=1)


def test_both_designs_are_called_and_accounted_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "CALLS", 2)
    monkeypatch.setattr(waiting, "AT_ONCE", 2)
    monkeypatch.setattr(waiting, "EARLIEST_SECONDS", 0.5)
    monkeypatch.setattr(waiting, "LATEST_SECONDS", 1.5)
    monkeypatch.setattr(sides, "INTERVAL_SECONDS", 1.0)
    figures = waiting.measure(lambda _: None)
    delay = figures["ready_to_heard"]
    assert delay.samples == 2
    assert 0 < delay.ours < (delay.peer or 0)
    assert figures["read_units_per_20s"].ours > 0
    assert (figures["invocations_per_20s"].peer or 0) >= 2


# -- words


def play(at: float, seconds: float, kind: str) -> dict[str, Any]:
    return {"event": "play", "at": at, "seconds": seconds, "kind": kind}


def test_silence_is_what_lies_between_two_sounds() -> None:
    events = [play(2.0, 1.0, "comfort"), {"event": "invoke"}, play(5.5, 1.0, "prompt"), play(7.0, 60.0, "answer")]
    heard = listen(iter(events))
    assert (heard.first_words, heard.longest_silence) == (7.0, 2.5)


def test_gaps_in_the_answer_count_as_long_as_the_model_writes() -> None:
    parts = [play(1.0, 1.0, "answer"), play(6.0, LISTEN_SECONDS, "answer"), play(99.0, 1.0, "answer")]
    heard = listen(iter(parts))
    assert (heard.first_words, heard.longest_silence) == (1.0, 4.0)


def test_a_call_without_an_answer_is_no_figure() -> None:
    with pytest.raises(RuntimeError, match="without an answer"):
        listen(iter([play(2.0, 1.0, "hand_over")]))


# -- hits


def test_hits_and_their_calls_are_counted(aws: Aws) -> None:
    hits.store_answer(Provisioned(aws.table, aws.bucket, aws.queue_urls, aws.environment))
    figures = hits.compare_hits(aws.environment, count=5, suffix="_network") | hits.count_calls(aws.environment)
    assert figures["hit_p50_network"].ours > 0
    assert figures["aws_calls_hit"].note.startswith("1 BatchGetItem, 1 PutItem")
    assert "1 SendMessage" in figures["aws_calls_miss"].note
    assert figures["aws_calls_poll"].ours >= 3


def test_measuring_leaves_the_environment_as_it_was(aws: Aws) -> None:
    before = dict(os.environ)
    with hits.lambda_process(aws.environment):
        assert os.environ["CONNECTGENAI_TABLE"] == aws.table
    assert dict(os.environ) == before


def test_the_network_adds_its_delay_both_ways(aws: Aws) -> None:
    with open_network(aws.endpoint_url) as url:
        client = many_connections("dynamodb", url)
        client.describe_table(TableName=aws.table)
        took = time_ms(lambda: client.describe_table(TableName=aws.table))
    assert took >= 2 * DELAY_SECONDS * 1000


# -- cold starts


def test_both_handlers_start_cold_and_reply(emulator: Emulator, tmp_path: Path) -> None:
    bench = cold_starts.open_bench(tmp_path, endpoint_url=emulator.url)
    figures = cold_starts.compare_starts(bench, runs=1)
    assert set(figures) == {"cold_start_producer", "cold_start_consumer"}
    assert all(figure.ours > 10 and (figure.peer or 0) > 10 for figure in figures.values())


def test_a_childs_cpu_is_counted_and_its_failure_told(tmp_path: Path) -> None:
    busy = [sys.executable, "-c", "import time\nwhile time.process_time() < 0.2: pass\nprint('done')"]
    cpu_ms, said = run_for_cpu_ms(busy, cwd=tmp_path, environment={})
    assert said == "done"
    assert cpu_ms >= 200
    with pytest.raises(RuntimeError, match="ended with 3"):
        run_for_cpu_ms([sys.executable, "-c", "raise SystemExit(3)"], cwd=tmp_path, environment={})


# -- workers


def test_calls_that_overlap_are_counted_at_once() -> None:
    calls: list[dict[str, Any]] = [
        {"started_ms": 0, "seconds": 1.0},
        {"started_ms": 900, "seconds": 1.0},
        {"started_ms": 1_000, "seconds": 1},
    ]
    assert workers.count_at_once(calls) == 2


def test_the_memory_of_a_process_and_its_children_can_be_read() -> None:
    with open_paced_bedrock(0.1):
        assert any(pss_mb(child) > 1 for child in find_children(os.getpid()))


@pytest.fixture
def yard(aws: Aws, tmp_path: Path) -> Iterator[workers.Yard]:
    made = Provisioned(aws.table, aws.bucket, aws.queue_urls, aws.environment)
    with open_paced_bedrock(0.2) as bedrock:
        yield workers.open_yard(made, bedrock, home=tmp_path)


def test_a_claimed_question_is_what_the_producer_leaves(yard: workers.Yard) -> None:
    (request,) = yard.claim(1)
    item = yard.store.read_answer(request.key)
    assert item is not None
    assert (item.state, item.epoch) == ("PENDING", request.epoch)


def test_the_paced_model_takes_the_time_that_it_is_told(yard: workers.Yard) -> None:
    yard.bedrock.set_seconds(0.5)
    client = many_connections("bedrock-runtime", yard.bedrock.url)
    took = time_ms(
        lambda: client.converse(modelId="local.paced-v1", messages=[{"role": "user", "content": [{"text": "Hi"}]}])
    )
    assert took >= 500
    (call,) = yard.bedrock.read_calls()
    assert call["operation"] == "converse"
