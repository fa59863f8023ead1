"""The honest offline model, asked through boto3: it quotes what the documents say, or says that it does not know."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.bedrock.extractive import DOES_NOT_KNOW, answer
from local.bedrock.index import Index
from local.bedrock.passages import Sentence, read_sentences
from local.bedrock.prompt import Document, Prompt
from local.bedrock.weighing import find_chapters
from tests.local.bedrock_caller import Caller

TEXTS = Path(__file__).parent / "texts"
STORE = (TEXTS / "garden-store.md").read_text(encoding="utf-8")
LIBRARY = (TEXTS / "library-faq.txt").read_text(encoding="utf-8")
HANDBOOK = Path(__file__).resolve().parents[2] / "local/demo/documents/harbour-ferries-handbook.md"

PARAPHRASED = [
    ("Are you open on Sunday?", "On Sundays we are closed, except for the four Sundays before Christmas"),
    ("Are you open on a Wednesday?", "open Monday to Saturday from 9 a.m. to 6 p.m."),
    ("When do you close on Thursdays in July?", "from May to August, we stay open until 8 p.m. on Thursdays."),
    ("What are your opening hours?", "Our store is open Monday to Saturday"),
    ("Where are you located?", "You find us at 12 Mill Lane"),
    ("Is there any parking?", "There is a free car park with 80 spaces"),
    ("Which bus do I take?", "Bus 14 stops right in front of the door."),
    ("How much is shipping?", "Delivery costs 9.50 euros"),
    ("Can I send something back that I bought three weeks ago?", "You can return unused goods within 30 days"),
    ("I don't have the receipt any more, can I still return it?", "Without a receipt we give a voucher"),
    ("When do I get my money back?", "usually within 5 working days."),
    ("Is there a warranty on perennials?", "Perennials come with a two-year growth guarantee."),
    ("Do you accept cheques?", "We do not take cheques."),
    ("Can I pay in installments?", "Payment in instalments is possible from 500 euros"),
    ("Which cards do you take?", "We accept: cash; Visa and Mastercard; Maestro cards; and gift vouchers of our own."),
    (
        "How long does it take to repair a lawn mower?",
        "Lawn mower repair, price from 35 euros, time needed 5 to 10 days.",
    ),
    ("Are pets allowed?", "dogs on a lead are welcome everywhere except in the café."),
    ("Where is the bathroom?", "Next to the café."),
    ("Do you have any jobs?", "We look for seasonal staff from March to June."),
    ("What is your telephone number?", "Call 555 0134"),
]
OFF_TOPIC = [
    "Who won the football world cup?",
    "What is the weather like tomorrow?",
    "Can I pay with Bitcoin?",
    "Do you sell fresh fish?",
    "How do I reset my password?",
    "Is Marta Olsen married to Elvis Presley?",
    "Tell me a joke.",
    "How does it work?",
    "Hmm?",
]


@pytest.mark.parametrize(("question", "said"), PARAPHRASED)
def test_a_paraphrased_question_is_answered_with_the_right_sentence(bedrock: Caller, question: str, said: str) -> None:
    heard = bedrock.ask(question, STORE)
    assert said in heard
    assert len(heard.split()) <= 75


@pytest.mark.parametrize("question", OFF_TOPIC)
def test_a_question_that_the_text_does_not_answer_is_not_answered(bedrock: Caller, question: str) -> None:
    assert bedrock.ask(question, STORE) == DOES_NOT_KNOW["en"]


def test_without_documents_it_knows_nothing(bedrock: Caller) -> None:
    assert bedrock.ask("Are you open on Sunday?") == DOES_NOT_KNOW["en"]


def test_it_never_answers_from_its_instructions(bedrock: Caller) -> None:
    assert bedrock.ask("Do you answer callers on the telephone?") == DOES_NOT_KNOW["en"]


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("Wann habt ihr am Sonntag geöffnet?", "de"),
        ("¿Cuándo abren los domingos?", "es"),
        ("Quand est-ce que vous êtes ouverts le dimanche?", "fr"),
        ("完全に別の質問", "en"),
    ],
)
def test_it_admits_not_to_know_in_the_questions_language(bedrock: Caller, question: str, language: str) -> None:
    assert bedrock.ask(question, "Nothing to see here.") == DOES_NOT_KNOW[language]


@pytest.mark.parametrize("question", [question for question, _ in PARAPHRASED] + OFF_TOPIC + ["Can I bring my dog?"])
def test_the_question_is_never_echoed(bedrock: Caller, question: str) -> None:
    assert question.casefold().rstrip("?.") not in bedrock.ask(question, STORE, LIBRARY).casefold()


def test_a_sentence_that_leans_on_the_one_before_brings_it_along(bedrock: Caller) -> None:
    heard = bedrock.ask("Is the toilet accessible by wheelchair?", STORE)
    assert heard == "Yes, next to the café. One of them is accessible by wheelchair."


def test_a_sentence_that_limits_the_answer_comes_along(bedrock: Caller) -> None:
    heard = bedrock.ask("How long can a loan period be extended?", LIBRARY)
    assert heard.endswith("However, an extension is not possible when somebody else waits for the book.")


def test_the_yes_to_another_question_is_left_out(bedrock: Caller) -> None:
    assert bedrock.ask("Can I bring my dog?", STORE).startswith("Yes, dogs")
    assert bedrock.ask("Where may dogs go?", STORE).startswith("Dogs on a lead")


def test_steps_that_are_asked_for_come_all_and_in_order(bedrock: Caller) -> None:
    heard = bedrock.ask("How can I order by phone?", STORE)
    assert heard.startswith("Call 555 0134 and say the article numbers. We tell you the price")
    assert heard.endswith("or at the door in cash.")


def test_a_weekend_has_two_days(bedrock: Caller) -> None:
    heard = bedrock.ask("Are you open at the weekend?", STORE)
    assert "Monday to Saturday" in heard
    assert "On Sundays we are closed" in heard


def test_a_plain_text_of_numbered_questions_is_understood(bedrock: Caller) -> None:
    assert bedrock.ask("Are you open on Sunday?", LIBRARY).endswith("Sunday: Closed.")
    assert bedrock.ask("Where is it?", LIBRARY) == "We are located at: 12 Harbour Street, Milltown."
    assert bedrock.ask("How long may I keep a book?", LIBRARY).startswith("Books can be borrowed for 21 days.")
    assert "proof of address" in bedrock.ask("How can I get a card?", LIBRARY)
    assert "Maps that are older" in bedrock.ask("Which books can't I borrow?", LIBRARY)


def test_what_is_announced_follows(bedrock: Caller) -> None:
    heard = bedrock.ask("What are the opening hours?", LIBRARY)
    assert heard.startswith("Our library is open: Monday-Friday: 9:00 AM - 8:00 PM.")
    assert heard.endswith("Sunday: Closed.")


def test_the_answer_is_found_in_whichever_document_has_it(bedrock: Caller) -> None:
    assert bedrock.ask("Do you take cheques?", LIBRARY, STORE) == "We do not take cheques."
    assert "21 days" in bedrock.ask("How long can I borrow a book?", STORE, LIBRARY)


def test_escaped_characters_are_read_as_they_were(bedrock: Caller) -> None:
    text = "The brand Fish & Friends is sold for < 5 euros. The brand Sun is not sold here."
    assert bedrock.ask("Do you have the brand Fish & Friends?", text).startswith("The brand Fish & Friends is sold")


WORDS = st.sampled_from(sorted(set(re.findall(r"[A-Za-z]+", STORE + LIBRARY))))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.one_of(WORDS, st.text(max_size=12)), max_size=8))
def test_whatever_is_asked_it_says_nothing_that_the_documents_do_not_say(words: list[str]) -> None:
    prompt = Prompt((Document("Store", STORE), Document("Library", LIBRARY)), " ".join(words))
    heard = answer(prompt)
    assert heard == answer(prompt)
    known = set(re.findall(r"\w+", (STORE + LIBRARY.replace("-\n", "")).casefold()))
    assert heard in DOES_NOT_KNOW.values() or set(re.findall(r"\w+", heard.casefold())) <= known
    assert not re.search(r"[#*|`]|\n|^\s*$", heard)


SUMMARY_REQUESTS = [
    "Please summarise the handbook.",
    "Can you give me a short summary?",
    "Give me an overview, I am in a hurry.",
    "What are the main points?",
    "What does the handbook say, in short?",
    "What is this document about?",
    "Sum it up for me, please.",
]


@pytest.mark.parametrize("request_", SUMMARY_REQUESTS)
def test_a_summary_is_recognised_by_its_words_and_has_220_to_300_of_them(bedrock: Caller, request_: str) -> None:
    heard = bedrock.ask(request_, HANDBOOK.read_text(encoding="utf-8"))
    assert 220 <= len(heard.split()) <= 300


def chapters_in(summary: str, text: str) -> list[int]:
    """The chapters (numbered in the text's order) from which a summary's sentences were taken."""
    sentences = read_sentences((Document("", text),))
    chapters = find_chapters(sentences)
    order = {chapter: number for number, chapter in enumerate(dict.fromkeys(chapters))}
    return [order[c] for s, c in zip(sentences, chapters, strict=True) if s.text in summary]


def test_a_summary_takes_sentences_from_all_over_the_text_in_its_order(bedrock: Caller) -> None:
    text = HANDBOOK.read_text(encoding="utf-8")
    found = chapters_in(bedrock.ask("Please summarise it.", text), text)
    assert len(set(found)) >= 9
    assert all(a <= b for a, b in pairwise(found))
    assert found[0] <= 1
    assert found[-1] >= 18


def test_a_text_without_headings_is_summarised_from_beginning_to_end(bedrock: Caller) -> None:
    text = re.sub(r"^#.*\n", "", HANDBOOK.read_text(encoding="utf-8"), flags=re.M)
    found = chapters_in(bedrock.ask("Please summarise it.", text), text)
    assert set(found) == set(range(8))


def test_a_summary_says_nothing_twice(bedrock: Caller) -> None:
    text = HANDBOOK.read_text(encoding="utf-8")
    once = bedrock.ask("Please summarise it.", text)
    twice = bedrock.ask("Please summarise it.", text, text)
    for heard in (once, twice):
        sentences = re.split(r"(?<=\.) (?=[A-Z])", heard)
        assert len(set(sentences)) == len(sentences)


def test_a_summary_has_no_sentence_that_leans_on_a_missing_one(bedrock: Caller) -> None:
    heard = bedrock.ask("Summary please", STORE, HANDBOOK.read_text(encoding="utf-8"))
    for sentence in re.split(r"(?<=\.) (?=[A-Z])", heard):
        assert not re.match(r"(?:It|They|This|These|However|But|After that)\b", sentence)


def test_a_short_text_has_a_short_summary(bedrock: Caller) -> None:
    assert 60 <= len(bedrock.ask("Give me the gist of it.", STORE).split()) <= 200


def test_a_summary_of_one_subject_stays_with_it(bedrock: Caller) -> None:
    heard = bedrock.ask("Summarise the rules for delivery.", STORE)
    assert "We deliver within 30 kilometres" in heard
    assert "dog" not in heard
    assert "Sunday" not in heard


def test_there_is_no_summary_of_what_is_not_in_the_text(bedrock: Caller) -> None:
    assert bedrock.ask("Summarise Hamlet.", STORE) == DOES_NOT_KNOW["en"]


def test_a_question_with_in_short_remains_a_question(bedrock: Caller) -> None:
    heard = bedrock.ask("In short, do you accept cheques?", STORE)
    assert heard == "We do not take cheques."


def test_a_hundred_callers_of_a_new_text_read_it_once(bedrock: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[Index] = []

    def build(sentences: list[Sentence]) -> Index:
        built.append(Index(sentences))
        time.sleep(0.2)
        return built[-1]

    monkeypatch.setattr("local.bedrock.extractive.Index", build)
    text = "The bridge was built in 1911. The river is deep."
    with ThreadPoolExecutor(20) as pool:
        heard = set(pool.map(lambda _: bedrock.ask("When was the bridge built?", text), range(100)))
    assert heard == {"The bridge was built in 1911."}
    assert len(built) == 1
