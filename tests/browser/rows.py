"""A day in the life of a call centre, for whoever looks at the pages: `python -m tests.browser.rows` fills the database and prints
the sessions of one person of each role. It runs in a process of its own, with the environment of the site that shows it.
"""

from __future__ import annotations

import json
import random
import re
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django

if TYPE_CHECKING:
    from cache_admin.models import Call

ROOT = Path(__file__).resolve().parents[2]
TOPICS = {"store-faq": "en-US", "ferry-handbook": "en-GB"}
QUESTIONS = {
    "store-faq": [
        "Are you open on Sunday?",
        "How do I return something that I bought online, and do I need the box?",
        "Do you deliver washing machines to the second floor, and take the old one away?",
        "What does it cost to have a screen mounted?",
        "My receipt is gone: can I still exchange a toaster?",
        "Do you repair coffee machines?",
        "Where can I park near the store?",
        "How long is the guarantee on batteries?",
    ],
    "ferry-handbook": [
        "May I take a dog on board, and does it have to stay in the car?",
        "When does the first ferry leave on a public holiday?",
        "What happens to my booking when the ferry is cancelled because of wind?",
        "How much is a camper van of seven metres with two bicycles on the rack?",
        "Is there a cabin for wheelchair users?",
        "How early must I check in with freight?",
    ],
}
TEXTS = [
    "Yes. We are open on Sunday from ten until four. The car park closes half an hour later.",
    "You can bring it back within thirty days. The receipt is enough; the box may stay at home.",
    "Please call us from the harbour. A colleague will book you on the next ferry at no cost.",
]


def fill() -> dict[str, dict[str, str]]:
    """Fills an empty database; the session of each role, and a row of each page's model."""
    from django.core.management import call_command
    from django.utils import timezone

    now, chance = timezone.now(), random.Random(7)
    call_command("migrate", verbosity=0)
    call_command("topics", "import", str(ROOT / "local" / "demo" / "topics.yaml"), verbosity=0)
    people = make_people()
    make_answers(now, chance)
    make_calls(now, chance)
    make_decisions(now, people["Supervisors"])
    make_reviews(now, people["Supervisors"])
    make_machinery(now, people["Administrators"])
    make_trail(people["Administrators"])
    return {"sessions": {role: open_session(person) for role, person in people.items()}, "rows": find_rows()}


def find_rows() -> dict[str, str]:
    """Each registered model's first row, by the name that its pages' addresses begin with."""
    from django.contrib.admin import site

    first = {model: model._default_manager.order_by("pk").first() for model in site._registry}
    return {f"{model._meta.app_label}_{model._meta.model_name}": str(row.pk) for model, row in first.items() if row}


def make_people() -> dict[str, Any]:
    """Somebody of each group that every installation begins with, and somebody who may do everything."""
    from django.contrib.auth.models import Group, User

    people = {}
    for group in Group.objects.order_by("name"):
        people[group.name] = User.objects.create_user(group.name.lower().rstrip("s"), is_staff=True)
        people[group.name].groups.set([group])
    people["Superuser"] = User.objects.create_superuser("root", password=None)
    return people


def open_session(person: Any) -> str:
    """The key of a session in which this person has come in, as Django's test client would open one."""
    from django.test import Client

    client = Client()
    client.force_login(person)
    return str(client.cookies["sessionid"].value)


def make_answers(now: datetime, chance: random.Random) -> None:
    """Answers of all states and sources, one with the texts that callers heard before."""
    from cache_admin.models import AnswerVersion, CachedAnswer

    for number, (topic, question) in enumerate(list_questions()):
        asked = now - timedelta(minutes=number * number * 9 + 4)
        state = {3: "PENDING", 5: "FAILED", 9: "INVALID"}.get(number, "READY")
        known: dict[str, Any] = {"asked_at": asked, "started_at": asked, "changed_at": asked, "calls": 40 - number * 2}
        if state != "PENDING":
            known |= {"first_chunk_at": asked + timedelta(seconds=4), "finished_at": asked + timedelta(seconds=9)}
        answer = CachedAnswer.objects.create(
            key=find_key(topic, question), topic=topic, language=TOPICS[topic], scope="everyone", question=question,
            words=question.lower(), state=state, epoch=1, version=3, token=find_key(topic, question)[-12:], complete=state == "READY",
            chunks=re.split(r"(?<=[.]) ", TEXTS[number % 3]) if state != "PENDING" else [], revision=1, pinned=number == 1,
            source="curated" if number in (1, 8) else "generated", model="" if number in (1, 8) else "local.extractive-v1",
            input_tokens=0 if number in (1, 8) else chance.randint(700, 2_000), output_tokens=0 if number in (1, 8) else 70,
            reason="model_busy" if state == "FAILED" else "",
            expires_at=now + timedelta(hours=chance.randint(5, 160)), **known,
        )  # fmt: skip
        for version in range(2 if number == 0 else 0):
            AnswerVersion.objects.create(
                answer=answer, run=f"old-{version}", epoch=version, chunks=["We are closed on Sunday."], source="generated",
                model="local.extractive-v1", finished_at=asked - timedelta(days=version + 1), why="The opening hours changed.",
            )  # fmt: skip


