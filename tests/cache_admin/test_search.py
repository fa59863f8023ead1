"""Searching answers by their words, as the database keeps them."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from cache_admin.models import CachedAnswer
from cache_admin.search import full_text
from cache_admin.search.full_text import find_answers, search_answers

pytestmark = pytest.mark.django_db


def keep(question: str, *chunks: str, key: str = "") -> CachedAnswer:
    about = {"topic": "faq", "language": "en-US", "scope": "everyone", "state": "READY", "changed_at": timezone.now()}
    return CachedAnswer.objects.create(key=key or question, question=question, chunks=list(chunks), **about)


def find(term: str) -> list[str]:
    found = search_answers(CachedAnswer.objects.order_by("id"), term)
    return list(found.values_list("question", flat=True))


def test_words_are_found_in_questions_and_in_what_is_spoken_by_their_beginnings() -> None:
    keep("Are you open on Sunday?", "From eleven to four.")
    keep("Do you deliver?", "Deliveries leave at eleven.", "Not on Sundays.")
    assert find("sund") == ["Are you open on Sunday?", "Do you deliver?"]
    assert find("ELEVEN deliv") == ["Do you deliver?"]
    assert find("zeppelin") == []


def test_words_of_all_languages_are_found() -> None:
    keep("Haben Sie Öffnungszeiten?", "Täglich außer Dienstag.")
    assert find("öffnungs täglich") == ["Haben Sie Öffnungszeiten?"]


@pytest.mark.parametrize("term", ["?", '"', "'; --", "a OR", "NEAR(", "*", "()", "zz:*", "\0", "и" * 5_000])
def test_whatever_is_typed_is_looked_for_as_words(term: str) -> None:
    keep("Are you open?")
    assert find(term) == []


def test_the_index_follows_what_happens_to_an_answer() -> None:
    answer = keep("Are you open?", "Yes.")
    CachedAnswer.objects.filter(pk=answer.pk).update(question="Are you shut?", chunks=["No."])
    assert (find("open"), find("yes"), find("shut no")) == ([], [], ["Are you shut?"])
    fresh = CachedAnswer(**{f.attname: getattr(answer, f.attname) for f in CachedAnswer._meta.concrete_fields})
    fresh.pk, fresh.question = None, "Are you there?"
    CachedAnswer.objects.bulk_create(
        [fresh], update_conflicts=True, unique_fields=["key"], update_fields=["question", "chunks"]
    )
    assert (find("shut"), find("there yes")) == ([], ["Are you there?"])
    CachedAnswer.objects.all().delete()
    assert find("there") == []


def test_filters_apply_to_what_is_found() -> None:
    keep("Are you open?")
    keep("Is the café open?", key="2")
    CachedAnswer.objects.filter(key="2").update(state="INVALID")
    assert search_answers(CachedAnswer.objects.filter(state="READY"), "open").count() == 1


def test_it_is_said_when_more_is_found_than_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(full_text, "MOST", 1)
    keep("Are you open?")
    assert not find_answers(CachedAnswer.objects.all(), "open")[1]
    keep("Open now?")
    found, is_capped = find_answers(CachedAnswer.objects.all(), "open")
    assert (len(found), is_capped) == (1, True)


def test_a_common_word_is_found_in_all_of_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(full_text, "LOOKED_AT", 2)
    monkeypatch.setattr(full_text, "MOST", 2)
    for number in range(3):
        keep("Are you open?", key=str(number))
    found, is_capped = find_answers(CachedAnswer.objects.order_by("-changed_at", "-id"), "open")
    assert (len(found), is_capped) == ((3, False) if connection.vendor == "postgresql" else (2, True))


def test_the_list_searches_so_and_by_a_whole_key(admin_client: Any) -> None:
    keep("Are you open on Sunday?", "From eleven.", key=f"faq.{7:032x}")
    for term in ("eleven sund", f"faq.{7:032x}"):
        page = admin_client.get("/admin/cache_admin/cachedanswer/", {"q": term}).content.decode()
        assert "Are you open on Sunday?" in page
    assert "Are you open" not in admin_client.get("/admin/cache_admin/cachedanswer/", {"q": "monday"}).content.decode()
