"""The review queue's pages: by callers affected, one by one and several at once; nothing typed is lost."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from cache_admin.models import ApprovedAnswer, AuditEntry, CachedAnswer, ReviewItem, Topic
from cache_admin.review.candidates import submit_text
from cache_admin.review.deciding import reject
from cache_admin.roles import REVIEWERS, SUPERVISORS, VIEWERS
from cache_admin.services.mirror import apply_items
from connectgenai.wire.question import DRAFT
from connectgenai.wire.store import AnswerStore
from tests.cache_admin.conftest import NOW, NOW_MS, ask, generate, login
from tests.cache_admin.test_review import QUESTION, TEXT, made, strict

__all__ = ["strict"]
QUEUE = "/admin/cache_admin/reviewitem/"
ANSWERS = "/admin/cache_admin/cachedanswer/"


@pytest.fixture
def item(strict: Topic) -> ReviewItem:
    """A caller's text, waiting."""
    apply_items([made()])
    return ReviewItem.objects.get()


@pytest.fixture
def reviewer(client: Client, db: None) -> Client:
    """Somebody of the reviewers is logged in."""
    return enter(client, REVIEWERS)


def enter(client: Client, role: str) -> Client:
    user = User.objects.create_user(role.lower(), password="x", is_staff=True)
    user.groups.set(Group.objects.filter(name=role))
    client.force_login(user)
    return client


def decide(client: Client, item: ReviewItem, wish: str, **typed: Any) -> Any:
    form = {"text": item.text, "note": "", "seen_version": item.version, "shared_version": 0, "do": wish, **typed}
    return client.post(f"{QUEUE}{item.pk}/change/", form)


def test_the_queue_begins_with_what_concerns_most_callers_then_the_oldest(reviewer: Client, strict: Topic) -> None:
    apply_items([
        made(question="Is there parking?", finished_at=NOW_MS + 5_000),
        made(question="Are dogs allowed?"),
        made(), made("caller:k1:b"),
    ])  # fmt: skip
    page = reviewer.get(QUEUE)
    assert [row.question for row in page.context["cl"].result_list] == [
        QUESTION,
        "Are dogs allowed?",
        "Is there parking?",
    ]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 1),
        ("state=rejected", 1),
        ("state=all", 2),
        ("state=all&source__exact=prewarm", 1),
        ("q=parking", 0),
        ("q=parking&state=all", 1),
        ("topic=other", 0),
        ("language=en-US", 1),
        ("owner=me", 0),
    ],
)
def test_the_queue_is_filtered_and_searched(reviewer: Client, item: ReviewItem, query: str, count: int) -> None:
    apply_items([made(DRAFT, question="Is there parking?")])
    parking = ReviewItem.objects.get(source="prewarm")
    reject(parking, seen_version=1, by=User.objects.get(), note="No.", now=NOW)
    assert len(reviewer.get(f"{QUEUE}?{query}").context["cl"].result_list) == count


def test_the_queue_asks_few_questions_of_the_database(
    reviewer: Client, strict: Topic, django_assert_max_num_queries: Any
) -> None:
    apply_items([made(question=f"Is it {word}?") for word in ("open", "dry", "far", "big", "new", "old")])
    reviewer.get(QUEUE)
    with django_assert_max_num_queries(14):
        reviewer.get(QUEUE)


def test_a_reviewer_improves_and_approves_a_text(reviewer: Client, item: ReviewItem, store: AnswerStore) -> None:
    page = reviewer.get(f"{QUEUE}{item.pk}/change/").content.decode()
    assert TEXT in page
    assert 'value="approve"' in page
    answered = decide(reviewer, item, "approve", text="We are open on Sunday until four.", note="Hours are new.")
    assert answered.status_code == 302
    found = store.read_answer(item.key, consistent=True)
    assert found is not None
    assert (found.chunks, found.source) == (("We are open on Sunday until four.",), "curated")
    assert AuditEntry.objects.filter(verb="answer.approved").count() == 1
    assert ApprovedAnswer.objects.get().owner == User.objects.get(username="reviewers")


@pytest.mark.parametrize("role", [VIEWERS, SUPERVISORS, REVIEWERS])
@pytest.mark.parametrize("wish", ["approve", "reject", "return", "draft", "send", "assign"])
def test_who_may_decide(client: Client, item: ReviewItem, role: str, wish: str) -> None:
    answered = decide(enter(client, role), item, wish, text=f"{TEXT} Really.", note="Why.")
    assert answered.status_code == (403 if role == VIEWERS else 302)