def list_questions() -> Iterator[tuple[str, str]]:
    """Each topic's questions."""
    for topic, questions in QUESTIONS.items():
        for question in questions:
            yield topic, question


def find_key(topic: str, question: str) -> str:
    """The key that the worker would give it."""
    from connectgenai.wire.question import identify_question

    asked = identify_question(
        question, topic=topic, language=TOPICS[topic], sharing="everyone", caller="", contact_id=""
    )
    return asked.key


def make_calls(now: datetime, chance: random.Random) -> None:
    """A day of calls; some wait now."""
    from cache_admin.models import Call

    keys = [(topic, find_key(topic, question)) for topic, question in list_questions()]
    ends = [("answered", "hit")] * 9 + [
        ("answered", "joined"),
        ("answered", "generated"),
        ("answered", "curated"),
        ("left", "hit"),
    ]
    ends += [("abandoned", ""), ("timed_out", ""), ("failed", "")]
    moments = [now - timedelta(minutes=chance.expovariate(1 / 300)) for _ in range(300)]
    known = [(moment, *chance.choice(ends)) for moment in moments]
    known += [(now - timedelta(seconds=7 * number + 3), "waiting", "") for number in range(9)]
    Call.objects.bulk_create(
        make_call(Call, number, keys[3] if end == "waiting" and number % 4 else chance.choice(keys), asked, end, source, chance)
        for number, (asked, end, source) in enumerate(known)
    )  # fmt: skip


def make_call(
    model: type[Call],
    number: int,
    place: tuple[str, str],
    asked: datetime,
    end: str,
    source: str,
    chance: random.Random,
) -> Call:
    """One caller's wait; who waits will be seen for ten minutes more."""
    seconds = chance.uniform(0.2, 1.2) if source in ("hit", "curated") else chance.uniform(3, 14)
    has_heard, waits = end in ("answered", "left"), end == "waiting"
    ended = asked + timedelta(seconds=seconds + 12)
    parts = [f"{round(seconds * 1000)}|part|1"] if has_heard else []
    return model(
        contact_id=f"7c0e{number:04d}-5b1d-4a52-9d59-0f4c6f3d21aa", key=place[1], topic=place[0], language=TOPICS[place[0]],
        channel="VOICE", caller=f"k1:{number % 40:08x}", epoch=1, outcome=end, source=source, asked_at=asked, changed_at=asked,
        polls=4, prompts=int(seconds > 3), parts=len(parts), events=[*(["3000|prompt|1"] if seconds > 3 else []), *parts],
        first_words_at=asked + timedelta(seconds=seconds) if has_heard else None, run=place[1][-12:] if has_heard else "",
        ended_at=None if waits else ended, last_seen_at=asked + timedelta(minutes=10) if waits else ended,
    )  # fmt: skip


