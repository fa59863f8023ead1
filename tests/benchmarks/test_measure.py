"""What the figures are computed with."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.measure import Figure, interleave, load_figures, percentile, round_figure, save_figures, time_ms


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1), (0.5, 5), (0.9, 9), (0.91, 10), (1.0, 10)])
def test_a_percentile_is_a_sample_that_so_many_do_not_exceed(share: float, expected: int) -> None:
    assert percentile([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], share) == expected


def test_no_samples_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no samples"):
        percentile([], 0.5)


def test_a_ratio_needs_a_peer() -> None:
    assert Figure(1.0, 4.0, "s", 3).ratio == 0.25
    assert Figure(1.0, None, "s", 3).ratio is None
    assert Figure(1.0, 0.0, "s", 3).ratio is None


@pytest.mark.parametrize(
    ("bound", "is_kept"),
    [
        ("", True),
        ("ratio <= 0.5", True),
        ("ratio <= 0.49", False),
        ("ours <= 2", True),
        ("ours <= 1.9", False),
    ],
)
def test_a_bound_is_kept_or_missed(bound: str, is_kept: bool) -> None:
    assert Figure(2.0, 4.0, "s", 3, bound=bound).is_kept is is_kept


def test_a_bound_on_a_ratio_that_does_not_exist_is_missed() -> None:
    assert not Figure(2.0, None, "s", 3, bound="ratio <= 9").is_kept


def test_sides_take_turns_and_who_begins_changes() -> None:
    order: list[str] = []

    def sample(name: str) -> float:
        order.append(name)
        return len(order)

    samples = interleave(2, ours=lambda: sample("ours"), peer=lambda: sample("peer"))
    assert order == ["ours", "peer", "peer", "ours"]
    assert samples == {"ours": [1, 4], "peer": [2, 3]}


def test_work_is_timed_in_milliseconds() -> None:
    assert 0 <= time_ms(lambda: None) < 1_000


def test_figures_are_rounded_to_four_digits() -> None:
    assert [round_figure(value) for value in (123.456, 0.00012345, 12_345.6)] == [123.5, 0.0001234, 12_350.0]


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    figures = {"a": Figure(1.0, 4.0, "s", 3, note="median", bound="ratio <= 0.5"), "b": Figure(2.0, None, "ms", 1)}
    save_figures(figures, path=tmp_path / "new" / "call.json")
    assert load_figures(path=tmp_path / "new" / "call.json") == figures


def test_without_a_file_there_are_no_figures(tmp_path: Path) -> None:
    assert load_figures(path=tmp_path / "call.json") == {}
