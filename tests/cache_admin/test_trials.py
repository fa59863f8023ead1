"""Generate anew and compare: a text made aside, laid beside what callers hear, and published only as it was seen."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from cache_admin import gateways
from cache_admin.mapping import epoch_ms
from cache_admin.models import AnswerVersion, CachedAnswer, Call, ModelLimit, ReviewItem, Topic
from cache_admin.services.answers import edit_answer, prewarm_question
from cache_admin.services.mirror import mirror_changes
from cache_admin.services.topics import publish_topic
from cache_admin.trials.drafts import ask_draft, identify_draft, send_again_if_lost
from cache_admin.trials.reasons import REASONS
from cache_admin.trials.showing import lay_side_by_side
from connectgenai.wire.items import AnswerItem
from connectgenai.wire.store import AnswerStore, Usage
from jobs import bedrock
from tests.aws import Aws
from tests.cache_admin.conftest import ask, generate, login

QUESTION = "Are you open on Sunday?"
OLD, NEW = "We are open on Sunday.", "We are open on Sunday from ten."


@pytest.fixture
def old(store: AnswerStore, topic: Topic) -> CachedAnswer:
    """An answer of the model's that callers hear."""
    generate(store, ask(QUESTION), OLD, now_ms=epoch_ms(timezone.now()) - 60_000)
    mirror_changes(store, now=timezone.now())
    return CachedAnswer.objects.get()


def page_of(answer: CachedAnswer) -> str:
    return f"/admin/cache_admin/topic/anew/{answer.pk}/"


def find_draft(store: AnswerStore, question: str = QUESTION) -> AnswerItem:
    item = store.read_answer(identify_draft(question, topic="faq", language="en-US").key, consistent=True)
    assert item is not None
    return item


def work(store: AnswerStore, *, text: str = NEW, fails: str = "") -> None:
    """Plays the worker on the draft."""
    item, now = find_draft(store), epoch_ms(timezone.now())
    run: dict[str, Any] = {"epoch": item.epoch, "token": f"draft-{item.epoch}", "now_ms": now}
    store.start(item.key, revision=1, **run)
    if fails:
        store.fail(item.key, reason=fails, remember_seconds=0, **run)
        return
    store.append(item.key, chunk=text, index=0, **run)
    usage = Usage(model="local.extractive-v1", input_tokens=1_200, output_tokens=20)
    store.finish(item.key, chunks=[text], revision=1, ttl_seconds=900, usage=usage, **run)


def form_on(page: str, do: str) -> dict[str, str]:
    """The hidden fields as the page has them, and a button."""
    return {
        **dict(re.findall(r'type="hidden" name="(since|seen_version|draft_version)" value="(\d+)"', page)),
        "do": do,
    }


def press(client: Client, answer: CachedAnswer, do: str, *, page: str = "", **more: Any) -> Any:
    page = page or client.get(page_of(answer)).content.decode()
    return client.post(page_of(answer), form_on(page, do), **more)


def heard(store: AnswerStore) -> AnswerItem:
    item = store.read_answer(ask(QUESTION).key, consistent=True)
    assert item is not None
    return item


def count_queued() -> int:
    return gateways.count_queued("CONNECTGENAI_PREWARM_QUEUE_URL")


def test_a_new_text_is_made_aside_compared_and_published(
    old: CachedAnswer, supervisor: Client, store: AnswerStore
) -> None:
    ModelLimit.objects.create(model_id="local.extractive-v1", input_price=Decimal("0.01"), output_price=Decimal("0.1"))
    assert (
        "Generate anew and compare"
        in supervisor.get(f"/admin/cache_admin/cachedanswer/{old.pk}/change/").content.decode()
    )
    assert press(supervisor, old, "generate")["Location"] == page_of(old)
    assert (count_queued(), heard(store).text) == (1, OLD)
    assert "data-draft=" in supervisor.get(page_of(old)).content.decode()
    work(store)
    page = supervisor.get(page_of(old)).content.decode()
    assert "<ins>" in page
    assert page.count("data-listen") == 2
    assert "1,200 read, 20 written" in page
    assert "$0.0140" in page
    reply = press(supervisor, old, "publish", page=page, follow=True)
    assert "Callers hear the new text" in reply.content.decode()
    item = heard(store)
    assert (item.text, item.source, item.model) == (NEW, "generated", "local.extractive-v1")
    assert find_draft(store).state == "INVALID"
    version = AnswerVersion.objects.get(run=item.token)
    assert (str(version.author), "chosen" in version.why) == ("ada", True)
    assert not Call.objects.exists()


