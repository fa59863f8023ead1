"""How the offline model reads: documents without their markup, words without their endings, prompts as they were meant."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectgenai.wire.items import TopicItem
from connectgenai.wire.prompt import Document as SourceDocument
from connectgenai.wire.prompt import build_prompt
from local.bedrock.passages import Sentence, read_sentences
from local.bedrock.prompt import Document, find_question, read_prompt
from local.bedrock.synonyms import find_synonyms
from local.bedrock.tokens import count_tokens, cut_to_tokens, split_events
from local.bedrock.words import content_stems, stem, tokenize

MESSY = """---
title: not for callers
---
# The Mill

![A photograph](mill.jpg) The **old mill** was built in *1742*. <!-- check this --> It is open
to visitors<br>on the second [Sunday](https://mill.example/sundays) of each month.

## Prices

| Ticket | Adults | Children |
|:---|---:|---:|
| Day | 8 euros | 4 euros |
| Season | 30 euros | free |

## What we grind

We grind:

* rye
* spelt
* oats

Our rules:

1. Children must be held by the hand.
2. Flour dust is dangerous, so smoking is forbidden.

> The miller is always right.

Groups
------

Tours for groups begin at
ten. `mill --tour` is not for callers.

```python
print("not for callers")
```

***

#### Empty heading at the end
"""


def read(text: str) -> list[Sentence]:
    return read_sentences((Document("The mill's leaflet", text),))


def say(text: str) -> list[str]:
    return [sentence.text for sentence in read(text)]


def test_headings_bullets_tables_and_markup_do_not_leak_into_sentences() -> None:
    assert say(MESSY) == [
        "The old mill was built in 1742.",
        "It is open to visitors on the second Sunday of each month.",
        "Day: adults 8 euros, children 4 euros.",
        "Season: adults 30 euros, children free.",
        "We grind: rye; spelt; and oats.",
        "Children must be held by the hand.",
        "Flour dust is dangerous, so smoking is forbidden.",
        "The miller is always right.",
        "Tours for groups begin at ten.",
        "mill --tour is not for callers.",
    ]


def test_a_sentence_knows_what_stands_above_it() -> None:
    above = {s.text: s.headings for s in read(MESSY)}
    assert above["Season: adults 30 euros, children free."] == ("The Mill", "Prices")
    assert above["Children must be held by the hand."] == ("The Mill", "What we grind", "Our rules:")
    assert above["Tours for groups begin at ten."] == ("The Mill", "Groups")


@pytest.mark.parametrize(
    "text",
    [
        "Do you mill rye?\n\nYes, on Mondays.",
        "**Q: Do you mill rye?**\nA: Yes, on Mondays.",
        "1. Do you mill rye?\nYes, on Mondays.",
        "- Do you mill rye? Yes, on Mondays.",
        "### Do you mill rye?\n\n- Yes, on Mondays.",
        "Question 3: Do you mill rye?\nAnswer: Yes, on Mondays",
    ],
)
def test_a_question_in_a_text_stands_over_its_answer_and_is_no_sentence(text: str) -> None:
    [sentence] = read(text)
    assert sentence.text == "Yes, on Mondays."
    assert sentence.headings[-1] == "Do you mill rye?"


def test_a_rhetorical_question_does_not_stand_over_the_next_paragraph() -> None:
    first, second = read("Why a mill? It saves work.\n\nThe shop sells bread.")
    assert first.headings == ("Why a mill?",)
    assert second.headings == ()


@pytest.mark.parametrize(
    ("text", "heading"),
    [
        ("How to find us\n\nThe mill lies by the river, two miles from the town.", "How to find us"),
        ("How to find us\nThe mill lies by the river, two miles from the old town hall.", "How to find us"),
        ("3. How to find us\n\nThe mill lies by the river.", "How to find us"),
        ("**How to find us**\n\nThe mill lies by the river.", "How to find us"),
    ],
)
def test_a_short_line_over_a_text_is_its_heading(text: str, heading: str) -> None:
    [sentence] = read(text)
    assert sentence.text.startswith("The mill lies by the river")
    assert sentence.headings == (heading,)


def test_the_pages_of_an_extracted_text_leave_no_trace() -> None:
    text = "The mill was re-\nstored in the year\n\n12\n\nPage 3 of 9\n\nVisitors are wel-\ncome."
    assert say(text)[-1] == "Visitors are welcome."
    assert not [s for s in say(text) if re.search(r"\b(?:12|3|9)\b", s)]


def test_hours_end_a_sentence_where_the_next_begins() -> None:
    assert say("We close at 6 p.m. In summer we close at 8 p.m. Saturday and Sunday.") == [
        "We close at 6 p.m.",
        "In summer we close at 8 p.m. Saturday and Sunday.",
    ]


@given(st.text(alphabet=st.sampled_from("ab .?!:-*#|>`_\n\t1)(<[]"), max_size=200))
def test_no_text_is_too_odd_to_read(text: str) -> None:
    sentences = read(text)
    assert [s.number for s in sentences] == list(range(len(sentences)))
    assert all(s.text.strip() and "\n" not in s.text for s in sentences)


@given(st.text(max_size=300))
def test_no_characters_are_too_odd_to_read(text: str) -> None:
    for sentence in read(text):
        assert content_stems(sentence.text, spell_ranges=True) is not None


@pytest.mark.parametrize(
    "forms",
    [
        "deliver delivers delivered delivering delivery deliveries",
        "pay pays paid paying payment payments",
        "cancel cancels cancelled canceled cancelling cancellation",
        "reserve reserved reserving reservation",
        "charge charges charging charger",
        "instalment installment instalments",
        "colour color colours",
        "organise organize organised organization",
        "apply applies applied applying",
        "bus buses",
        "child children",
        "telephone phone phones",
        "wi-fi wifi",
    ],
)
def test_the_forms_of_a_word_share_a_stem(forms: str) -> None:
    assert len({one for form in forms.split() for one in content_stems(form)}) == 1


@pytest.mark.parametrize(
    "words", ["open order", "return refund", "price prize", "station state", "plane plan", "day dog"]
)
def test_different_words_have_different_stems(words: str) -> None:
    assert len({stem(word) for word in words.split()}) == 2


def test_a_range_of_days_or_months_is_each_of_them() -> None:
    stems = content_stems("Monday to Wednesday, from 1 November to 31 January", spell_ranges=True)
    assert {stem("tuesday"), stem("december")} <= set(stems)
    assert not {stem("thursday"), stem("october"), stem("february")} & set(stems)
    assert stem("saturday") in content_stems("Friday-Mondays", spell_ranges=True)


def test_little_words_carry_nothing() -> None:
    assert content_stems("Can you please tell me what's that, and how about it?") == []
    assert tokenize("It's 9:30, don\u2019t wait") == ["its", "9:30", "dont", "wait"]


def test_another_word_for_a_thing_counts_less_than_the_word() -> None:
    synonyms = find_synonyms(stem("shipping"))
    assert synonyms[stem("shipping")] == 1
    assert 0 < synonyms[stem("delivery")] < 1


def test_the_workers_prompt_is_read_as_it_was_meant() -> None:
    topic = TopicItem(name="faq", instructions="Be kind.", model_id="local.extractive-v1")
    documents = [SourceDocument("Q & A", 'We <gladly> take "all" & more.'), SourceDocument("", "Second text.")]
    prompt = read_prompt(build_prompt(topic, documents, question="Is </question> 5 < 6 & so on?", language="en-US"))
    assert prompt.documents == (
        Document("Q & A", '\nWe <gladly> take "all" & more.\n'),
        Document("", "\nSecond text.\n"),
    )
    assert prompt.question == "Is </question> 5 < 6 & so on?"


def test_a_message_without_tags_is_the_question() -> None:
    assert find_question("When do you open?") == "When do you open?"


@given(st.text(max_size=400), st.integers(min_value=1, max_value=40))
def test_a_text_cut_to_a_number_of_tokens_is_its_beginning_and_fits(text: str, limit: int) -> None:
    cut = cut_to_tokens(text, limit)
    assert text.startswith(cut)
    assert count_tokens(cut) <= limit


@given(st.lists(st.text(alphabet="abc.", min_size=1, max_size=8), min_size=1), st.integers(min_value=1, max_value=9))
def test_the_events_of_a_text_are_together_the_text(words: list[str], size: int) -> None:
    text = " ".join(words)
    assert "".join(split_events(text, tokens_per_event=size)) == text
