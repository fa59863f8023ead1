"""Too many wrong passwords: for a while no further one is tried, whether there is such a person or not."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.crypto import salted_hmac

STATUS = 429


def read_address(request: HttpRequest) -> str:
    """Where the request comes from: what the nearest proxy wrote, if one is configured, or else who is connected."""
    found = str(request.META.get(settings.AUDIT_ADDRESS or "REMOTE_ADDR", ""))
    return found.rpartition(",")[2].strip() or request.META.get("REMOTE_ADDR", "")


def name_attempt(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str:
    """Under what name attempts are counted: an unknown name only as a digest, since people type passwords into that field."""
    typed = str((credentials or {}).get("username") or request.POST.get("username", ""))[:150]
    known: Any = get_user_model()
    if known._default_manager.filter(username=typed).exists():
        return typed
    return f"unknown-{salted_hmac('lock-out', typed, algorithm='sha256').hexdigest()[:16]}"


def show_locked(request: HttpRequest, _response: HttpResponse | None = None, _who: Any = None) -> HttpResponse:
    """The page that says for how long; the same for every name."""
    minutes = round(settings.AXES_COOLOFF_TIME.total_seconds() / 60)
    return render(request, "account/locked.html", {"minutes": minutes}, status=STATUS)
