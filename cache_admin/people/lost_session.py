"""A form that comes when its session is over: nothing is done, and nothing that was typed is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views import csrf

_SECRET: Final = ("password", "csrfmiddlewaretoken", "code", "secret")
_MOST_FIELDS: Final = 1_000


def keep_what_was_typed(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: in place of the way to the sign-in page, which forgets the form, a page that has it all."""

    def respond(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        sign_in = reverse("admin:login")
        leads_there = response.status_code == 302 and response.headers["Location"].partition("?")[0] == sign_in
        is_ours = request.path.startswith(reverse("admin:index")) and request.path != sign_in
        if leads_there and is_ours and not request.user.is_authenticated and _comes_from_our_page(request):
            return show_kept(request)
        return response

    return respond


def refuse_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's answer to a form with an outdated token, or without one; with what was typed if it is our own page's."""
    if request.path.startswith(reverse("admin:index")) and _comes_from_our_page(request):
        return show_kept(request)
    return csrf.csrf_failure(request, reason=reason)


def _comes_from_our_page(request: HttpRequest) -> bool:
    """Only a page of this very site may have its form offered again: browsers say truly where a form comes from.

    Whatever another site sends here must not end as a form with a fresh token and a button. Scripts get no page.
    """
    if request.method != "POST":
        return False
    own = f"{request.scheme}://{request.get_host()}"
    to = request.headers.get("Sec-Fetch-Dest", "document")
    where = request.headers.get("Sec-Fetch-Site", "same-origin")
    return request.headers.get("Origin") == own and where == "same-origin" and to == "document"


def show_kept(request: HttpRequest) -> HttpResponse:
    """The page; 403, since nothing was done."""
    from cache_admin.people.sign_in import render_page  # noqa: PLC0415 - allauth is slow to load

    context = {
        "fields": list(_list_fields(request.POST)),
        "has_files": bool(request.FILES),
        "again": request.get_full_path(),
        "is_in": request.user.is_authenticated,
    }
    return render_page(request, "account/kept.html", context, status=403)


def _list_fields(typed: QueryDict) -> Iterator[tuple[str, Any]]:
    pairs = ((name, value) for name, values in typed.lists() for value in values)
    kept = (pair for pair in pairs if not any(word in pair[0].lower() for word in _SECRET))
    for _number, pair in zip(range(_MOST_FIELDS), kept, strict=False):
        yield pair
