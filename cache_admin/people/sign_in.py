"""The sign-in page: a local account's name and password, then its second factor; or the company's own sign-in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import LoginForm
from allauth.account.views import LoginView
from allauth.socialaccount.adapter import get_adapter as get_provider_adapter
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from cache_admin.people.lock_out import read_address


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Nobody signs up; and django-axes counts wrong passwords, for all processes alike."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002 - allauth's
        """Administrators make accounts, or the company's own sign-in does."""
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        """The person, or None."""
        user = authenticate(request, **credentials)
        if user is None:
            self.authentication_failed(request, **credentials)
        return user

    def get_client_ip(self, request: HttpRequest) -> str:
        """As everywhere else on this site."""
        return read_address(request)


class SignInForm(LoginForm):  # type: ignore[misc]  # as above
    """Name and password, under the names that Django's own page gives them."""

    def add_prefix(self, field_name: str) -> str:
        """allauth calls the name "login"."""
        return str(super().add_prefix("username" if field_name == "login" else field_name))


class SignInView(LoginView):  # type: ignore[misc]  # as above
    """allauth's view with our form."""

    form_class = SignInForm

    def get_form_class(self) -> type[SignInForm]:
        """Ours."""
        return self.form_class


def sign_in(request: HttpRequest) -> HttpResponseBase:
    """The page; who is in but has no rights here is told so."""
    if request.user.is_authenticated and not admin.site.has_permission(request):
        return render_page(request, "account/no_rights.html", status=403)
    response: HttpResponseBase = in_house(_view)(request)
    return response


_view: Callable[..., HttpResponseBase] = SignInView.as_view()


def in_house(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A view of allauth within our page: its templates get what those of the admin get."""

    def show(request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponseBase:
        response = view(request, *arguments, **named)
        if isinstance(response, TemplateResponse) and not response.is_rendered:
            response.context_data = {**_find_context(request), **(response.context_data or {})}
        return response

    return show


def render_page(
    request: HttpRequest, template: str, context: dict[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """One of our own pages around signing in."""
    return TemplateResponse(request, template, {**_find_context(request), **(context or {})}, status=status).render()


def _find_context(request: HttpRequest) -> dict[str, Any]:
    return {**admin.site.each_context(request), "ways": list_ways(request), "next": find_next(request)}


def find_next(request: HttpRequest) -> str:
    """Where somebody wanted to go; "" when that is not on this site."""
    wish = request.POST.get("next", request.GET.get("next", ""))
    is_ours = url_has_allowed_host_and_scheme(
        wish, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wish if is_ours else ""


def list_ways(request: HttpRequest) -> list[tuple[str, str]]:
    """The company's own sign-ins: name and address."""
    if not settings.SOCIALACCOUNT_PROVIDERS:
        return []
    query = f"?{urlencode({'next': wish})}" if (wish := find_next(request)) else ""
    providers = get_provider_adapter(request).list_providers(request)
    return [
        (provider.name, f"{reverse('people_begin', args=[provider.app.provider])}{query}") for provider in providers
    ]
