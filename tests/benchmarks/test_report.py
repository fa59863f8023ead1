"""The figures as tables, and that the page says what was measured."""

from __future__ import annotations

import json

import pytest

from benchmarks.measure import RESULTS, Figure, load_figures
from benchmarks.report import BEGIN, END, PAGE, fill_page, to_markdown, to_text

FIGURES = {
    "quick": Figure(0.25, 2.5, "s", 40, note="median", bound="ratio <= 0.2"),
    "slow": Figure(1234.5, None, "ms", 7, bound="ours <= 3"),
}
PROMISED = [
    *("ready_to_heard", "ready_to_heard_mean", "ready_to_heard_p90", "first_words", "longest_silence"),
    *("hit_p50", "hit_p99", "hit_p50_network", "hit_p99_network", "aws_calls_hit", "aws_calls_miss", "aws_calls_poll"),
    *("cold_start_producer", "cold_start_consumer", "cold_start"),
    *("worker_200", "memory_per_slot", "send_to_start_p50", "send_to_start_p99"),
    *("invocations_per_20s", "gb_seconds_per_20s", "read_units_per_20s", "write_units_per_20s"),
]


def test_a_table_names_what_was_missed() -> None:
    quick, slow = to_text(FIGURES).splitlines()[2:4]
    assert quick.split() == ["quick", "0.250", "2.50", "0.100", "s", "40", "ratio", "<=", "0.2"]
    assert slow.split() == ["slow", "1,234", "-", "-", "ms", "7", "ours", "<=", "3", "MISSED"]


def test_notes_stand_below_the_table() -> None:
    assert to_text(FIGURES).endswith("\n\nquick: median")
    assert to_markdown(FIGURES).endswith("\n\n- `quick`: median")


def test_only_what_is_between_the_marks_is_replaced() -> None:
    filled = fill_page(f"before\n{BEGIN}\nold\n{END}\nafter\n", FIGURES)
    assert filled == f"before\n{BEGIN}\n{to_markdown(FIGURES)}\n{END}\nafter\n"
    assert fill_page(filled, FIGURES) == filled


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="marks"):
        fill_page("no marks", FIGURES)


def test_the_page_shows_the_results_that_are_kept() -> None:
    assert fill_page(PAGE.read_text(), load_figures()) == PAGE.read_text()


def test_every_promised_figure_is_kept_and_explained() -> None:
    assert set(load_figures()) == set(PROMISED)
    before, _, rest = PAGE.read_text().partition(BEGIN)
    by_hand = before + rest.partition(END)[2]
    assert [name for name in PROMISED if f"`{name}`" not in by_hand] == []


def test_kept_results_have_the_form_that_was_promised() -> None:
    for plain in json.loads(RESULTS.read_text()).values():
        assert {"ours", "peer", "ratio", "unit", "samples"} <= set(plain)
        assert isinstance(plain["samples"], int)
        if plain["peer"]:
            assert plain["ratio"] == pytest.approx(plain["ours"] / plain["peer"], rel=0.01)
