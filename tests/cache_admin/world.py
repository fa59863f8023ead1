"""Something of everything about one topic: each text in it carries the topic's mark, so that a page that shows any is known."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group, User
from django.utils import timezone
from django_celery_results.models import TaskResult

from cache_admin.models import (
    AnswerVersion,
    ApprovedAnswer,
    AuditEntry,
    CachedAnswer,
    Call,
    EarlierDocument,
    Incident,
    IncidentTopic,
    ModelLimit,
    ParkedMessage,
    Reconciliation,
    ReviewItem,
    ReviewText,
    SourceDocument,
    Topic,
    TopicLanguage,
    UploadedFlow,
    WaitPolicy,
    WaitPolicyVersion,
    WaitPrompt,
    WarmBatch,
    WarmRow,
    WarmSchedule,
)

Keys = dict[str, Any]


def make_world(topic: str, mark: str) -> Keys:
    """Model's name -> the primary key of its row about the topic."""
    now = timezone.now()
    made: dict[str, Any] = {
        "topic": Topic.objects.create(name=topic, title=f"{mark} title", instructions=f"{mark} be brief", model_id="m",
                                      sharing="everyone", published_at=now),
        "waitpolicy": WaitPolicy.objects.create(name=f"{mark} policy", apology=f"{mark} sorry"),
    }  # fmt: skip
    policy, of = made["waitpolicy"], {"topic": made["topic"]}
    WaitPrompt.objects.create(policy=policy, text=f"{mark} one moment")
    WaitPolicyVersion.objects.create(policy=policy, number=1, content={"apology": f"{mark} then"}, saved_at=now)
    TopicLanguage.objects.create(**of, language="en-US", wait_policy=policy)
    made["sourcedocument"] = SourceDocument.objects.create(**of, title=f"{mark} document", file=f"{topic}.txt",
                                                           kind="txt", sha256=topic)  # fmt: skip
    made["earlierdocument"] = EarlierDocument.objects.create(**of, title=f"{mark} earlier", file=f"{topic}-1.txt",
                                                             kind="txt", sha256=f"{topic}-1", uploaded_at=now, ended_at=now)  # fmt: skip
    made["warmschedule"] = WarmSchedule.objects.create(**of, when=WarmSchedule.When.choices[-1][0])
    return {name: row.pk for name, row in {**made, **_make_traffic(topic, mark, now)}.items()}


def _make_traffic(topic: str, mark: str, now: Any) -> Keys:
    key, about = f"key-{mark}", {"topic": topic, "language": "en-US"}
    answer = CachedAnswer.objects.create(key=key, **about, scope="everyone", question=f"{mark} question", words=mark,
                                         state="READY", source="generated", chunks=[f"{mark} answer"], asked_at=now,
                                         finished_at=now, changed_at=now, version=2, calls=3)  # fmt: skip
    CachedAnswer.objects.create(key=f"{key}-failed", **about, scope="everyone", question=f"{mark} failed", words=mark,
                                state="FAILED", asked_at=now, changed_at=now)  # fmt: skip
    for number in (1, 2):
        AnswerVersion.objects.create(answer=answer, run=f"{topic}{number}", chunks=[f"{mark} text {number}"], why=mark)
    call = Call.objects.create(contact_id=f"{mark}-contact", key=key, **about, outcome="waiting", source="hit",
                               reason=f"{mark} reason", asked_at=now, last_seen_at=now, changed_at=now)  # fmt: skip
    for outcome in ("abandoned", "failed"):
        Call.objects.create(contact_id=f"{mark}-{outcome}", key=f"{key}-failed", **about, outcome=outcome, asked_at=now,
                            last_seen_at=now, changed_at=now)  # fmt: skip
    parked = ParkedMessage.objects.create(message_id=f"{mark}-message", reason="gave_up", key=key, **about,
                                          question=f"{mark} parked", excerpt=f"{mark} excerpt", parked_at=now)  # fmt: skip
    incident = Incident.objects.create(text=f"{mark} incident", questions=[f"{mark} which"], started_at=now,
                                       until=now + timedelta(hours=1))  # fmt: skip
    IncidentTopic.objects.create(incident=incident, topic=topic, state="on")
    batch = WarmBatch.objects.create(kind="prewarm", state="preview", name=f"{mark} file", topic=topic, created_at=now)
    WarmRow.objects.create(batch=batch, number=1, question=f"{mark} row", verdict="new", **about)
    item = ReviewItem.objects.create(key=key, **about, words=mark, question=f"{mark} candidate", chunks=[f"{mark} draft"],
                                     source="caller", opened_at=now, changed_at=now, note=f"{mark} note")  # fmt: skip
    ReviewText.objects.create(item=item, answer=answer, run=f"{topic}2", chunks=[f"{mark} draft"], made_at=now)
    approved = ApprovedAnswer.objects.create(answer=answer, **about, question=f"{mark} approved", verify_by=now.date())
    return {
        "reviewitem": item,
        "approvedanswer": approved,
        "cachedanswer": answer,
        "missedquestion": answer,
        "call": call,
        "parkedmessage": parked,
        "incident": incident,
        "warmbatch": batch,
        "uploadedflow": _upload(mark),
        "auditentry": _note(topic, mark, now),
    }


def _upload(mark: str) -> UploadedFlow:
    return UploadedFlow.objects.create(name=f"{mark} flow", content=b"{}")


def _note(topic: str, mark: str, now: Any) -> AuditEntry:
    number = AuditEntry.objects.count() + 1
    return AuditEntry.objects.create(sequence=number, at=now, verb="topic.published", topic=topic, label=f"{mark} label",
                                     why=f"{mark} why", kind="cache_admin.topic", object_id=str(number), before="{}",
                                     after="{}", digest=f"d{number}", previous="")  # fmt: skip


def make_rest() -> Keys:
    """What is about no topic."""
    person = User.objects.create_user("somebody")
    return {
        "modellimit": ModelLimit.objects.create(model_id="limited").pk,
        "reconciliation": Reconciliation.objects.create(origin="supervisor", asked_at=timezone.now()).pk,
        "taskresult": TaskResult.objects.create(task_id="a-task", status="SUCCESS").pk,
        "user": person.pk,
        "group": Group.objects.create(name="a group").pk,
    }