def test_who_comes_late_reads_both_texts_and_what_was_decided(reviewer: Client, item: ReviewItem) -> None:
    ada = User.objects.create_user("ada")
    submit_text(ask(QUESTION), chunks=["Closed on Sundays."], by=ada, now=NOW)
    late = decide(reviewer, item, "approve", text="Open from ten to four.")
    assert late.status_code == 409
    page = late.content.decode()
    assert "Open from ten to four." in page
    assert "Sundays." in page
    assert late.context["form"]["seen_version"].value() == 2
    reject(ReviewItem.objects.get(), seen_version=2, by=ada, note="No.", now=NOW)
    later = decide(reviewer, item, "approve", text="Open from ten to four.").content.decode()
    assert "ada was quicker" in later
    assert "Open from ten to four." in later


def test_what_callers_hear_meanwhile_stands_beside_what_was_typed(
    reviewer: Client, item: ReviewItem, store: AnswerStore
) -> None:
    theirs = store.publish(ask(QUESTION), chunks=["Closed."], seen_version=0, revision=1, ttl_seconds=60, now_ms=NOW_MS)
    late = decide(reviewer, item, "approve", text="Open from ten to four.")
    assert late.status_code == 409
    assert "Closed." in late.content.decode()
    assert late.context["form"]["shared_version"].value() == theirs.version
    again = decide(reviewer, item, "approve", text="Open from ten to four.", shared_version=theirs.version)
    assert again.status_code == 302


def test_four_eyes_are_said_and_keep_the_button_away(reviewer: Client, strict: Topic, store: AnswerStore) -> None:
    Topic.objects.update(four_eyes=True)
    item = submit_text(ask(QUESTION), chunks=[TEXT], by=User.objects.get(), now=NOW)
    page = reviewer.get(f"{QUEUE}{item.pk}/change/").content.decode()
    assert "somebody else has to approve it" in page
    assert 'value="approve"' not in page
    assert decide(reviewer, item, "approve").status_code == 409
    assert store.read_answer(item.key, consistent=True) is None


def test_a_rejection_without_a_reason_keeps_what_was_typed(reviewer: Client, item: ReviewItem) -> None:
    page = decide(reviewer, item, "reject", text="Half a thought.")
    assert "Say why" in page.content.decode()
    assert page.context["form"]["text"].value() == "Half a thought."


def test_a_text_of_which_nothing_can_be_spoken_is_refused(reviewer: Client, item: ReviewItem) -> None:
    assert "Nothing is left" in decide(reviewer, item, "approve", text="***").content.decode()
    assert decide(reviewer, item, "approve", text="").status_code == 200
    assert ReviewItem.objects.get().state == "in_review"


def test_an_owner_sees_their_own(reviewer: Client, item: ReviewItem) -> None:
    decide(reviewer, item, "assign", owner=User.objects.get().pk)
    assert len(reviewer.get(f"{QUEUE}?owner=me").context["cl"].result_list) == 1
    assert ReviewItem.objects.get().version == 1


@pytest.mark.parametrize("address", ["0/change/", "x/change/", "99999999999999999999/change/"])
def test_an_item_that_is_not_there(reviewer: Client, item: ReviewItem, address: str) -> None:
    assert reviewer.get(QUEUE + address).status_code == 404


@pytest.mark.parametrize(("words", "count"), [("sund open", 1), ("monday", 0), ("?", 0), ("sunday closed", 1)])
def test_items_are_found_by_the_words_of_their_question_or_of_any_of_their_texts(
    reviewer: Client, item: ReviewItem, monkeypatch: pytest.MonkeyPatch, words: str, count: int
) -> None:
    apply_items([made("caller:k1:b", text="We are closed.")])
    monkeypatch.setattr("cache_admin.review.searching.LOOKED_AT", 0)  # as if it stood far down in the list
    assert len(reviewer.get(f"{QUEUE}?q={words}").context["cl"].result_list) == count


# -- several at once


def test_several_are_approved_after_a_look_at_their_texts_and_each_says_what_came_of_it(
    reviewer: Client, strict: Topic, store: AnswerStore
) -> None:
    apply_items([made(), made(question="Is there parking?", text="There is."), made(question="Are dogs allowed?")])
    items = {item.question: item for item in ReviewItem.objects.all()}
    chosen = [item.pk for item in items.values()]
    asked = reviewer.post(QUEUE, {"action": "approve_selected", "_selected_action": chosen}, follow=True)
    assert "There is." in asked.content.decode()
    form: dict[str, Any] = {"pk": [items[QUESTION].pk, items["Is there parking?"].pk]}
    for item in items.values():
        form |= {f"seen-{item.pk}": item.version, f"shared-{item.pk}": 0}
    reject(items["Is there parking?"], seen_version=1, by=User.objects.create_user("ada"), note="No.", now=NOW)
    page = reviewer.post(f"{QUEUE}approve/", form).content.decode()
    assert "1 text is approved." in page
    assert "it is rejected" in page
    assert store.read_answer(items[QUESTION].key, consistent=True) is not None
    assert store.read_answer(items["Is there parking?"].key, consistent=True) is None
    assert "1 text is approved." in reviewer.post(f"{QUEUE}approve/", form).content.decode()  # a second click
    assert ReviewItem.objects.get(question="Are dogs allowed?").state == "in_review"


