"""The phone's page, and what its script asks for. Each view is for staff who may place calls, and for their own calls."""

from __future__ import annotations

import mimetypes
import uuid
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from cache_admin import gateways
from cache_admin.models import PhoneCall, Topic
from cache_admin.phone import calls
from cache_admin.phone.choices import list_choices
from cache_admin.phone.faults import FAULTS, UNAVAILABLE, find_control_url
from cache_admin.phone.forms import CHANNELS, SPEEDS, CallForm, SignForm
from cache_admin.phone.lambdas import find_sound
from cache_admin.phone.placing import place_call

RIGHT = "cache_admin.add_phonecall"
KEYS = (
    ("1", ""), ("2", "ABC"), ("3", "DEF"), ("4", "GHI"), ("5", "JKL"), ("6", "MNO"), ("7", "PQRS"), ("8", "TUV"), ("9", "WXYZ"),
    ("*", ""), ("0", "+"), ("#", ""),
)  # fmt: skip


def _check_right(request: HttpRequest) -> None:
    if not request.user.has_perm(RIGHT):
        raise PermissionDenied


def _find_own(request: HttpRequest, call: uuid.UUID) -> PhoneCall:
    _check_right(request)
    return get_object_or_404(PhoneCall, pk=call, user_id=request.user.pk)


@require_GET
def show_phone(request: HttpRequest) -> HttpResponse:
    """The page; `flow`, `topic` and `question` in the address choose beforehand."""
    _check_right(request)
    calls.forget_old(timezone.now())
    topics = Topic.objects.filter(published_at__isnull=False, enabled=True).prefetch_related("languages")
    context = {
        **admin.site.each_context(request),
        "title": _("Phone"),
        "opts": PhoneCall._meta,
        "is_nav_sidebar_enabled": False,  # the call takes the room
        "flows": list_choices(),
        "topics": [(t, " ".join(row.language for row in t.languages.all())) for t in topics],
        "languages": sorted({row.language for t in topics for row in t.languages.all()}),
        "channels": CHANNELS,
        "speeds": SPEEDS,
        "faults": FAULTS.items(),
        "has_control": bool(find_control_url()),
        "keys": KEYS,
        "chosen": {name: request.GET.get(name, "") for name in ("flow", "topic", "question")},
    }
    return TemplateResponse(request, "admin/phone.html", context)


@require_POST
def begin(request: HttpRequest) -> JsonResponse:
    """Places a call: {id, events, signs, hang_up, records}, or {errors: {field: [...]}} with status 400, 409 or 503."""
    _check_right(request)
    form = CallForm(request.POST)
    if not form.is_valid():
        return JsonResponse({"errors": form.errors}, status=400)
    try:
        call = place_call(form.cleaned_data, form.chosen, user=request.user)  # type: ignore[arg-type]
    except calls.TooManyCallsError as error:
        return JsonResponse({"errors": {"__all__": [str(error)]}}, status=409)
    except UNAVAILABLE as error:
        why = _("This cannot be made to go wrong here: %s") % error
        return JsonResponse({"errors": {"fault": [why]}}, status=503)
    return JsonResponse(_describe(call))


def _describe(call: PhoneCall) -> dict[str, Any]:
    links = {name: reverse(f"admin:phone_{name}", args=[call.pk]) for name in ("events", "signs", "hang_up")}
    records = reverse("admin:cache_admin_call_changelist") + f"?q={call.contact_id}"
    return {"id": str(call.pk), **links, "records": records}


@require_GET
def read_events(request: HttpRequest, call: uuid.UUID) -> JsonResponse:
    """What has happened after the event of the number `since`: {events, seconds, over}."""
    since = request.GET.get("since", "0")
    if not (since.isascii() and since.isdigit() and len(since) < 8):
        raise Http404
    return JsonResponse(calls.look(_find_own(request, call), since=int(since), now=timezone.now()))


@require_POST
def give_sign(request: HttpRequest, call: uuid.UUID) -> JsonResponse:
    """Presses a key, or says something."""
    row, form = _find_own(request, call), SignForm(request.POST)
    if not form.is_valid():
        return JsonResponse({"errors": form.errors}, status=400)
    calls.sign(row, **form.cleaned_data)
    return JsonResponse({})


@require_POST
def hang_up(request: HttpRequest, call: uuid.UUID) -> JsonResponse:
    """The caller leaves."""
    calls.hang_up(_find_own(request, call))
    return JsonResponse({})


@require_GET
def play_sound(request: HttpRequest) -> FileResponse:
    """A recording of ours, by its S3 URI; nothing else of the bucket."""
    _check_right(request)
    name = find_sound(request.GET.get("uri", ""))
    storage = gateways.file_storage()
    if not name or not storage.exists(name):
        raise Http404
    kind = mimetypes.guess_type(name)[0] or ""
    return FileResponse(storage.open(name), content_type=kind if kind.startswith("audio/") else "audio/wav")
