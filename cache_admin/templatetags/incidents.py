"""The banner: which incident texts callers hear now."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils import timezone

from cache_admin.incidents.switching import find_running
from cache_admin.models import IncidentTopic, Topic

register = template.Library()


@register.inclusion_tag("admin/incident_banner.html", takes_context=True)
def incident_banner(context: dict[str, Any]) -> dict[str, Any]:
    """For every member of staff, on every page; one query while none is on."""
    request = context.get("request")
    user = getattr(request, "user", None)
    if user is None or not user.is_active or not user.is_staff:
        return {}
    incidents = list(find_running(now=timezone.now()).select_related("started_by").prefetch_related("topics"))
    if not incidents:
        return {}
    titles = {topic.name: str(topic) for topic in Topic.objects.only("name", "title")}
    rows = [(incident, *_split(list(incident.topics.all()), titles)) for incident in incidents]
    may_look = user.has_perm("cache_admin.view_incident") or user.has_perm("cache_admin.switch_incident")
    return {"incidents": rows, "may_look": may_look}


def _split(rows: list[IncidentTopic], titles: dict[str, str]) -> tuple[list[str], list[str]]:
    """The topics where the text is on, and those where it is not, though it should be."""
    states = IncidentTopic.State
    on = [titles.get(row.topic, row.topic) for row in rows if row.state == states.ON]
    failed = [titles.get(row.topic, row.topic) for row in rows if row.state in (states.FAILED, states.WANTED)]
    return on, failed
