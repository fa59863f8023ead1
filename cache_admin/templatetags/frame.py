"""What stands around every page: the menu; and what every list has: chips of its filters, and words where there are no rows."""

from __future__ import annotations

from typing import Any

from django import template

from cache_admin.lists.chips import list_chips
from cache_admin.lists.emptiness import describe_emptiness
from cache_admin.navigation import find_sections

register = template.Library()


@register.inclusion_tag("admin/menu.html", takes_context=True)
def menu(context: Any) -> dict[str, Any]:
    """The menu of whoever asks."""
    return {"sections": find_sections(context["request"], context.get("available_apps"))}


@register.inclusion_tag("admin/filter_chips.html")
def filter_chips(cl: Any) -> dict[str, Any]:
    """What the list is narrowed down to, each with a way to take it away."""
    return {"chips": list_chips(cl), "cl": cl}


@register.inclusion_tag("admin/empty_list.html")
def empty_list(cl: Any) -> dict[str, Any]:
    """Why there is nothing to see, and what to do."""
    return {"empty": describe_emptiness(cl), "cl": cl}
