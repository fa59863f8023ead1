"""The button that undoes, and the way from an object to its audit trail."""

from __future__ import annotations

from typing import Any

from django import template
from django.urls import reverse
from django.utils.http import urlencode

from cache_admin.admin.audit_words import name_verb
from cache_admin.audit.offering import take_offer

register = template.Library()


@register.inclusion_tag("admin/undo_offer.html", takes_context=True)
def undo_offer(context: dict[str, Any]) -> dict[str, Any]:
    """Beside the message that says what was done: the button that takes it back; shown once."""
    request = context.get("request")
    if request is None or not hasattr(request, "session"):
        return {}
    offer = take_offer(request)
    if not offer:
        return {}
    return {
        "deed": offer["deed"],
        "words": name_verb(offer["verb"]),
        "count": offer["count"],
        "next": request.get_full_path(),
        "csrf_token": context.get("csrf_token"),
    }


@register.simple_tag(takes_context=True)
def audit_trail_url(context: dict[str, Any], obj: Any) -> str:
    """Where the object's decisions are listed; "" for those who may not see them."""
    user = getattr(context.get("request"), "user", None)
    if user is None or obj is None or not hasattr(obj, "_meta") or not user.has_perm("cache_admin.view_auditentry"):
        return ""
    query = urlencode({"object": f"{obj._meta.label_lower}:{obj.pk}"})
    return f"{reverse('admin:cache_admin_auditentry_changelist')}?{query}"
