from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from cache_admin.incidents.questions import UnreachableError, find_keys, read_lines
from cache_admin.incidents.switching import (
    TopicTakenError,
    end_incident,
    find_running,
    prolong_incident,
    resume_incident,
    start_incident,
)
from cache_admin.models import Incident, IncidentTopic, Topic, TopicLanguage, WaitPolicy
from cache_admin.services.topics import publish_topic
from connectgenai.wire.answering import AnswerDesk
from connectgenai.wire.config import aws_client
from connectgenai.wire.items import TopicItem
from connectgenai.wire.question import AskedQuestion
from connectgenai.wire.store import AnswerStore, StoreError
from tests.aws import Aws
from tests.cache_admin.conftest import NOW, NOW_MS, ask

UNTIL = NOW + timedelta(hours=1)
TEXT = "Our shops are closed today because of the storm. Deliveries come a day later."


class FailingStore(AnswerStore):
    """The real store, until its n-th incident write: from there on DynamoDB is down."""

    def __init__(self, site: Aws, *, writes: int) -> None:
        super().__init__(aws_client("dynamodb"), table=site.table)
        self.writes = writes

    def set_incident(self, name: str, **more: Any) -> TopicItem:
        if self.writes <= 0:
            raise StoreError("down", retryable=True)
        self.writes -= 1
        return super().set_incident(name, **more)


@pytest.fixture
def topics(topic: Topic, policy: WaitPolicy, store: AnswerStore) -> list[Topic]:
    """Five published topics."""
    made = [topic]
    for name in ("billing", "delivery", "returns", "shops"):
        one = Topic.objects.create(name=name, instructions="Answer briefly.", model_id="local.extractive-v1")
        TopicLanguage.objects.create(topic=one, language="en-US", wait_policy=policy)
        publish_topic(one, store=store, now=NOW)
        made.append(one)
    return made


@pytest.fixture
def desk(store: AnswerStore) -> AnswerDesk:
    """Producer and Consumer, whose polls do not hold."""
    return AnswerDesk(store=store, send=lambda _: None, caller_keys=(("k1", b"secret"),), now_ms=lambda: NOW_MS + 5_000)


def flow_event(**parameters: str) -> dict[str, Any]:
    contact = {"ContactId": "11111111-2222-4333-8444-555555555555", "Channel": "VOICE"}
    return {"Details": {"ContactData": contact, "Parameters": parameters}}


def start(store: AnswerStore, *names: str, text: str = TEXT, **more: Any) -> Incident:
    keys = more.pop("keys", {name: [] for name in names})
    return start_incident(text, keys=keys, until=UNTIL, store=store, user=None, now=NOW, **more)


def states(incident: Incident) -> dict[str, str]:
    return dict(incident.topics.values_list("topic", "state"))


def test_a_caller_who_waits_already_hears_the_text_at_the_next_poll(
    store: AnswerStore, topic: Topic, desk: AnswerDesk
) -> None:
    asked = desk.ask(flow_event(topic="faq", question="Are you open on Sunday?"))
    assert asked.status == "202"
    waiting = {"ticket": asked.ticket, "cursor": asked.cursor, "budget": "0"}
    assert desk.poll(flow_event(**waiting)).status == "202"
    incident = start(store, "faq")
    heard = desk.poll(flow_event(**waiting))
    assert (heard.status, heard.source) == ("206", "incident")
    assert heard.text == "Our shops are closed today because of the storm."
    rest = desk.poll(flow_event(ticket=heard.ticket, cursor=heard.cursor, budget="0"))
    assert (rest.status, rest.text) == ("200", "Deliveries come a day later.")
    assert states(incident) == {"faq": "on"}


def test_a_caller_who_asks_anew_hears_it_too_and_after_its_end_no_more(
    store: AnswerStore, topic: Topic, desk: AnswerDesk
) -> None:
    incident = start(store, "faq")
    assert desk.ask(flow_event(topic="faq", question="Where are you?")).source == "incident"
    assert end_incident(incident, store=store, user=None, now=NOW) == []
    assert desk.ask(flow_event(topic="faq", question="Where are you?")).source == ""
    incident.refresh_from_db()
    assert incident.ended_at == NOW


def test_only_the_chosen_questions_are_met_with_it(store: AnswerStore, topic: Topic, desk: AnswerDesk) -> None:
    questions = ["Are you open on Sunday?"]
    start(store, keys={"faq": find_keys(topic, questions)}, questions=questions)
    assert desk.ask(flow_event(topic="faq", question="um, are you open on sunday")).source == "incident"
    assert desk.ask(flow_event(topic="faq", question="Do you sell shoes?")).source == ""


def test_it_ends_by_itself_when_its_time_is_over(store: AnswerStore, topic: Topic, answer: AskedQuestion) -> None:
    start(store, "faq")
    item = store.read_topic("faq")
    assert item is not None
    until_ms = round(UNTIL.timestamp() * 1000)
    assert item.has_incident(ask("Anything?").key, now_ms=until_ms - 1)
    assert not item.has_incident(ask("Anything?").key, now_ms=until_ms)
    assert find_running(now=UNTIL - timedelta(seconds=1)).count() == 1
    assert find_running(now=UNTIL).count() == 0


def test_a_topic_has_one_text_at_a_time(store: AnswerStore, topics: list[Topic]) -> None:
    first = start(store, "faq", "billing")
    with pytest.raises(TopicTakenError) as raised:
        start(store, "billing", "returns", text="Something else.")
    assert [(row.topic, row.incident) for row in raised.value.rows] == [("billing", first)]
    assert IncidentTopic.objects.filter(topic="returns").count() == 0
    item = store.read_topic("billing")
    assert item is not None
    assert item.incident_chunks[0].startswith("Our shops")


