"""Speech: sentences, chunks, SSML and seconds."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectgenai.wire.flow import Reply
from connectgenai.wire.speech import (
    Chunker,
    fits_one_prompt,
    make_speakable,
    speech_seconds,
    split_chunks,
    split_sentences,
    to_ssml,
)

ANY_TEXT = st.text(alphabet=st.characters(codec=None), max_size=400)


@settings(max_examples=500)
@given(ANY_TEXT)
def test_any_text_makes_ssml_of_one_element_that_parses(text: str) -> None:
    root = ElementTree.fromstring(to_ssml(text))
    assert root.tag == "speak"
    assert len(root) == 0


def test_markup_in_a_text_is_spoken_not_obeyed() -> None:
    assert ElementTree.fromstring(to_ssml('<break time="10s"/> R&D "x"')).text == '<break time="10s"/> R&D "x"'


@pytest.mark.parametrize(
    ("text", "sentences", "rest"),
    [
        ("We open at 9. We close at 5.", ["We open at 9."], " We close at 5."),
        ("Dr. Smith is in. Come", ["Dr. Smith is in."], " Come"),
        ("It costs 3.5 dollars. Yes! Really? Mm", ["It costs 3.5 dollars.", "Yes!", "Really?"], " Mm"),
        ('He said "no." Then left', ['He said "no."'], " Then left"),
        ("First paragraph\n\nSecond", ["First paragraph"], "Second"),
        ("今日は。明日は", ["今日は。"], "明日は"),
        ("e.g. this one. Next", ["e.g. this one."], " Next"),
        ("no end yet", [], "no end yet"),
    ],
)
def test_sentences_are_split_where_a_reader_would(text: str, sentences: list[str], rest: str) -> None:
    assert split_sentences(text) == (sentences, rest)


@settings(max_examples=300)
@given(st.text(alphabet=st.sampled_from("ab &<\U0001f600é. !\n"), max_size=9_000))
def test_chunks_hold_every_word_and_each_fits_one_prompt(text: str) -> None:
    chunks = split_chunks(text)
    assert "".join("".join(chunks).split()) == "".join(text.split())
    assert all(fits_one_prompt(c) and c.strip() for c in chunks)


@pytest.mark.parametrize("character", ["a", "&", "<", "é", "\U0001f600", "\x01"])
def test_a_chunk_of_any_characters_keeps_the_reply_under_connects_limits(character: str) -> None:
    for chunk in split_chunks(character * 20_000):
        reply = Reply(status="206", text="Sorry, let me start again. " + chunk).to_map()
        assert len(chunk) <= 3_000
        assert len(reply["ssml"]) <= 6_000
        assert len(json.dumps(reply)) < 32_000


def test_a_sentence_longer_than_a_prompt_is_cut_between_words() -> None:
    chunks = split_chunks("word " * 2_000 + ".")
    assert len(chunks) > 3
    assert all(re.fullmatch(r"(word ?)+ ?\.?", c) for c in chunks)


def test_the_first_chunk_is_the_first_sentence_and_later_ones_grow() -> None:
    chunks = split_chunks(" ".join(f"This is sentence number {n} of a long answer." for n in range(60)))
    assert chunks[0] == "This is sentence number 0 of a long answer."
    assert len(chunks[0]) < len(chunks[1]) < len(chunks[2])


def test_a_growing_text_gives_the_same_chunks_as_a_finished_one() -> None:
    text = " ".join(f"Sentence {n} says something." for n in range(40))
    chunker, rest, given = Chunker(), "", []
    for character in text:
        sentences, rest = split_sentences(rest + character)
        given += [c for s in sentences for c in chunker.add(s)]
    given += [*chunker.add(rest), *chunker.flush()]
    assert given == split_chunks(text)


@pytest.mark.parametrize(
    ("markdown", "spoken"),
    [
        ("**Bold** and _soft_ and `code`", "Bold and soft and code"),
        ("# Heading\nText", "Heading\nText"),
        ("- one\n- two", "one\ntwo"),
        ("1. one\n2. two", "one\ntwo"),
        ("See [our page](https://example.com/x).", "See our page."),
        ("Go to https://example.com/a?b=c now", "Go to now"),
        ("2 * 3 * 4 and snake_case_name", "2 * 3 * 4 and snake_case_name"),
        ("before ```python\nx=1\n``` after", "before after"),
        ("zero\u200bwidth\u202e", "zerowidth"),
    ],
)
def test_what_a_voice_would_spoil_is_taken_out(markdown: str, spoken: str) -> None:
    assert make_speakable(markdown) == spoken


def test_seconds_of_speech_count_words_and_breaks_but_not_tags() -> None:
    assert speech_seconds("a" * 30) == pytest.approx(2.0)
    assert speech_seconds('<speak>aaaaaaaaaaaaaaa<break time="500ms"/></speak>') == pytest.approx(1.5)
