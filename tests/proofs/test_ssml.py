"""Random answers become SSML that parses, holds no element of theirs, and loses nothing; `make fuzz` tries 20,000."""

from __future__ import annotations

import pytest

from benchmarks.proofs import ssml
from benchmarks.proofs.ssml import count_naive_faults, find_fault, try_answers
from connectgenai.wire import flow, speech


def test_whatever_a_model_writes_is_spoken_whole_and_as_text() -> None:
    tally = try_answers(3_000, seed=2)
    assert tally.broken == []
    assert tally.outcomes == {"spoken": 3_000}


def test_most_of_the_same_answers_would_be_malformed_without_escaping() -> None:
    assert count_naive_faults(300, seed=2) > 150


@pytest.mark.parametrize(
    ("module", "name", "instead", "fault"),
    [
        (flow, "to_ssml", lambda text: f"<speak>{text}</speak>", "malformed"),
        (flow, "to_ssml", lambda text: f"<speak><b/>{speech.escape_ssml(text)}</speak>", "injected"),
        (flow, "to_ssml", lambda text: speech.to_ssml(text[1:]), "lost"),
        (ssml, "split_chunks", lambda text: [text], "too long"),
        (ssml, "split_chunks", lambda text: speech.split_chunks(text[:-1]), "lost"),
    ],
)
def test_each_kind_of_fault_would_be_found(
    monkeypatch: pytest.MonkeyPatch, module: object, name: str, instead: object, fault: str
) -> None:
    monkeypatch.setattr(module, name, instead)
    assert find_fault("Q & A. " + "x" * 4_000).startswith(fault)
