"""Faults at some hops, in small; `make hops` tries every fault at every hop, and PostgreSQL too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.proofs.calls import ANSWERED, HANDED_OVER
from benchmarks.proofs.hops import (
    FIRST_SECONDS,
    HEARD_WITHIN_SECONDS,
    MOMENTS,
    THE_WAIT,
    WHOLE_CALL,
    Cell,
    list_cells,
    try_cell,
)
from benchmarks.proofs.yard import HOPS, Yard, open_yard
from local.emulator import Emulator

SOME_HOPS = tuple(hop for hop in HOPS if hop != "PostgreSQL")
CELLS = {
    ("DynamoDB (Lambdas)", "black hole", WHOLE_CALL): HANDED_OVER,
    ("DynamoDB (Lambdas)", "503", THE_WAIT): ANSWERED,
    ("DynamoDB (Lambdas)", "black hole", THE_WAIT): ANSWERED,
    ("SQS (Lambdas)", "refused", FIRST_SECONDS): ANSWERED,
    ("Bedrock", "cut within the reply", FIRST_SECONDS): ANSWERED,
}


@pytest.fixture(scope="module")
def yard(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    with open_yard(emulator.url, tmp_path_factory.mktemp("yard"), hops=SOME_HOPS) as running:
        yield running


@pytest.mark.parametrize("cell", CELLS, ids=", ".join)
def test_whatever_fails_the_caller_hears_something_soon_and_comes_to_an_end(
    yard: Yard, cell: tuple[str, str, str]
) -> None:
    found = try_cell(yard, *cell)
    assert found.end == CELLS[cell], found
    assert found.is_kept, found


def test_silence_an_exception_half_an_answer_and_no_end_would_be_found() -> None:
    good = {"hop": "", "fault": "", "moment": "", "reason": "", "total_seconds": 9.0, "is_whole": True}
    late = HEARD_WITHIN_SECONDS + 0.1
    assert Cell(heard_seconds=1.0, end=ANSWERED, **good).is_kept  # type: ignore[arg-type]
    for heard, end, is_whole in [
        (0.0, ANSWERED, True),
        (late, HANDED_OVER, True),
        (1.0, "lost", True),
        (1.0, "error branch", True),
        (1.0, ANSWERED, False),
    ]:
        assert not Cell(heard_seconds=heard, end=end, **{**good, "is_whole": is_whole}).is_kept  # type: ignore[arg-type]


def test_every_hop_meets_every_fault_that_its_protocol_knows() -> None:
    assert {hop for hop, _ in list_cells()} == set(HOPS)
    assert len(list_cells()) * len(MOMENTS) == 120
