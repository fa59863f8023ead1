"""What of an object goes into the trail, which nobody can shorten later: decisions, never a caller's words or numbers.

A text is kept when a supervisor wrote it for every caller. Of what callers said, and of what models answered, the trail
has keys and versions only: the words themselves lie where they can be erased.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final

from django.contrib.auth.models import Permission
from django.db.models import Field, FileField, JSONField, Model, TextField
from django.db.models.fields import CharField

from cache_admin.models import (
    AnswerVersion,
    CachedAnswer,
    Incident,
    IncidentTopic,
    ReviewItem,
    Topic,
    WaitPolicyVersion,
)

Facts = dict[str, Any]
NOT_KEPT: Final = "(not kept here)"
# Whatever the model: what a field of this name holds is somebody's secret, or a caller's
UNFIT: Final = frozenset(
    {"question", "questions", "words", "excerpt", "caller", "number", "contact_id", "password", "content", "phrasings"}
)
# Where people write about what callers hear, their words are part of the decision
WRITTEN: Final = frozenset({
    "topic", "topiclanguage", "sourcedocument", "waitpolicy", "waitprompt", "modellimit", "warmschedule", "uploadedflow",
    "incident", "warmbatch", "reconciliation",
})  # fmt: skip
_USER: Final = ("username", "is_active", "is_staff", "is_superuser", "groups", "user_permissions")
_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "auth.user": _USER,
    "auth.group": ("name", "permissions"),
    "cache_admin.cachedanswer": ("state", "pinned", "source", "version", "reason", "expires_at"),
    "cache_admin.incident": ("text", "until", "ended_at"),
    "cache_admin.warmbatch": ("kind", "state", "ended_at"),
    "cache_admin.parkedmessage": ("message_id", "reason", "queue"),
    "cache_admin.reviewitem": (
        "state", "source", "version", "revision", "valid_until", "pinned", "author", "sent_by", "decided_by", "owner", "callers",
    ),
    "cache_admin.approvedanswer": ("owner", "verify_by", "verified_by", "verified_at", "pinned"),
    "cache_admin.reconciliation": ("origin", "repair", "state"),
    "cache_admin.topic": (
        "name", "title", "enabled", "instructions", "model_id", "max_tokens", "temperature", "guardrail", "sharing", "ttl_hours",
        "keep_days", "needs_approval", "four_eyes", "verify_days", "revision",
    ),
    "cache_admin.uploadedflow": ("name", "identifier", "type", "file_name"),
}  # fmt: skip
_NAMED: Final = WRITTEN | {"parkedmessage", "user", "group"}


def describe(obj: Model) -> Facts:
    """The object as it is, in JSON's plain values, as far as it is fit to be kept for good."""
    names = _FIELDS.get(obj._meta.label_lower) or [f.name for f in obj._meta.concrete_fields if not f.primary_key]
    fields = {f.name: f for f in obj._meta.concrete_fields}
    lists = {f.name for f in obj._meta.many_to_many}
    facts = {name: plain_value(obj, name, getattr(obj, fields[name].attname)) for name in names if name in fields}
    facts |= {name: plain_value(obj, name, getattr(obj, name).all()) for name in names if name in lists}
    return {**facts, **_describe_more(obj)}


def _describe_more(obj: Model) -> Facts:
    if isinstance(obj, CachedAnswer):
        is_ours = obj.source == CachedAnswer.Source.CURATED and not obj.scope.startswith(("caller:", "contact:"))
        return {"run": obj.token if obj.chunks else "", **({"text": "\n\n".join(obj.chunks)} if is_ours else {})}
    if isinstance(obj, ReviewItem):
        is_ours = obj.author_id is not None
        return {"candidate": obj.run, **({"text": obj.text} if is_ours and obj.chunks else {})}
    if isinstance(obj, Incident):
        topics = IncidentTopic.objects.filter(incident=obj).order_by("topic").values_list("topic", flat=True)
        return {"questions": len(obj.questions), "topics": list(topics)}
    return {}


def plain_value(obj: Model, name: str, value: Any) -> Any:
    """A field's value in JSON's terms; where it may be anybody's words, how many characters they are."""
    if not is_fit(obj, name):
        return NOT_KEPT if value else ""
    if isinstance(value, bool | int | float) or value is None:
        return value
    if isinstance(value, Model):
        return value.pk
    if not isinstance(value, str) and hasattr(value, "__iter__") and not hasattr(value, "name"):
        parts = list(value)
        return f"({len(parts)} parts)" if parts and _is_free_text(obj, name) else sorted(_name(part) for part in parts)
    text = _write(value)
    return f"({len(text)} characters)" if text and _is_free_text(obj, name) else text


def _write(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"  # 0.20 in the database is 0.2 in a form
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(getattr(value, "name", value) or "")


def _name(part: Any) -> str:
    return part.codename if isinstance(part, Permission) else str(part)


def is_fit(obj: Model, name: str) -> bool:
    """Whether the trail may hold this field's value at all."""
    if obj._meta.app_label != "cache_admin":
        return name in _FIELDS.get(obj._meta.label_lower, ())
    return name not in UNFIT or (name == "questions" and isinstance(obj, Incident))


def _is_free_text(obj: Model, name: str) -> bool:
    field = next((f for f in obj._meta.get_fields() if f.name == name), None)
    if obj._meta.label_lower in _FIELDS or obj._meta.model_name in WRITTEN:
        return False
    if not isinstance(field, Field):
        return True
    is_text = isinstance(field, CharField | TextField | JSONField) and not isinstance(field, FileField)
    return is_text and not field.choices and name not in ("topic", "language")


def find_label(obj: Model) -> str:
    """By what the object is called in the trail: its name where people give it one, else its key."""
    if isinstance(obj, CachedAnswer | ReviewItem):
        return obj.key
    return str(obj)[:200] if obj._meta.model_name in _NAMED else f"#{obj.pk}"


def find_topic(obj: Model) -> str:
    """The topic that it concerns, "" if that is none or several."""
    if isinstance(obj, Incident):
        names = set(IncidentTopic.objects.filter(incident=obj).values_list("topic", flat=True))
        return names.pop() if len(names) == 1 else ""
    found = obj if isinstance(obj, Topic) else getattr(obj, "topic", "")
    return found.name if isinstance(found, Topic) else str(found or "")[:40]


def find_difference(old: Facts, new: Facts) -> tuple[Facts, Facts]:
    """What has changed: as it was, and as it is."""
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return {n: old[n] for n in names if n in old}, {n: new[n] for n in names if n in new}


def find_marks(obj: Model) -> Facts:
    """The version that is there after a decision: to undo it is only right while that version stands."""
    if obj._meta.model_name == "waitpolicy":
        latest = WaitPolicyVersion.objects.filter(policy=obj.pk).first()
        return {"version": latest.number} if latest else {}
    if isinstance(obj, CachedAnswer):
        return {"version": obj.version, "run": obj.token}
    if isinstance(obj, ReviewItem):
        texts = AnswerVersion.objects.filter(answer__key=obj.key).values_list("answer__version", flat=True)[:2]
        return {"version": obj.version, "shared": max(texts, default=0), "first": len(texts) == 1}
    return {"revision": obj.revision} if isinstance(obj, Topic) else {}


def read_text(run: str, *, answer: CachedAnswer) -> AnswerVersion | None:
    """The text that a run wrote, while it is kept."""
    return AnswerVersion.objects.filter(answer=answer, run=run).first() if run else None
