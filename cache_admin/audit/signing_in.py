"""Who came in, who did not, and who left: Django tells it by signals only."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model, signals
from django.http import HttpRequest

from cache_admin.audit.recording import record
from cache_admin.audit.verbs import LOCKED_OUT, SIGN_IN_FAILED, SIGNED_IN, SIGNED_OUT


def listen() -> None:
    """Connects what follows; once, when the apps are ready."""
    signals.user_logged_in.connect(note_sign_in, dispatch_uid="audit")
    signals.user_logged_out.connect(note_sign_out, dispatch_uid="audit")
    signals.user_login_failed.connect(note_failure, dispatch_uid="audit")


def note_sign_in(request: HttpRequest | None, user: Any, **_: Any) -> None:
    """Somebody is in; who cannot be noted does not come in."""
    record(request, SIGNED_IN, user, **_name(user))


def note_sign_out(request: HttpRequest | None, user: Any, **_: Any) -> None:
    """Somebody left; a session that was nobody's any more is nobody's decision."""
    if user is not None:
        record(request, SIGNED_OUT, user, **_name(user))


def note_failure(credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    """A password was wrong. Only names that exist are kept: people type passwords into the wrong field."""
    _note_attempt(request, SIGN_IN_FAILED, str(credentials.get("username") or ""))


def note_lock_out(request: HttpRequest | None = None, username: str | None = "", **_: Any) -> None:
    """There were too many wrong passwords; for the receiver of django-axes' signal."""
    _note_attempt(request, LOCKED_OUT, str(username or ""))


def _note_attempt(request: HttpRequest | None, verb: str, name: str) -> None:
    users = get_user_model()._default_manager
    record(request, verb, users.filter(username=name[:150]).first() if name else None, user_pk="", user_name="")


def _name(user: Any) -> dict[str, Any]:
    """At this moment the request does not know the user yet, or not any more."""
    return {"user_pk": str(user.pk), "user_name": user.get_username()}
