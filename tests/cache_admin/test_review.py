"""What comes into review, who decides on it, and what callers hear then."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User

from cache_admin.models import AnswerVersion, ApprovedAnswer, CachedAnswer, ReviewCaller, ReviewItem, ReviewText, Topic
from cache_admin.review.candidates import ReviewConflictError, submit_text
from cache_admin.review.deciding import approve, asked, reject, send_back, send_in, use_text
from cache_admin.review.taking_in import find_unapproved, take_in
from cache_admin.services.answers import AnswerError
from cache_admin.services.mirror import apply_items
from cache_admin.services.topics import publish_topic
from connectgenai.wire.items import AnswerItem
from connectgenai.wire.question import DRAFT, identify_question
from connectgenai.wire.store import HIT, AnswerStore, ConflictError, find_outcome
from tests.cache_admin.conftest import NOW, NOW_MS, ask, generate

QUESTION = "Are you open on Sunday?"
TEXT = "We are open on Sunday."


@pytest.fixture
def strict(topic: Topic, store: AnswerStore) -> Topic:
    """The topic, in which nothing is shared without approval."""
    Topic.objects.update(needs_approval=True, verify_days=30)
    topic.refresh_from_db()
    publish_topic(topic, store=store, now=NOW)
    return topic


def person(name: str, *rights: str) -> User:
    user = User.objects.create_user(name, password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    return user


@pytest.fixture
def ada(db: None) -> User:
    """May approve."""
    return person("ada", "approve_reviewitem", "change_reviewitem", "view_reviewitem")


@pytest.fixture
def bob(db: None) -> User:
    """May write, not approve."""
    return person("bob", "change_reviewitem", "view_reviewitem")


def made(scope: str = "caller:k1:a", text: str = TEXT, question: str = QUESTION, **facts: Any) -> AnswerItem:
    """An answer that the model has made under this scope."""
    sharing = DRAFT if scope == DRAFT else "caller"
    caller = scope.removeprefix("caller:") if scope.startswith("caller:") else ""
    at = identify_question(question, topic="faq", language="en-US", sharing=sharing, caller=caller, contact_id="c1")
    known: dict[str, Any] = {
        "key": at.key, "topic": "faq", "language": "en-US", "scope": at.scope, "question": question, "words": at.words,
        "state": "READY", "source": "generated", "model": "local.extractive-v1", "chunks": (text,), "complete": True,
        "token": f"run-{text}-{scope}", "revision": 1, "version": 5, "epoch": 1, "finished_at": NOW_MS, "changed_at": NOW_MS,
    }  # fmt: skip
    return AnswerItem(**{**known, **facts})


def opened() -> ReviewItem:
    return ReviewItem.objects.get()


def settle(item: ReviewItem, by: User, store: AnswerStore, *, text: str = "", **facts: Any) -> ReviewItem:
    wish: dict[str, Any] = {"text": text or item.text, "seen_version": item.version, "shared_version": 0, "why": ""}
    return approve(item, by=by, store=store, now=NOW, **{**wish, **facts})


# -- coming in


@pytest.mark.django_db
def test_a_callers_answer_opens_an_item_and_each_further_caller_counts_once(strict: Topic) -> None:
    first, second = made(), made("caller:k1:b", question="Are you open on Sunday, please?")
    apply_items([first, second])
    apply_items([replace(second, version=6)])
    item = opened()
    assert (item.key, item.state, item.source, item.text) == (ask(QUESTION).key, "in_review", "caller", TEXT)
    assert (item.callers, item.version, item.phrasings) == (2, 1, ["Are you open on Sunday, please?"])


@pytest.mark.django_db
@pytest.mark.parametrize(
    "facts",
    [
        {"question": "Where is my order 12345?"},
        {"source": "curated"},
        {"state": "PENDING"},
        {"state": "FAILED"},
        {"chunks": ()},
        {"scope": "everyone"},
    ],
)
def test_what_is_personal_unfinished_or_a_persons_opens_nothing(strict: Topic, facts: dict[str, Any]) -> None:
    apply_items([made(**facts) if "question" in facts else replace(made(), **facts)])
    assert not ReviewItem.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("changes", [{"needs_approval": False}, {"sharing": "caller"}])
def test_a_topic_that_asks_for_no_approval_or_shares_nothing_has_no_queue(
    strict: Topic, changes: dict[str, Any]
) -> None:
    Topic.objects.update(**changes)
    apply_items([made()])
    assert not ReviewItem.objects.exists()


def test_another_text_is_kept_aside_and_takes_over_only_from_an_older_state_of_the_topic(strict: Topic) -> None:
    apply_items([made()])
    apply_items([made("caller:k1:b", text="On Sunday, yes.")])
    assert (opened().text, opened().version) == (TEXT, 1)
    apply_items([made("caller:k1:c", text="Sundays too.", revision=2)])
    assert (opened().text, opened().version, opened().callers) == ("Sundays too.", 2, 3)
    assert [text.text for text in ReviewText.objects.all()] == ["Sundays too.", "On Sunday, yes.", TEXT]


def test_a_draft_that_was_asked_for_anew_is_the_candidate_and_counts_no_caller(strict: Topic) -> None:
    apply_items([made(DRAFT)])
    apply_items([made(DRAFT, text="Sundays, ten to four.", token="run-2", version=9)])
    assert (opened().text, opened().source, opened().callers) == ("Sundays, ten to four.", "prewarm", 0)


def test_what_a_person_wrote_is_not_replaced_by_the_next_caller(strict: Topic, bob: User) -> None:
    submit_text(ask(QUESTION), chunks=["Closed on Sundays."], by=bob, now=NOW)
    apply_items([made(revision=2), made(DRAFT, text="Open.")])
    assert (opened().text, opened().author, opened().callers) == ("Closed on Sundays.", bob, 1)


def test_a_rejected_text_does_not_come_back_with_the_next_caller_but_another_does(strict: Topic, ada: User) -> None:
    apply_items([made()])
    reject(opened(), seen_version=1, by=ada, note="We are closed.", now=NOW)
    apply_items([made("caller:k1:b")])
    assert (opened().state, opened().callers) == ("rejected", 2)
    apply_items([made("caller:k1:c", text="We are closed on Sunday.")])
    assert (opened().state, opened().text, opened().decided_by) == ("in_review", "We are closed on Sunday.", None)
    assert ReviewText.objects.get(is_rejected=True).note == "We are closed."


def test_a_caller_who_is_forgotten_takes_their_text_along(strict: Topic) -> None:
    first, second = made(), made("caller:k1:b", text="On Sunday, yes.")
    apply_items([first, second])
    apply_items([replace(first, state="INVALID", reason="erased", chunks=(), version=6)])
    assert (opened().text, ReviewCaller.objects.count()) == ("On Sunday, yes.", 1)
    apply_items([replace(second, state="INVALID", reason="erased", chunks=(), version=6)])
    assert not ReviewItem.objects.exists()


def test_a_draft_that_somebody_has_dropped_waits_for_nobody(strict: Topic) -> None:
    apply_items([made(DRAFT)])
    apply_items([made(DRAFT, state="INVALID", reason="not_chosen", chunks=(), version=9)])
    assert not ReviewItem.objects.exists()


def test_the_most_asked_shared_answers_are_taken_in(strict: Topic, store: AnswerStore) -> None:
    generate(store, ask(QUESTION), TEXT)
    generate(store, ask("Is there parking?"), "There is.")
    apply_items([item for q in (QUESTION, "Is there parking?") if (item := store.read_answer(ask(q).key))])
    CachedAnswer.objects.filter(question="Is there parking?").update(calls=7)
    found = find_unapproved("faq")
    assert [answer.question for answer in found] == ["Is there parking?", QUESTION]
    assert (take_in(found), take_in(found)) == (2, 0)
    assert list(ReviewItem.objects.order_by("-rank").values_list("callers", flat=True)) == [7, 0]
    assert find_unapproved("faq") == []


# -- deciding


def test_an_approved_text_is_everybodys_and_says_who_approved_it_and_until_when(
    strict: Topic, store: AnswerStore, ada: User
) -> None:
    apply_items([made()])
    done = settle(opened(), ada, store, why="Checked with the store.")
    item, published = store.read_answer(done.key, consistent=True), store.read_topic("faq")
    assert published is not None
    assert find_outcome(item, published, now_ms=NOW_MS) == HIT
    version = AnswerVersion.objects.get(answer__key=done.key)
    assert (version.author, version.why) == (ada, "Approved by ada. Checked with the store.")
    care = ApprovedAnswer.objects.get()
    assert (care.owner, care.verify_by, care.verified_by) == (ada, (NOW + timedelta(days=30)).date(), ada)
    assert (done.state, done.decided_by) == ("published", ada)


def test_a_second_click_publishes_nothing_twice(strict: Topic, store: AnswerStore, ada: User) -> None:
    apply_items([made()])
    seen = opened()
    settle(seen, ada, store)
    settle(seen, ada, store)
    item = store.read_answer(seen.key, consistent=True)
    assert item is not None
    assert (item.version, AnswerVersion.objects.filter(answer__key=seen.key).count()) == (1, 1)


def test_who_comes_second_is_shown_what_the_first_decided(
    strict: Topic, store: AnswerStore, ada: User, bob: User
) -> None:
    apply_items([made()])
    seen = opened()
    reject(seen, seen_version=1, by=ada, note="No.", now=NOW)
    with pytest.raises(ReviewConflictError) as caught:
        settle(seen, ada, store)
    assert (caught.value.item.state, caught.value.item.note) == ("rejected", "No.")
    assert store.read_answer(seen.key, consistent=True) is None


def test_an_answer_that_was_published_meanwhile_is_not_written_over(
    strict: Topic, store: AnswerStore, ada: User
) -> None:
    apply_items([made()])
    theirs = store.publish(ask(QUESTION), chunks=["Closed."], seen_version=0, revision=1, ttl_seconds=60, now_ms=NOW_MS)
    with pytest.raises(ConflictError):
        settle(opened(), ada, store)
    assert opened().state == "in_review"
    assert settle(opened(), ada, store, shared_version=theirs.version).state == "published"


def test_a_text_published_by_another_way_is_waited_for_no_more(strict: Topic, store: AnswerStore) -> None:
    apply_items([made()])
    apply_items(
        [store.publish(ask(QUESTION), chunks=[TEXT], seen_version=0, revision=1, ttl_seconds=60, now_ms=NOW_MS)]
    )
    assert opened().state == "published"


def test_late_answers_do_not_open_again_what_callers_hear(
    strict: Topic, store: AnswerStore, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply_items([made()])
    settle(opened(), ada, store)
    later = NOW_MS + 60_000
    CachedAnswer.objects.filter(key=opened().key).update(expires_at=NOW + timedelta(days=9_000))
    apply_items([made("caller:k1:b", text="Maybe.", finished_at=later)])
    assert (opened().state, opened().callers) == ("published", 2)
    CachedAnswer.objects.filter(key=opened().key).update(expires_at=NOW - timedelta(days=9_000))
    apply_items([made("caller:k1:c", text="Perhaps.", finished_at=later)])
    assert (opened().state, opened().text) == ("in_review", "Perhaps.")


@pytest.mark.parametrize("way", ["wrote", "sent", "changed"])
def test_four_eyes_are_two_people(strict: Topic, store: AnswerStore, ada: User, bob: User, way: str) -> None:
    Topic.objects.update(four_eyes=True)
    submit_text(ask(QUESTION), chunks=[TEXT], by=ada if way == "wrote" else bob, now=NOW)
    if way == "sent":
        send_back(opened(), seen_version=opened().version, by=ada, note="Shorter.", now=NOW)
        send_in(opened(), seen_version=opened().version, by=ada, now=NOW)
    with pytest.raises(AnswerError, match="Four eyes"):
        settle(opened(), ada, store, text="Another text." if way == "changed" else "")
    assert store.read_answer(ask(QUESTION).key, consistent=True) is None
    eve = person("eve", "approve_reviewitem")
    assert settle(opened(), eve, store).decided_by == eve
    assert AnswerVersion.objects.get().author == (ada if way == "wrote" else bob)


def test_without_the_right_nothing_is_approved(strict: Topic, store: AnswerStore, bob: User) -> None:
    apply_items([made()])
    with pytest.raises(AnswerError, match="may not approve"):
        settle(opened(), bob, store)
    assert opened().state == "in_review"


def test_a_rejection_needs_a_reason_and_a_second_one_changes_nothing(strict: Topic, ada: User) -> None:
    apply_items([made()])
    with pytest.raises(AnswerError, match="Say why"):
        reject(opened(), seen_version=1, by=ada, note=" ", now=NOW)
    reject(opened(), seen_version=1, by=ada, note="Wrong.", now=NOW)
    assert reject(opened(), seen_version=1, by=ada, note="Wrong.", now=NOW).version == 2


def test_a_draft_goes_back_and_forth_with_its_note(strict: Topic, store: AnswerStore, ada: User, bob: User) -> None:
    draft = submit_text(ask(QUESTION), chunks=[TEXT], by=bob, is_draft=True, now=NOW)
    assert (draft.state, draft.sent_by) == ("draft", None)
    with pytest.raises(AnswerError, match="This is a draft"):
        settle(draft, ada, store)
    sent = send_in(draft, seen_version=draft.version, by=bob, now=NOW)
    back = send_back(sent, seen_version=sent.version, by=ada, note="Say until when.", now=NOW)
    assert (back.state, back.note, back.owner, back.author) == ("draft", "Say until when.", bob, bob)
    with pytest.raises(ReviewConflictError):
        submit_text(asked(back), chunks=["New."], by=bob, seen_version=sent.version, now=NOW)
    assert ReviewText.objects.count() == 1


def test_an_earlier_text_can_be_made_the_candidate_again(strict: Topic, bob: User) -> None:
    apply_items([made()])
    submit_text(ask(QUESTION), chunks=["Mine."], by=bob, seen_version=1, now=NOW)
    earlier = ReviewText.objects.get(author=None)
    item = use_text(opened(), earlier, seen_version=2, now=NOW)
    assert (item.text, item.author, item.model) == (TEXT, None, "local.extractive-v1")