def make_decisions(now: datetime, person: Any) -> None:
    """What a supervisor has in hand: an incident, batches, a schedule."""
    from cache_admin.models import Incident, IncidentTopic, Topic, WaitPolicy, WarmBatch, WarmRow, WarmSchedule
    from cache_admin.services.policy_versions import keep_version

    text = "Because of the storm no ferry leaves today. Please call again tomorrow."
    for number, until in enumerate((timedelta(hours=4), -timedelta(days=3))):
        incident = Incident.objects.create(
            text=text, started_at=now - timedelta(days=4 * number, hours=1), started_by=person, until=now + until
        )
        IncidentTopic.objects.create(incident=incident, topic="ferry-handbook", state="off" if number else "on")
    for state in ("preview", "running", "done"):
        batch = WarmBatch.objects.create(
            kind="prewarm", state=state, name=f"Questions of the week, {state}.xlsx", topic="store-faq", language="en-US",
            read_rows=4, expected_rows=4, created_by=person, created_at=now - timedelta(hours=2),
            confirmed_at=None if state == "preview" else now, ended_at=now if state == "done" else None,
        )  # fmt: skip
        for number, verdict in enumerate(("new", "same", "conflict", "invalid")):
            WarmRow.objects.create(
                batch=batch, number=number + 1, question=QUESTIONS["store-faq"][number], topic="store-faq", language="en-US",
                verdict=verdict, chosen=number == 0, reason="no_question" if verdict == "invalid" else "",
                state={"preview": "planned", "running": "sent", "done": "done"}[state] if number == 0 else "planned",
            )  # fmt: skip
    policy = WaitPolicy.objects.get(name="calm")
    for interval in (6.0, 8.0):
        policy.interval_seconds = interval
        keep_version(policy, user=person, now=now)
    WarmSchedule.objects.create(topic=Topic.objects.get(name="store-faq"), when="daily", at="05:30")


def make_reviews(now: datetime, person: Any) -> None:
    """Answers on their way to every caller, and one that was approved."""
    from cache_admin.models import ApprovedAnswer, CachedAnswer, ReviewItem

    for number, (topic, question) in enumerate(list_questions()):
        if number % 4 == 2:
            ReviewItem.objects.create(
                key=f"review.{number}", topic=topic, language=TOPICS[topic], words=question.lower(), question=question, source="caller",
                chunks=[TEXTS[number % 3]], model="local.extractive-v1", opened_at=now - timedelta(hours=number), changed_at=now,
                callers=20 - number, rank=(20 - number) * 1_000, owner=person if number == 2 else None, state="in_review",
            )  # fmt: skip
    answer = CachedAnswer.objects.filter(source="curated").latest("pk")
    ApprovedAnswer.objects.create(
        answer=answer, topic=answer.topic, language=answer.language, question=answer.question, verify_by=now.date(), owner=person
    )  # fmt: skip


def make_machinery(now: datetime, person: Any) -> None:
    """What administrators look at: parked questions, a comparison, quotas with prices, a flow, tasks."""
    from django_celery_results.models import TaskResult

    from cache_admin.models import ModelLimit, ParkedMessage, Reconciliation, UploadedFlow
    from connectgenai.wire.waiting import WaitPolicy as Waiting
    from flows.generate import build_flow
    from flows.rehearsal import EXAMPLE_ARNS

    for number, reason in enumerate(("failed", "failed", "not_json")):
        ParkedMessage.objects.create(
            message_id=f"m-{number}", reason=reason, queue="cgai-prewarm", topic="" if number == 2 else "store-faq", language="en-US",
            question="" if number == 2 else "Do you sell hats in winter?", excerpt="<b>no JSON</b>" if number == 2 else "",
            parked_at=now - timedelta(hours=number), deliveries=3,
        )  # fmt: skip
    Reconciliation.objects.create(
        state="done",
        origin="schedule",
        asked_at=now,
        started_at=now,
        ended_at=now,
        expected=300,
        compared=300,
        outdated=1,
    )
    ModelLimit.objects.create(
        model_id="local.extractive-v1", requests_per_minute=500, input_price="0.0030", output_price="0.0150"
    )
    settings: dict[str, Any] = {**EXAMPLE_ARNS}
    flow = build_flow("poll", topic="store-faq", policy=Waiting(), **settings).to_json().encode()
    UploadedFlow.objects.create(
        name="Welcome", identifier="welcome", content=flow, type="flow", actions=9, uploaded_by=person
    )
    TaskResult.objects.create(task_id="m-1", task_name="jobs.generate_answer", status="FAILURE", traceback="model_busy")


def make_trail(person: Any) -> None:
    """A decision in the audit trail."""
    from cache_admin.audit.recording import record
    from cache_admin.models import Topic

    record(
        None,
        "cache_admin.topic.changed",
        Topic.objects.get(name="store-faq"),
        before={"ttl_hours": 24},
        after={"ttl_hours": 168},
    )


if __name__ == "__main__":
    django.setup()
    sys.stdout.write(json.dumps(fill()))
