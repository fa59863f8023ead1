"""What the incident pages say: states in their tones, what a voice makes of a text, and what a link chose beforehand."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

from cache_admin.admin.badges import badge
from cache_admin.models import Incident, IncidentTopic
from cache_admin.services.voice import find_voice_faults, listen


def read_wishes(request: HttpRequest) -> dict[str, Any]:
    """What a link chose beforehand."""
    wishes: dict[str, Any] = {
        "topics": request.GET.getlist("topic"),
        "questions": "\n".join(request.GET.getlist("question")),
    }
    pk = request.GET.get("from", "")
    if pk.isascii() and pk.isdigit() and (earlier := Incident.objects.filter(pk=pk).first()):
        names = [row.topic for row in earlier.topics.all()]
        wishes = {"text": earlier.text, "topics": names, "questions": "\n".join(earlier.questions)}
    return wishes


def describe_voice(text: str) -> dict[str, Any]:
    """What a voice makes of a text: its parts, its seconds, and what to improve."""
    parts, faults = [asdict(part) for part in listen(text)], [asdict(fault) for fault in find_voice_faults(text)]
    summary = ngettext("%(n)d part, about %(s)d s", "%(n)d parts, about %(s)d s", len(parts))
    seconds = sum(part["seconds"] for part in parts)
    return {
        "parts": parts,
        "faults": faults,
        "summary": summary % {"n": len(parts), "s": seconds} if parts else gettext("Nothing to hear."),
        "verdict": "" if faults or not parts else gettext("Fit to be spoken."),
    }


def show_state(incident: Incident) -> SafeString:
    """On, half on, over by itself, or switched off."""
    states = {row.state for row in incident.topics.all()}
    wanted = IncidentTopic.State
    if incident.is_running(now=timezone.now()):
        is_partial = bool(states & {wanted.FAILED, wanted.WANTED})
        return badge("failed" if is_partial else "waiting", gettext("partly on") if is_partial else gettext("on"))
    if states == {wanted.FAILED}:
        return badge("failed", gettext("never on"))
    return badge("left", gettext("switched off") if incident.ended_at else gettext("over"))


def show_topic(row: IncidentTopic) -> SafeString:
    """A topic's state, in its tone."""
    tones = {"on": "waiting", "failed": "failed", "wanted": "failed", "off": "left"}
    if row.state in ("on", "wanted") and not row.incident.is_running(now=timezone.now()):
        return badge("left", gettext("over"))
    return badge(tones[row.state], row.get_state_display())