def test_the_old_text_can_be_kept(old: CachedAnswer, supervisor: Client, store: AnswerStore) -> None:
    press(supervisor, old, "generate")
    work(store)
    press(supervisor, old, "keep")
    assert (heard(store).text, find_draft(store).state) == (OLD, "INVALID")


def test_a_double_click_generates_once_and_a_later_wish_generates_again(
    old: CachedAnswer, supervisor: Client, store: AnswerStore
) -> None:
    page = supervisor.get(page_of(old)).content.decode()
    press(supervisor, old, "generate", page=page)
    press(supervisor, old, "generate", page=page)
    work(store)
    press(supervisor, old, "generate", page=page)
    assert (count_queued(), find_draft(store).state) == (1, "READY")
    press(supervisor, old, "generate")
    assert (count_queued(), find_draft(store).state) == (2, "PENDING")


def test_who_was_quicker_is_not_written_over_and_both_texts_are_shown(
    old: CachedAnswer, supervisor: Client, store: AnswerStore
) -> None:
    press(supervisor, old, "generate")
    work(store)
    page = supervisor.get(page_of(old)).content.decode()
    edit_answer(old, text="Mine.", seen_version=old.version, pinned=False, store=store, now=timezone.now())
    reply = press(supervisor, old, "publish", page=page)
    shown = reply.content.decode()
    assert (reply.status_code, heard(store).text) == (409, "Mine.")
    assert "Mine." in shown
    assert "from</ins>" in shown or NEW in re.sub(r"</?(?:ins|del)>", "", shown)
    press(supervisor, old, "publish", page=shown)
    assert heard(store).text == NEW


def test_only_the_text_that_was_seen_is_published(old: CachedAnswer, supervisor: Client, store: AnswerStore) -> None:
    press(supervisor, old, "generate")
    work(store)
    page = supervisor.get(page_of(old)).content.decode()
    press(supervisor, old, "generate")
    work(store, text="Something quite different.")
    reply = press(supervisor, old, "publish", page=page)
    assert (reply.status_code, heard(store).text) == (409, OLD)
    assert "another by now" in reply.content.decode()


def test_a_text_from_the_topic_as_it_was_is_not_published(
    old: CachedAnswer, supervisor: Client, store: AnswerStore, topic: Topic
) -> None:
    press(supervisor, old, "generate")
    work(store)
    page = supervisor.get(page_of(old)).content.decode()
    topic.instructions = "Answer at length."
    publish_topic(topic, store=store, now=timezone.now())
    assert "before the topic was changed" in supervisor.get(page_of(old)).content.decode()
    assert press(supervisor, old, "publish", page=page).status_code == 409


def test_a_failure_is_told_in_words(old: CachedAnswer, supervisor: Client, store: AnswerStore) -> None:
    press(supervisor, old, "generate")
    work(store, fails="guardrail")
    assert "guardrail stopped the answer" in supervisor.get(page_of(old)).content.decode()


def test_every_reason_of_the_workers_has_words() -> None:
    assert set(bedrock.REASONS) <= set(REASONS)


@pytest.mark.parametrize(
    ("four_eyes", "rights"), [(False, ["change_cachedanswer"]), (True, ["change_cachedanswer", "approve_reviewitem"])]
)
def test_where_somebody_else_must_approve_the_new_text_goes_to_review(
    old: CachedAnswer, client: Client, store: AnswerStore, topic: Topic, four_eyes: bool, rights: list[str]
) -> None:
    topic.needs_approval, topic.four_eyes = True, four_eyes
    topic.save()
    publish_topic(topic, store=store, now=timezone.now())
    user = login(client, "view_cachedanswer", "prewarm_cachedanswer", *rights)
    press(client, old, "generate")
    work(store)
    page = client.get(page_of(old)).content.decode()
    assert "Send the new one to review" in page
    reply = press(client, old, "publish", page=page, follow=True)
    assert "The new text is in review" in reply.content.decode()
    assert (heard(store).text, find_draft(store).state) == (OLD, "INVALID")
    item = ReviewItem.objects.get()
    assert (item.key, item.text, item.state, item.sent_by) == (old.key, NEW, "in_review", user)


