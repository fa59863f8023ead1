"""Which pages there are: every list with its filters, orders and searches, every object's page, and every other page that can be read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Model
from django.http import QueryDict
from django.test import RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from benchmarks.admin.rows import COMMON, RARE, contact_id
from cache_admin.admin.keyset import KeysetChangeList
from cache_admin.models import AnswerVersion, Topic

CHOICES = 3  # of each filter
# Pages that say "405" or "404" to a reader without more, or are no pages
NOT_READ = re.compile(
    r"sound/|voice/|/begin/|logout|\(\?P|autocomplete|/r/|/add/$|/delete/$|login/|password|jsi18n|preferences|account/"
)
SEARCHES = {
    "cachedanswer": {"common": COMMON, "rare": RARE, "two_words": f"{COMMON} {RARE}", "none": "nothinglikeit", "prefix": "de"},
    "call": {"contact": contact_id(12_345)},
    "reviewitem": {"common": COMMON, "rare": RARE},
    "approvedanswer": {"common": COMMON},
}  # fmt: skip


def find_pages() -> dict[str, str]:
    """A name for each page, and its address."""
    pages = {"home": "/admin/", "home_now": "/admin/now/", "home_hours": "/admin/hours/"}
    for model, model_admin in admin.site._registry.items():
        name = model._meta.model_name or ""
        pages |= {f"{name}_{kind}": url for kind, url in _list_pages(model, model_admin)}
        pages |= {f"{name}_{kind}": url for kind, url in _object_pages(model)}
    return pages | {name: url for name, url in _other_pages() if url not in pages.values()}


def _list_pages(model: type[Model], model_admin: Any) -> Iterator[tuple[str, str]]:
    meta = model._meta
    url = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    yield "list", url
    if not hasattr(model_admin, "get_changelist_instance") or not model_admin.list_display:
        return
    try:
        changes = model_admin.get_changelist_instance(_request(url))
    except Exception:  # noqa: BLE001 - a page that is no list of Django's
        return
    chosen = []
    for spec in changes.filter_specs:
        links = [c["query_string"] for c in spec.choices(changes) if not c["selected"]][:CHOICES]
        parameter = str(getattr(spec, "parameter_name", "") or getattr(spec, "field_path", "")).removesuffix("__exact")
        for number, query in enumerate(links, 1):
            yield f"by_{parameter}_{number}", url + query
        chosen += links[:1]
    if len(chosen) > 1:
        both = QueryDict(chosen[0].lstrip("?"), mutable=True)
        both.update(QueryDict(chosen[1].lstrip("?")))
        yield "by_two", f"{url}?{both.urlencode()}"
    for number, column in enumerate(model_admin.list_display, 1):
        if column in (model_admin.sortable_by or ()):
            yield f"order_{column}", f"{url}?o={number}"
            yield f"order_{column}_down", f"{url}?o=-{number}"
    for kind, word in SEARCHES.get(meta.model_name or "", {}).items():
        yield f"search_{kind}", f"{url}?q={word.replace(' ', '+')}"
        if chosen:
            yield f"search_{kind}_filtered", f"{url}{chosen[0]}&q={word.replace(' ', '+')}"
    if isinstance(changes, KeysetChangeList) and (deep := _deep_link(changes, model)):
        yield "deep", url + deep


def _deep_link(changes: KeysetChangeList, model: type[Model]) -> str:
    """The page after the row that lies behind 98 of 100."""
    last = model._default_manager.order_by("-pk").values_list("pk", flat=True).first()
    row = model._default_manager.filter(pk__gte=last // 50).order_by("pk").first() if isinstance(last, int) else None
    return changes._link(str(changes.queryset.query.order_by[0]), False, row) if row else ""


def _object_pages(model: type[Model]) -> Iterator[tuple[str, str]]:
    meta = model._meta
    pk = _middle(model)
    for view in ("change", "history"):
        name = f"admin:{meta.app_label}_{meta.model_name}_{view}"
        try:
            if pk is not None:
                yield view, reverse(name, args=[pk])
        except Exception:  # noqa: BLE001 - this one has no such page
            continue


def _middle(model: type[Model]) -> Any:
    last = model._default_manager.order_by("-pk").values_list("pk", flat=True).first()
    if not isinstance(last, int):
        return last
    return model._default_manager.filter(pk__gte=last // 2).order_by("pk").values_list("pk", flat=True).first()


def _other_pages() -> Iterator[tuple[str, str]]:
    """What else the site has an address for, with our own rows for its parameters."""
    version = AnswerVersion.objects.order_by("pk").first()
    known = {
        "cachedanswer/<int:pk>/texts/<int:version>/": (version.answer_id, version.pk) if version else (),
        "topic/<int:pk>/try/": (Topic.objects.values_list("pk", flat=True).first(),),
        "topic/<int:pk>/rewarm/": (Topic.objects.values_list("pk", flat=True).first(),),
    }
    for route in _walk(get_resolver(), ""):
        if NOT_READ.search(route) or "<path:object_id>" in route or not route.startswith("admin/"):
            continue
        short = route.removeprefix("admin/cache_admin/")
        if "export/<str:kind>/" in route:
            continue  # exports are streamed: benchmarks/imports.py and their tests say how they do
        if "<" in route and short not in known:
            continue
        url = route
        for value in known.get(short, ()):
            url = re.sub(r"<[^>]+>", str(value), url, count=1)
        if "<" not in url:
            yield re.sub(r"\W+", "_", re.sub(r"<[^>]+>", "", short)).strip("_"), "/" + url


def _walk(resolver: URLResolver, prefix: str) -> Iterator[str]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern, prefix + str(pattern.pattern))
        elif isinstance(pattern, URLPattern):
            yield prefix + str(pattern.pattern)


def _request(url: str) -> Any:
    request = RequestFactory().get(url)
    request.user = User.objects.get(username="bench")
    return request