def test_the_next_may_follow_when_the_first_has_lapsed(store: AnswerStore, topic: Topic) -> None:
    start(store, "faq")
    later = UNTIL + timedelta(minutes=1)
    following = start_incident(
        "All is well again.", keys={"faq": []}, until=later + timedelta(hours=1), store=store, user=None, now=later
    )
    assert states(following) == {"faq": "on"}


def test_what_fails_half_way_says_where_it_is_on_and_can_go_on(
    site: Aws, store: AnswerStore, topics: list[Topic]
) -> None:
    names = sorted(topic.name for topic in topics)
    incident = start(FailingStore(site, writes=2), *names)
    assert states(incident) == dict(zip(names, ["on", "on", "failed", "failed", "failed"], strict=True))
    assert [row.topic for row in resume_incident(incident, store=FailingStore(site, writes=1), now=NOW)] == names[3:]
    assert resume_incident(incident, store=store, now=NOW) == []
    assert set(states(incident).values()) == {"on"}


def test_when_dynamodb_is_down_nothing_is_on_and_the_attempt_is_kept(site: Aws, topics: list[Topic]) -> None:
    with pytest.raises(StoreError):
        start(FailingStore(site, writes=0), "faq", "billing")
    incident = Incident.objects.get()
    assert incident.ended_at == NOW
    assert set(states(incident).values()) == {"failed"}
    assert not find_running(now=NOW).exists()


def test_what_cannot_be_switched_off_stays_on_and_can_be_tried_again(
    site: Aws, store: AnswerStore, topics: list[Topic]
) -> None:
    ada = User.objects.create_user("ada")
    incident = start(store, "billing", "faq", "shops")
    still_on = end_incident(incident, store=FailingStore(site, writes=1), user=ada, now=NOW)
    assert [row.topic for row in still_on] == ["faq", "shops"]
    incident.refresh_from_db()
    assert incident.ended_at is None
    assert end_incident(incident, store=store, user=ada, now=NOW) == []
    ended = Incident.objects.get()
    assert (ended.ended_at, ended.ended_by) == (NOW, ada)


def test_a_text_is_given_another_end_while_it_is_on(store: AnswerStore, topics: list[Topic]) -> None:
    incident = start(store, "billing", "faq")
    later = UNTIL + timedelta(hours=3)
    assert prolong_incident(incident, until=later, store=store, now=NOW) == []
    assert Incident.objects.get().until == later
    for name in ("billing", "faq"):
        item = store.read_topic(name)
        assert item is not None
        assert (item.incident_until, item.incident_id) == (round(later.timestamp() * 1000), str(incident.pk))


def test_where_the_earlier_end_holds_is_said_and_can_be_tried_again(
    site: Aws, store: AnswerStore, topics: list[Topic]
) -> None:
    incident = start(store, "billing", "faq")
    later = UNTIL + timedelta(hours=3)
    left = prolong_incident(incident, until=later, store=FailingStore(site, writes=1), now=NOW)
    assert [row.topic for row in left] == ["faq"]
    assert resume_incident(incident, store=store, now=NOW) == []
    item = store.read_topic("faq")
    assert item is not None
    assert item.incident_until == round(later.timestamp() * 1000)


def test_when_dynamodb_is_down_the_earlier_end_holds(site: Aws, store: AnswerStore, topic: Topic) -> None:
    incident = start(store, "faq")
    with pytest.raises(StoreError):
        prolong_incident(incident, until=UNTIL + timedelta(hours=3), store=FailingStore(site, writes=0), now=NOW)
    assert Incident.objects.get().until == UNTIL
    assert states(incident) == {"faq": "on"}


def test_switching_off_twice_changes_nothing(store: AnswerStore, topic: Topic) -> None:
    incident = start(store, "faq")
    end_incident(incident, store=store, user=None, now=NOW)
    end_incident(incident, store=store, user=None, now=NOW + timedelta(minutes=5))
    incident.refresh_from_db()
    assert incident.ended_at == NOW


def test_ending_a_half_failed_one_leaves_another_ones_topics_alone(
    site: Aws, store: AnswerStore, topics: list[Topic]
) -> None:
    failed = start(FailingStore(site, writes=1), "billing", "faq")
    other = start(store, "faq", text="Another text.")
    end_incident(failed, store=store, user=None, now=NOW)
    item = store.read_topic("faq")
    assert item is not None
    assert item.incident_id == str(other.pk)
    assert item.incident_chunks == ("Another text.",)


def test_going_on_is_refused_where_another_text_is_on_meanwhile(
    site: Aws, store: AnswerStore, topics: list[Topic]
) -> None:
    failed = start(FailingStore(site, writes=1), "billing", "faq")
    start(store, "faq", text="Another text.")
    with pytest.raises(TopicTakenError):
        resume_incident(failed, store=store, now=NOW)


@pytest.mark.parametrize(
    ("sharing", "question", "why"),
    [
        ("caller", "Are you open?", "are not shared"),
        ("everyone", "Where is my order?", "own business"),
        ("everyone", "?!", "cannot be asked"),
        ("everyone", "x" * 1_001, "cannot be asked"),
    ],
)
def test_questions_that_no_two_callers_share_are_refused(topic: Topic, sharing: str, question: str, why: str) -> None:
    topic.sharing = sharing
    with pytest.raises(UnreachableError, match=why):
        find_keys(topic, [question])


def test_questions_are_read_line_by_line_each_once() -> None:
    assert read_lines(" Are you  open?\n\nWhere?\r\nAre you open?\n") == ["Are you open?", "Where?"]
