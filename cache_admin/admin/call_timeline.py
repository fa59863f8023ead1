"""A call's story -> what its page shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cache_admin.admin.sounds import make_uri, measure_stored
from cache_admin.models import AnswerVersion, CachedAnswer, Call
from cache_admin.previews.call_story import (
    COMFORT,
    END,
    PART,
    PROMPT,
    RUN_LENGTH,
    SILENCE,
    HeardVersion,
    Moment,
    Story,
    count_version,
    tell_story,
)

_LABELS = {
    PART: _("part %s of the answer"),
    PROMPT: _("wait prompt %s"),
    COMFORT: _("comfort sound"),
    END: _("hand-over to a person (%s)"),
    SILENCE: _("dead air"),
}
# How each kind is drawn: the colours are those of the previews
_TONES = {PART: "answer", PROMPT: "prompt", COMFORT: "comfort", END: "hand-over", SILENCE: "silence"}


def describe_story(call: Call) -> dict[str, Any]:
    """The page's timeline: rows for its table, bars for its drawing, and what is known of the version heard."""
    story = tell_story(call, sound_seconds=measure_stored)
    rows = [_describe_moment(moment) for moment in story.moments]
    return {
        "call": call,
        "story": story,
        "rows": rows,
        "drawing": {"bars": rows, "last": max(story.last, 1.0), "language": call.language, "marks": _find_marks(call)},
        "heard": describe_heard(call, story.heard),
        "unknown_words": _lacks_words(story),
    }


def _lacks_words(story: Story) -> bool:
    return any(
        moment.kind in (PART, PROMPT) and not (moment.text or moment.ssml or moment.audio) for moment in story.moments
    )


def _find_marks(call: Call) -> list[float]:
    return [(call.first_words_at - call.asked_at).total_seconds()] if call.first_words_at else []


def _describe_moment(moment: Moment) -> dict[str, Any]:
    label = str(_LABELS.get(moment.kind, moment.kind))
    return {
        "at": round(moment.at, 3),
        "seconds": round(moment.seconds, 3),
        "kind": _TONES.get(moment.kind, "silence"),
        "label": label % (moment.detail or "-") if "%s" in label else label,
        "text": moment.text,
        "ssml": moment.ssml,
        "audio": make_uri(moment.audio) if moment.audio else "",
        "can_play": bool(moment.text or moment.ssml or moment.audio),
    }


def describe_heard(call: Call, heard: HeardVersion) -> dict[str, str]:
    """The version in words, where to read it, and who else heard it."""
    if heard.incident is not None:
        text = gettext("an incident text")
        url = reverse("admin:cache_admin_incident_change", args=[heard.incident.pk])
        return {"text": text, "url": url, "others": link_incident_calls(heard.incident.pk)}
    if not call.run:
        return {}
    text = (
        gettext("version %d of this answer") % heard.number if heard.number else gettext("a version that is not kept")
    )
    return {"text": text, "url": _find_compared(heard.version), "others": link_calls(call.key, call.run)}


def _find_compared(version: AnswerVersion | None) -> str:
    if version is None:
        return ""
    is_present = CachedAnswer.objects.filter(pk=version.answer_id, token=version.run).exists()
    name, args = ("change", [version.answer_id]) if is_present else ("compare", [version.answer_id, version.pk])
    return reverse(f"admin:cache_admin_cachedanswer_{name}", args=args)


def link_calls(key: str, run: str) -> str:
    """The calls that heard one version of an answer."""
    query = urlencode({"key__exact": key, "run__exact": run[:RUN_LENGTH]})
    return f"{reverse('admin:cache_admin_call_changelist')}?{query}"


def link_incident_calls(pk: int) -> str:
    """The calls that heard an incident's text."""
    query = urlencode({"source__exact": "incident", "run__exact": f"i{pk}"[:RUN_LENGTH]})
    return f"{reverse('admin:cache_admin_call_changelist')}?{query}"


def describe_choice(query: Mapping[str, str]) -> str:
    """What a list is of that shows one version's calls; "" for any other list."""
    run, key = query.get("run__exact", ""), query.get("key__exact", "")
    if not run:
        return ""
    if not key:
        return gettext("Calls that heard this incident text")
    version = AnswerVersion.objects.filter(answer__key=key, run__startswith=run).select_related("answer").first()
    if version is None:
        return gettext("Calls that heard this version")
    words = {"number": count_version(version), "question": version.answer.question[:100]}
    return gettext("Calls that heard version %(number)d of “%(question)s”") % words
