"""The second factor of local accounts: an app's codes, and codes on paper for the day on which the phone is lost."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any, Final

from allauth.account.authentication import get_authentication_records
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import resolve
from django.utils.translation import gettext as _

from cache_admin.roles import ADMINISTRATORS

# What somebody without a second factor reaches all the same: to set it up, and to leave
OPEN: Final = frozenset({
    "mfa_activate_totp", "account_reauthenticate", "logout", "login", "jsi18n", "preferences", "account_login",
})  # fmt: skip


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """Keeps the secrets encrypted: whoever reads the database cannot make codes of them."""

    def encrypt(self, text: str) -> str:
        """Under a key that follows from the installation's."""
        return str(_make_cipher().encrypt(text.encode()).decode())

    def decrypt(self, encrypted_text: str) -> str:
        """What was encrypted; under another key ValueError, and the factor must be set up again."""
        from cryptography.fernet import InvalidToken  # noqa: PLC0415 - as below

        try:
            return str(_make_cipher().decrypt(encrypted_text.encode()).decode())
        except InvalidToken as error:
            raise ValueError("The second factor was set up under another CONNECTGENAI_SECRET_KEY") from error


def _make_cipher() -> Any:
    from cryptography.fernet import Fernet  # noqa: PLC0415 - workers never need it

    digest = hashlib.sha256(f"second factor {settings.SECRET_KEY}".encode()).digest()
    return Fernet(base64.urlsafe_b64encode(digest))


def has_second_factor(user: Any) -> bool:
    """Whether a password alone does not let this person in."""
    found: bool = Authenticator.objects.filter(user=user.pk, type=Authenticator.Type.TOTP).exists()
    return found


def remove_second_factor(user: Any) -> bool:
    """For somebody who has lost the phone and the paper; whether there was one."""
    count, _kinds = Authenticator.objects.filter(user=user.pk).delete()
    return bool(count)


def needs_second_factor(user: Any) -> bool:
    """Whether this installation asks it of this person."""
    if settings.REQUIRE_SECOND_FACTOR == "off":
        return False
    if settings.REQUIRE_SECOND_FACTOR == "everyone" or user.is_superuser:
        return True
    return bool(user.groups.filter(name=ADMINISTRATORS).exists())


def require_second_factor(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: leads to where it is set up whoever needs one and has none, and nowhere else."""

    def respond(request: HttpRequest) -> HttpResponse:
        if settings.REQUIRE_SECOND_FACTOR == "off" or not _is_missing(request):
            return get_response(request)
        messages.warning(request, _("Your account needs a second factor. Set it up to go on."))
        return redirect("mfa_activate_totp")

    return respond


def _is_missing(request: HttpRequest) -> bool:
    if not request.user.is_authenticated or resolve(request.path_info).url_name in OPEN:
        return False
    if any(record["method"] == "socialaccount" for record in get_authentication_records(request, request.user)):
        return False  # the company's own sign-in asks for it
    return needs_second_factor(request.user) and not has_second_factor(request.user)
