"""The menu: pages grouped by the work that they are for, in the order in which a supervisor's day meets them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.admin import site
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# model -> icon, and its name in the menu
PAGES: Final[Mapping[str, tuple[str, Any]]] = {
    "cachedanswer": ("answer", _("Answers")),
    "reviewitem": ("review", _("Review")),
    "approvedanswer": ("approved", _("Approved")),
    "warmbatch": ("warm", _("Pre-warm")),
    "warmschedule": ("clock", _("Schedules")),
    "missedquestion": ("missed", _("Missed")),
    "call": ("call", _("Calls")),
    "incident": ("incident", _("Incidents")),
    "waitpolicy": ("wait", _("Waiting")),
    "topic": ("topic", _("Topics")),
    "phonecall": ("phone", _("Phone")),
    "uploadedflow": ("flow", _("Flows")),
    "user": ("person", _("People")),
    "group": ("people", _("Groups")),
    "auditentry": ("trail", _("Audit trail")),
    "parkedmessage": ("parked", _("Parked questions")),
    "reconciliation": ("drift", _("Drift")),
    "modellimit": ("limit", _("Model limits")),
    "taskresult": ("tasks", _("Tasks")),
}
SECTIONS: Final[tuple[tuple[Any, tuple[str, ...]], ...]] = (
    (
        "",
        (
            "cachedanswer",
            "reviewitem",
            "approvedanswer",
            "warmbatch",
            "warmschedule",
            "missedquestion",
            "call",
            "incident",
        ),
    ),
    (_("What callers meet"), ("waitpolicy", "topic", "phonecall", "uploadedflow")),
    (_("People"), ("user", "group", "auditentry")),
    (_("System"), ("parkedmessage", "reconciliation", "modellimit", "taskresult")),
)
LAST_ICON: Final = "other"


@dataclass(frozen=True, slots=True)
class Link:
    """One line of the menu."""

    name: str | Promise
    url: str
    icon: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Section:
    """Some lines under a heading; the first has none."""

    title: str | Promise
    links: tuple[Link, ...]


def find_sections(request: HttpRequest, apps: Iterable[Any] | None = None) -> list[Section]:
    """What this person may look at. A page that no section names stands in the last: none can be forgotten."""
    models = {model["object_name"].lower(): model for app in _find_apps(request, apps) for model in app["models"]}
    named = {name for _title, names in SECTIONS for name in names}
    others = tuple(name for name in models if name not in named)
    sections = [*SECTIONS[:-1], (SECTIONS[-1][0], (*SECTIONS[-1][1], *others))]
    found = [
        Section(title, tuple(_link(models[name], name, request.path) for name in names if _is_shown(models, name)))
        for title, names in sections
    ]
    found[0] = Section("", (_home(request.path), *found[0].links))
    return [section for section in found if section.links]


def _find_apps(request: HttpRequest, apps: Iterable[Any] | None) -> Iterable[Any]:
    return site.get_app_list(request) if apps is None else apps


def _is_shown(models: Mapping[str, Any], name: str) -> bool:
    return name in models and bool(models[name].get("admin_url"))


def _home(path: str) -> Link:
    url = reverse("admin:index")
    return Link(_("Now"), url, "now", path == url)


def _link(model: Mapping[str, Any], name: str, path: str) -> Link:
    icon, label = PAGES.get(name, (LAST_ICON, model["name"]))
    return Link(label, model["admin_url"], icon, path.startswith(model["admin_url"]))


def list_icons() -> Iterator[str]:
    """Every icon that the menu uses."""
    yield from ("now", LAST_ICON, *(icon for icon, _name in PAGES.values()))