def test_a_text_chosen_where_answers_need_approval_is_a_persons(
    old: CachedAnswer, supervisor: Client, store: AnswerStore, topic: Topic
) -> None:
    topic.needs_approval = True
    topic.save()
    publish_topic(topic, store=store, now=timezone.now())
    press(supervisor, old, "generate")
    work(store)
    press(supervisor, old, "publish")
    assert (heard(store).text, heard(store).source) == (NEW, "curated")
    assert not ReviewItem.objects.filter(state="in_review").exists()


@pytest.mark.parametrize(
    ("rights", "do", "expected"),
    [
        ([], "", 403),
        (["view_cachedanswer"], "", 200),
        (["view_cachedanswer"], "generate", 403),
        (["view_cachedanswer", "prewarm_cachedanswer"], "publish", 403),
        (["view_cachedanswer"], "keep", 403),
        (["view_cachedanswer"], "nonsense", 302),
    ],
)
def test_who_may_do_what(old: CachedAnswer, client: Client, rights: list[str], do: str, expected: int) -> None:
    login(client, *rights)
    reply = client.post(page_of(old), {"do": do}) if do else client.get(page_of(old))
    assert reply.status_code == expected


def test_progress_is_told_of_drafts_only(old: CachedAnswer, supervisor: Client, store: AnswerStore) -> None:
    press(supervisor, old, "generate")
    url = f"/admin/cache_admin/topic/draft/{find_draft(store).key}/"
    assert supervisor.get(url).json() == {"is_over": False, "epoch": 1, "line": "It waits for a worker.", "parts": []}
    work(store)
    found = supervisor.get(url).json()
    assert (found["is_over"], found["parts"][0]["text"]) == (True, NEW)
    assert supervisor.get(f"/admin/cache_admin/topic/draft/{old.key}/").status_code == 404


def test_a_request_that_got_lost_is_sent_again(topic: Topic, site: Aws, store: AnswerStore) -> None:
    item, now = store.read_topic("faq"), timezone.now()
    assert item is not None
    asked = identify_draft(QUESTION, topic="faq", language="en-US")
    queue = gateways.prewarm_queue()
    draft = ask_draft(asked, topic=item, since_ms=0, store=store, queue=queue, now=now)
    send_again_if_lost(draft, store=store, queue=queue, now=now)
    assert count_queued() == 1
    for _ in range(2):  # of two who look at once, one sends
        send_again_if_lost(draft, store=store, queue=queue, now=now + timedelta(seconds=5))
    assert count_queued() == 2


def test_pre_warming_makes_drafts_where_answers_need_approval(topic: Topic, site: Aws, store: AnswerStore) -> None:
    topic.needs_approval = True
    topic.save()
    publish_topic(topic, store=store, now=timezone.now())
    wish: dict[str, Any] = {"question": QUESTION, "language": "", "store": store, "queue": gateways.prewarm_queue()}
    outcome, item = prewarm_question("faq", **wish, now=timezone.now())
    assert (outcome, item.scope, item.key) == ("miss", "draft", find_draft(store).key)
    curated = {"chunks": ["Approved."], "seen_version": 0, "revision": 2, "ttl_seconds": 900}
    store.publish(ask(QUESTION), **curated, now_ms=epoch_ms(timezone.now()))  # type: ignore[arg-type]
    assert prewarm_question("faq", **wish, now=timezone.now())[0] == "hit"


def test_both_texts_are_laid_out_part_by_part() -> None:
    left, right = lay_side_by_side(["We open at ten.", "Bye."], ["We open at nine.", "Come in.", "Bye."])
    assert [part["text"] for part in right] == ["We open at nine.", "Come in.", "Bye."]
    assert [piece.kind for piece in left[0]["pieces"]] == ["same", "gone"]
    assert "".join(piece.text for part in right for piece in part["pieces"]) == "We open at nine.Come in.Bye."