def test_only_who_may_approve_reaches_the_pages_for_several(client: Client, item: ReviewItem) -> None:
    login(client, "view_reviewitem", "change_reviewitem")
    for page in ("approve/", "take-in/"):
        assert (client.get(QUEUE + page).status_code, client.post(QUEUE + page).status_code) == (403, 403)


def test_what_everybody_heard_is_taken_into_review(reviewer: Client, strict: Topic, store: AnswerStore) -> None:
    generate(store, ask(QUESTION), TEXT)
    found = store.read_answer(ask(QUESTION).key)
    assert found is not None
    apply_items([found])
    assert "Answers from before" in reviewer.get(QUEUE).content.decode()
    page = reviewer.get(f"{QUEUE}take-in/?topic=faq")
    assert TEXT in page.content.decode()
    reviewer.post(f"{QUEUE}take-in/", {"topic": "faq", "pk": [row.pk for row in page.context["rows"]]})
    assert ReviewItem.objects.get().state == "in_review"
    assert "There are none" in reviewer.get(f"{QUEUE}take-in/?topic=faq").content.decode()


# -- from the answer's own page


@pytest.fixture
def heard(strict: Topic, store: AnswerStore) -> CachedAnswer:
    """An approved answer that everybody hears."""
    item = store.publish(ask(QUESTION), chunks=[TEXT], seen_version=0, revision=1, ttl_seconds=9**9, now_ms=NOW_MS)
    apply_items([item])
    return CachedAnswer.objects.get()


@pytest.mark.parametrize(("wish", "state"), [("send", "in_review"), ("draft", "draft")])
def test_who_may_not_approve_sends_an_edit_to_review(
    client: Client, heard: CachedAnswer, store: AnswerStore, wish: str, state: str
) -> None:
    bob = login(client, "view_cachedanswer", "change_cachedanswer", "view_reviewitem")
    page = f"{ANSWERS}{heard.pk}/change/"
    assert "goes to review" in client.get(page).content.decode()
    form = {"text": "Closed on Sundays.", "why": "New hours.", "seen_version": heard.version, "do": wish}
    answered = client.post(page, form)
    item = ReviewItem.objects.get()
    assert answered.headers["Location"] == f"{QUEUE}{item.pk}/change/"
    assert (item.text, item.state, item.author, item.note) == ("Closed on Sundays.", state, bob, "New hours.")
    found = store.read_answer(heard.key, consistent=True)
    assert found is not None
    assert found.chunks == (TEXT,)
    entry = AuditEntry.objects.get(kind="cache_admin.reviewitem")
    assert entry.verb == ("answer.sent_in" if wish == "send" else "answer.drafted")


@pytest.mark.parametrize(("four_eyes", "text"), [(False, "Closed on Sundays."), (True, TEXT)])
def test_who_may_approve_publishes_at_once_unless_it_takes_four_eyes(
    client: Client, heard: CachedAnswer, store: AnswerStore, four_eyes: bool, text: str
) -> None:
    Topic.objects.update(four_eyes=four_eyes)
    enter(client, SUPERVISORS)
    form = {"text": "Closed on Sundays.", "why": "", "seen_version": heard.version}
    client.post(f"{ANSWERS}{heard.pk}/change/", form)
    found = store.read_answer(heard.key, consistent=True)
    assert found is not None
    assert found.chunks == (text,)
    assert ReviewItem.objects.exists() is four_eyes


def test_an_earlier_text_is_put_back_through_review_too(
    client: Client, heard: CachedAnswer, store: AnswerStore
) -> None:
    apply_items([
        store.publish(ask(QUESTION), chunks=["Closed."], seen_version=1, revision=1, ttl_seconds=9**9, now_ms=NOW_MS)
    ])  # fmt: skip
    login(client, "view_cachedanswer", "change_cachedanswer")
    earlier = heard.texts.order_by("pk")[0]
    client.post(f"{ANSWERS}{heard.pk}/texts/{earlier.pk}/", {"seen_version": 2, "do": "send"})
    assert (ReviewItem.objects.get().text, ReviewItem.objects.get().state) == (TEXT, "in_review")
    found = store.read_answer(heard.key, consistent=True)
    assert found is not None
    assert found.chunks == ("Closed.",)
