"""An answer's texts: kept as they are mirrored, compared, put back; and what a voice makes of a text."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client

from cache_admin.models import AnswerVersion, CachedAnswer
from cache_admin.services.mirror import apply_items, mirror_changes
from cache_admin.services.versions import compare_texts
from cache_admin.services.voice import find_voice_faults, listen
from connectgenai.wire.question import AskedQuestion
from connectgenai.wire.store import AnswerStore
from tests.aws import Aws
from tests.cache_admin.conftest import NOW, login
from tests.cache_admin.test_mirror import answer_item

LIST = "/admin/cache_admin/cachedanswer/"
FIRST = "We are open on Sunday. Come between ten and four."


@pytest.fixture
def row(store: AnswerStore, answer: AskedQuestion) -> CachedAnswer:
    mirror_changes(store, now=NOW)
    return CachedAnswer.objects.get()


def edit(client: Client, row: CachedAnswer, text: str, why: str = "") -> None:
    row.refresh_from_db()
    form = {"text": text, "why": why, "seen_version": row.version}
    assert client.post(f"{LIST}{row.pk}/change/", form).status_code == 302


def test_every_text_is_kept_with_who_wrote_it_and_why(supervisor: Client, row: CachedAnswer) -> None:
    edit(supervisor, row, "We are closed this Sunday.", why="The roof is being mended.")
    versions = list(AnswerVersion.objects.all())
    assert [version.text for version in versions] == ["We are closed this Sunday.", FIRST]
    assert (versions[0].author, versions[0].why) == (User.objects.get(), "The roof is being mended.")
    assert (versions[1].author, versions[1].model) == (None, "local.extractive-v1")
    page = supervisor.get(f"{LIST}{row.pk}/change/").content.decode()
    assert "The roof is being mended." in page
    assert "the present text" in page


def test_a_text_that_is_mirrored_again_or_still_being_written_is_not_kept_twice(db: None) -> None:
    apply_items([answer_item(1, state="PENDING", token="run-1")])
    apply_items(
        [answer_item(2, state="READY", token="run-1"), answer_item(3, key="faq.2", state="READY", token="run-2")]
    )
    apply_items([answer_item(5, state="READY", token="run-1", pinned=True)])
    assert sorted(AnswerVersion.objects.values_list("run", flat=True)) == ["run-1", "run-2"]


def test_an_earlier_text_is_compared_and_put_back(supervisor: Client, row: CachedAnswer, store: AnswerStore) -> None:
    edit(supervisor, row, "We are closed on Sunday. Come between ten and four.")
    first = AnswerVersion.objects.get(author=None)
    url = f"{LIST}{row.pk}/texts/{first.pk}/"
    page = supervisor.get(url).content.decode()
    assert "<del>open</del>" in page
    assert "<ins>closed</ins>" in page
    row.refresh_from_db()
    supervisor.post(url, {"seen_version": row.version})
    item = store.read_answer(row.key, consistent=True)
    assert item is not None
    assert (item.text, item.source) == (FIRST, "curated")
    assert AnswerVersion.objects.count() == 3
    assert "Put back the text of" in LogEntry.objects.latest("pk").change_message


def test_nothing_is_put_back_over_what_somebody_else_has_just_written(
    supervisor: Client, row: CachedAnswer, store: AnswerStore
) -> None:
    edit(supervisor, row, "Second.")
    first = AnswerVersion.objects.get(author=None)
    seen = CachedAnswer.objects.get().version
    edit(supervisor, row, "Third.")
    page = supervisor.post(f"{LIST}{row.pk}/texts/{first.pk}/", {"seen_version": seen})
    assert page.status_code == 409
    assert "Look again, then decide" in page.content.decode()
    item = store.read_answer(row.key, consistent=True)
    assert item is not None
    assert item.text == "Third."


def test_without_dynamodb_nothing_is_put_back(supervisor: Client, row: CachedAnswer, site: Aws) -> None:
    edit(supervisor, row, "Second.")
    first = AnswerVersion.objects.get(author=None)
    site.dynamodb.delete_table(TableName=site.table)
    page = supervisor.post(f"{LIST}{row.pk}/texts/{first.pk}/", {"seen_version": CachedAnswer.objects.get().version})
    assert page.status_code == 503
    assert "DynamoDB does not serve" in page.content.decode()
    assert AnswerVersion.objects.count() == 2


def test_who_may_only_look_compares_but_puts_nothing_back(supervisor: Client, row: CachedAnswer) -> None:
    edit(supervisor, row, "Second.")
    first = AnswerVersion.objects.get(author=None)
    url = f"{LIST}{row.pk}/texts/{first.pk}/"
    login(supervisor, "view_cachedanswer")
    assert "Put the earlier text back" not in supervisor.get(url).content.decode()
    assert supervisor.post(url, {"seen_version": 2}).status_code == 403
    login(supervisor, "view_call")
    assert supervisor.get(url).status_code == 403


def test_a_text_of_another_answer_is_not_found(supervisor: Client, row: CachedAnswer) -> None:
    apply_items([answer_item(1, key="faq.other", state="READY", token="run-x")])
    other = AnswerVersion.objects.get(run="run-x")
    assert supervisor.get(f"{LIST}{row.pk}/texts/{other.pk}/").status_code == 404


def test_two_texts_are_compared_word_by_word_and_nothing_is_lost() -> None:
    old, new = "We open at nine on weekdays.\n\nAsk us.", "We open at ten on weekdays and Saturdays.\n\nAsk us."
    left, right = compare_texts(old, new)
    assert "".join(piece.text for piece in left) == old
    assert "".join(piece.text for piece in right) == new
    assert [piece.text for piece in left if piece.kind == "gone"] == ["nine", "weekdays."]
    assert [piece.text for piece in right if piece.kind == "new"] == ["ten", "weekdays and Saturdays."]


# -- what a voice makes of it


@pytest.mark.parametrize(
    ("text", "excerpt", "word"),
    [
        ("See https://example.com/help for more.", "https://example.com/help", "address"),
        ("Write to help@example.com today.", "help@example.com", "e-mail"),
        ("We sell:\n- apples\n- pears", "- apples", "list"),
        ("This is **very** nice.", "**very**", "formatting"),
        ("| a | b |", "| a | b |", "table"),
        ("Say <break time='1s'/> this.", "<break time='1s'/>", "tag"),
        ("Call 0800 123 4567 now.", "0800 123 4567", "number"),
        ("Bring your ID card.", "ID", "Capitals"),
        ("Fruit, e.g. apples, is fine.", "e.g.", "abbreviation"),
        ("It closes on 3/4 this year.", "3/4", "date"),
        ("It costs 5 € a day.", "€", "symbol"),
        ("Welcome \U0001f600 to us.", "\U0001f600", "picture"),
    ],
)
def test_what_a_voice_spoils_is_found_with_its_place(text: str, excerpt: str, word: str) -> None:
    assert any(fault.excerpt == excerpt and word in fault.message for fault in find_voice_faults(text))


@pytest.mark.parametrize(
    "text", [FIRST, "The crossing takes 1 hour and 35 minutes.", "Das kostet zwanzig Euro im Monat."]
)
def test_a_text_that_is_fit_has_no_faults(text: str) -> None:
    assert find_voice_faults(text) == []


def test_long_texts_and_long_sentences_are_found() -> None:
    sentence = "and then we walk on to the next harbour " * 12
    messages = " ".join(fault.message for fault in find_voice_faults(f"{sentence}. " * 4))
    assert "more than a minute" in messages
    assert "too long to follow" in messages


def test_the_check_answers_while_somebody_writes(supervisor: Client, site: Aws) -> None:
    told = supervisor.post(f"{LIST}voice/", {"text": "See www.example.com. We are <open>."}).json()
    assert [fault["level"] for fault in told["faults"]] == ["bad", "bad"]
    assert told["parts"][0]["ssml"].startswith("<speak>")
    assert "&lt;open&gt;" in told["parts"][0]["ssml"]
    assert told["verdict"] == ""
    assert supervisor.post(f"{LIST}voice/", {"text": FIRST}).json()["verdict"] == "Fit to be spoken."
    assert supervisor.post(f"{LIST}voice/", {"text": "  "}).json()["summary"] == "Nothing to hear."
    assert supervisor.get(f"{LIST}voice/").status_code == 405


def test_the_check_is_for_those_who_may_see_answers(client: Client, site: Aws) -> None:
    login(client, "view_call")
    assert client.post(f"{LIST}voice/", {"text": "x"}).status_code == 403


def test_a_text_is_heard_in_parts(db: None) -> None:
    parts: list[Any] = listen("One sentence here. " * 40)
    assert len(parts) > 2
    assert all(part.seconds >= 1 and part.ssml.startswith("<speak>") for part in parts)
