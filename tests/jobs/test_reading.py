"""From a growing text to spoken chunks: early, in order, without markup, and nothing lost or said twice."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectgenai.wire.speech import Chunker, fits_one_prompt
from jobs.reading import SpeechReader


def speak(text: str, *, step: int = 1) -> str:
    reader = SpeechReader()
    chunks = [chunk for start in range(0, len(text), step) for chunk in reader.read(text[start : start + step])]
    return " ".join([*chunks, *reader.finish()])


MARKDOWN = [
    ("We open at nine. We close at five.", "We open at nine. We close at five."),
    ("Call **now**. It is *free of charge*. Yes, `really`.", "Call now. It is free of charge. Yes, really."),
    ("Well. *This is one. This is two.* Done.", "Well. This is one. This is two. Done."),
    ("**Mind this. And that.** Then go.", "Mind this. And that. Then go."),
    ("See [our page](https://shop.example/a). Then call.", "See our page. Then call."),
    ("See [our page. The first](https://shop.example/a) one. Then call.", "See our page. The first one. Then call."),
    ("# Hours\nWe open at nine.\n\n## Prices\nOne euro.", "Hours. We open at nine. Prices. One euro."),
    ("Bring:\n- a card\n- a pen\n- a coat\n\nThen come.", "Bring: a card. a pen. a coat. Then come."),
    ("Do this:\n1. Ring.\n2. Wait.\n3. Enter.", "Do this: Ring. Wait. Enter."),
    ("Run it:\n```\nprint('a'). x\n\nprint('b'). y\n```\nThat is all. Bye.", "Run it: That is all. Bye."),
    ("It costs 3.50 euros. That is 5 * 2 at most.", "It costs 3.50 euros. That is 5 * 2 at most."),
    ("One line\r\nand the next.\r\n\r\nA paragraph.", "One line and the next. A paragraph."),
    ("\n\nAfter blank lines. Yes.", "After blank lines. Yes."),
    ("A file called snake_case_name. Its twin.", "A file called snake_case_name. Its twin."),
    ("", ""),
    (" \n\n ", ""),
]


@pytest.mark.parametrize(("text", "spoken"), MARKDOWN)
@pytest.mark.parametrize("step", [1, 2, 3, 7, 50, 1_000])
def test_markup_is_not_spoken_wherever_the_pieces_are_cut(text: str, spoken: str, step: int) -> None:
    assert speak(text, step=step) == spoken


@settings(max_examples=200)
@given(text=st.text(alphabet=st.sampled_from("ab \u00e9.?!\n"), max_size=600), step=st.integers(1, 40))
def test_every_word_is_given_once_and_in_order(text: str, step: int) -> None:
    assert "".join(speak(text, step=step).split()) == "".join(text.split())


def test_a_sentence_is_given_as_soon_as_the_next_begins() -> None:
    reader = SpeechReader()
    assert reader.read("The shop opens at nine on every working day") == []
    assert reader.read(".") == []
    assert reader.read(" On") == ["The shop opens at nine on every working day."]


def test_a_heading_does_not_wait_for_the_whole_text() -> None:
    reader = SpeechReader()
    long_title = "How our opening hours change in the winter"
    assert reader.read(f"# {long_title}!\n\nIn") == [f"{long_title}!"]


def test_a_long_answer_comes_in_growing_chunks_that_all_fit_a_prompt() -> None:
    reader, text = SpeechReader(), " ".join(f"This is sentence number {n} of a long answer." for n in range(120))
    chunks = [chunk for word in re.findall(r"\S+\s*", text) for chunk in reader.read(word)] + reader.finish()
    assert " ".join(chunks) == text
    assert Chunker.FIRST_CHARACTERS <= len(chunks[0]) < len(chunks[1]) < len(chunks[2])
    assert all(map(fits_one_prompt, chunks))


def test_after_the_end_there_is_nothing_more() -> None:
    reader = SpeechReader()
    assert reader.read("One. Two") + reader.finish() == ["One. Two"]
